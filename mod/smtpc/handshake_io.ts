/**
 * A TLS handshake and the judgement of what it showed: whatever is not as it
 * must be ends the connection before another word is said in it.
 */
import type { Buffer } from "node:buffer";
import { judge, judgeWithoutTls, type Shown } from "../dane/certificate.ts";
import type { Outcome } from "../core/outcome.ts";
import type { Connection, Trouble } from "./connection_io.ts";
import { noEncryption, noTls } from "./opening.ts";
import type { Candidate } from "./route.ts";
import type { Transcript } from "./transcript.ts";
import { mayResume, type Tickets } from "./tickets.ts";
import { troubleOutcome } from "./verdict.ts";
import { NOT_REACHED, type Reached, type Wanted } from "./wanted.ts";

/** What came of a handshake. */
export type Shaken =
  | { readonly kind: "shaken"; readonly reached: Reached }
  /**
   * It failed with a session that was to be taken up again: a new connection,
   * once, without. It shows the certificate of its first handshake, and that
   * may have been replaced, together with its TLSA records.
   */
  | { readonly kind: "anew"; readonly why: string }
  /** Opportunistic TLS failed: a new connection, once, in the clear. */
  | { readonly kind: "without-tls"; readonly why: string }
  | {
    readonly kind: "failed";
    readonly outcome: Outcome;
    readonly reached: Reached;
  };

/** What a handshake needs to know. */
export interface HandshakeFacts {
  readonly wanted: Wanted;
  readonly connectWithinMs: number;
  /** Authorities, PEM; undefined means the usual ones. */
  readonly ca?: readonly string[] | undefined;
  readonly transcript: Transcript;
  /** Sessions to take up again; undefined for none. */
  readonly tickets?: Tickets<Buffer> | undefined;
  /** Told of the certificates, for people. */
  readonly onShown?: ((shown: Shown) => void) | undefined;
}

/** Shakes hands, and judges. */
export async function shakeHands(
  connection: Connection,
  to: Candidate,
  facts: HandshakeFacts,
): Promise<Shaken> {
  const { wanted, transcript, ca, connectWithinMs: withinMs } = facts;
  const { sni } = wanted.demand;
  const place = { sni, address: to.address, port: to.port };
  const tickets = mayResume(wanted.demand) ? facts.tickets : undefined;
  const offered = tickets?.take(place);
  const isOffered = offered !== undefined;
  let ticket: Buffer | undefined;
  let isMet = false;
  const secured = await connection.secure(sni, {
    withinMs,
    ca,
    ticket: offered,
    onTicket: tickets === undefined ? undefined : (fresh) => {
      // They may come before the certificates are judged, or after.
      if (isMet) tickets.put(place, fresh);
      else ticket = fresh;
    },
  });
  if ("kind" in secured) {
    return handshakeFailed(secured, to, { ...facts, isOffered });
  }
  const { tls } = secured;
  transcript.note(tls);
  const { shown } = connection;
  facts.onShown?.(shown);
  const judged = judge(wanted.demand, shown, Date.now());
  const { what: certificate, result: fault } = judged;
  if (judged.met) {
    isMet = true;
    if (ticket !== undefined) tickets?.put(place, ticket);
    if (judged.reached !== "encrypted") transcript.note(certificate);
    const { reached } = judged;
    return { kind: "shaken", reached: { reached, tls, certificate, fault } };
  }
  transcript.note(`${judged.why} (${certificate})`);
  if (isOffered) return { kind: "anew", why: judged.why };
  const reached: Reached = { reached: "encrypted", tls, certificate, fault };
  const why = `${to.host} is not whom it must be: ${judged.why}`;
  return {
    kind: "failed",
    outcome: wanted.requireTls
      ? noEncryption(why)
      : noTls(to.host, why, "4.7.5"),
    reached,
  };
}

function handshakeFailed(
  trouble: Trouble,
  to: Candidate,
  { wanted, transcript, isOffered }: HandshakeFacts & { isOffered: boolean },
): Shaken {
  const { why } = trouble;
  transcript.note(why);
  // Text behind the 220 is an attack or a mess: not rewarded with a session
  // in the clear.
  const isMess = trouble.kind === "unexpected" || trouble.kind === "early" ||
    trouble.kind === "malformed";
  if (isOffered && !isMess) return { kind: "anew", why };
  if (wanted.tls !== "must" && !isMess) return { kind: "without-tls", why };
  const words = `${why} in the TLS handshake with ${to.host}`;
  return {
    kind: "failed",
    outcome: wanted.tls === "must"
      ? noTls(to.host, words, "4.7.5")
      : troubleOutcome(words, to.host),
    reached: reachedInClear(wanted, { kind: "no-handshake", why }),
  };
}

/** What a session in the clear comes to, for reports. */
export function reachedInClear(
  { demand }: Wanted,
  trouble: { kind: "not-offered" | "refused" | "no-handshake"; why: string },
): Reached {
  const { result: fault } = judgeWithoutTls(demand, trouble);
  return { ...NOT_REACHED, reached: "clear", fault };
}
