/**
 * A TLS handshake and the judgement of what it showed: whatever is not as it
 * must be ends the connection before another word is said in it.
 */
import type { Connection, Trouble } from "./connection_io.ts";
import { noRequireTls, noTls } from "./opening.ts";
import type { Candidate } from "./route.ts";
import type { Outcome } from "../core/outcome.ts";
import type { Transcript } from "./transcript.ts";
import { troubleOutcome } from "./verdict.ts";
import { NOT_REACHED, type Reached, type Wanted } from "./wanted.ts";

/** What came of a handshake. */
export type Shaken =
  | { readonly kind: "shaken"; readonly reached: Reached }
  /** Opportunistic TLS failed: a new connection, once, in the clear. */
  | { readonly kind: "without-tls"; readonly why: string }
  | {
    readonly kind: "failed";
    readonly outcome: Outcome;
    readonly reached: Reached;
  };

/** Shakes hands, and judges. */
export async function shakeHands(
  connection: Connection,
  to: Candidate,
  facts: {
    readonly wanted: Wanted;
    readonly connectWithinMs: number;
    readonly ca?: readonly string[] | undefined;
    readonly transcript: Transcript;
  },
): Promise<Shaken> {
  const { wanted, transcript, ca } = facts;
  const secured = await connection.secure(wanted.serverName, {
    withinMs: facts.connectWithinMs,
    ca,
  });
  if ("kind" in secured) return failed(secured, to, facts);
  const { tls } = secured;
  transcript.note(tls);
  if (wanted.judge === undefined) {
    const reached = { ...NOT_REACHED, reached: "encrypted", tls } as const;
    return { kind: "shaken", reached };
  }
  const judged = wanted.judge(connection.shown);
  const certificate = judged.what.slice(0, 300);
  transcript.note(certificate);
  if (judged.ok) {
    const reached: Reached = {
      reached: judged.isDane ? "dane" : "verified",
      tls,
      certificate,
      fault: "",
    };
    return { kind: "shaken", reached };
  }
  const reached: Reached = {
    reached: "encrypted",
    tls,
    certificate,
    fault: judged.fault,
  };
  const outcome = wanted.requireTls ? noRequireTls(to.host) : noTls(
    to.host,
    `${to.host} is not whom it must be: ${certificate}`,
    "4.7.5",
  );
  return { kind: "failed", outcome, reached };
}

function failed(
  trouble: Trouble,
  to: Candidate,
  { wanted, transcript }: { wanted: Wanted; transcript: Transcript },
): Shaken {
  transcript.note(trouble.why);
  // Text behind the 220 is an attack or a mess: not rewarded with a session
  // in the clear.
  const isMess = trouble.kind === "unexpected" || trouble.kind === "early" ||
    trouble.kind === "malformed";
  if (wanted.tls !== "must" && !isMess) {
    return { kind: "without-tls", why: trouble.why };
  }
  const why = `${trouble.why} in the TLS handshake with ${to.host}`;
  const reached: Reached = {
    ...NOT_REACHED,
    reached: "clear",
    fault: "validation-failure",
  };
  return {
    kind: "failed",
    outcome: wanted.tls === "must"
      ? noTls(to.host, why, "4.7.5")
      : troubleOutcome(why, to.host),
    reached,
  };
}
