/**
 * The server's side of SCRAM-SHA-256 (RFC 5802 §3 and §5, RFC 7677), without
 * channel binding, which is compared where the channel is.
 */
import { Buffer } from "node:buffer";
import { timingSafeEqual } from "node:crypto";
import { hmac, type ScramParameters, sha256 } from "../login/scram_keys.ts";
import { parseClientFinalBare } from "../login/scram_message.ts";
import type { Account } from "./logins.ts";

/** One exchange, between its two halves. */
export interface ScramExchange {
  readonly account: Account;
  readonly clientFirstBare: string;
  readonly serverFirst: string;
  /** The client's nonce and ours behind it. */
  readonly nonce: string;
}

/** server-first-message. */
export function serverFirst(
  nonce: string,
  { salt, iterations }: ScramParameters,
): string {
  return `r=${nonce},s=${Buffer.from(salt).toString("base64")},i=${iterations}`;
}

/** What a proof proves: the app password (or ""), and our own signature. */
export interface Proven {
  readonly app: string;
  /** ServerSignature, in base64. */
  readonly signature: string;
}

/**
 * Checks ClientProof against each of the account's keys, of which all have
 * the salt and count of the server-first-message.
 *
 * @returns Undefined if it proves nothing
 */
export function checkProof(
  exchange: ScramExchange,
  clientFinalBare: string,
  proof: string,
): Proven | undefined {
  const read = parseClientFinalBare(clientFinalBare);
  const octets = Buffer.from(proof, "base64");
  if (read?.nonce !== exchange.nonce || octets.length !== 32) return undefined;
  const authMessage =
    `${exchange.clientFirstBare},${exchange.serverFirst},${clientFinalBare}`;
  for (const { app, keys } of exchange.account.keys) {
    const signature = hmac(keys.storedKey, authMessage);
    const clientKey = octets.map((octet, i) => octet ^ signature[i]!);
    if (!timingSafeEqual(sha256(clientKey), keys.storedKey)) continue;
    const server = hmac(keys.serverKey, authMessage);
    return { app, signature: Buffer.from(server).toString("base64") };
  }
  return undefined;
}
