/**
 * The client's side of SCRAM-SHA-256 (RFC 5802 §3), for smtpc and for tests.
 * Pure; what the server said must have been checked.
 */
import { Buffer } from "node:buffer";
import { createHash, createHmac, pbkdf2Sync } from "node:crypto";

/** The final message, and the signature that the server must answer with. */
export interface ClientFinalMessage {
  /** client-final-message-without-proof. */
  readonly bare: string;
  /** In base64. */
  readonly proof: string;
  /** In base64. */
  readonly signature: string;
}

/**
 * What a client answers to server-first-message of a server that it trusts.
 *
 * @param binding GS2 header and channel binding, as octets
 */
export function clientFinal(
  { clientFirstBare, serverFirst, password, binding }: {
    clientFirstBare: string;
    serverFirst: string;
    password: string;
    binding: Uint8Array;
  },
): ClientFinalMessage {
  const [nonce, salt, count] = serverFirst.split(",").map((one) =>
    one.slice(2)
  );
  const salted = pbkdf2Sync(
    password,
    Buffer.from(salt!, "base64"),
    Number(count),
    32,
    "sha256",
  );
  return scramAnswer({
    clientFirstBare,
    serverFirst,
    nonce: nonce!,
    salted,
    binding,
  });
}

/**
 * The same, from the salted password.
 *
 * @param nonce The whole one, ours and the server's
 */
export function scramAnswer(
  { clientFirstBare, serverFirst, nonce, salted, binding }: {
    clientFirstBare: string;
    serverFirst: string;
    nonce: string;
    salted: Uint8Array;
    binding: Uint8Array;
  },
): ClientFinalMessage {
  const mac = (key: Uint8Array, text: string) =>
    createHmac("sha256", key).update(text).digest();
  const bare = `c=${Buffer.from(binding).toString("base64")},r=${nonce}`;
  const message = `${clientFirstBare},${serverFirst},${bare}`;
  const clientKey = mac(salted, "Client Key");
  const stored = createHash("sha256").update(clientKey).digest();
  const signed = mac(stored, message);
  const proof = clientKey.map((octet, i) => octet ^ signed[i]!);
  return {
    bare,
    proof: Buffer.from(proof).toString("base64"),
    signature: mac(mac(salted, "Server Key"), message).toString("base64"),
  };
}
