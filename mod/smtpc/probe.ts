/**
 * Asks a next hop whether it takes mail for an address: MAIL FROM:<>, RCPT,
 * and goodbye; no message is ever begun. Only the reply to RCPT speaks about
 * the address, and the DNS about its domain; whatever else goes wrong is a
 * temporary outcome.
 *
 * The empty reverse-path, because that is how the bounce would come that the
 * asking is to prevent (RFC 5321 §4.5.5).
 */
import { type Outcome, ownOutcome } from "../core/outcome.ts";
import type { NextHop } from "../core/shapes.ts";
import type { DialV6 } from "./dialer_io.ts";
import type { Sources } from "./source.ts";
import type { Logins } from "./logins.ts";
import { isInternational, isSendable } from "./path.ts";
import type { SmtpcPart } from "./role.ts";
import { LOOP, type Names, protocolOf, routeTo } from "./route.ts";
import { decide, type SafetyMeans } from "./safety.ts";
import { openSession, type Session } from "./session_io.ts";
import { Transcript } from "./transcript.ts";
import { meaningOf, outcomeOf, troubleOutcome } from "./verdict.ts";

/** Addresses tried: somebody waits for the answer. */
const MAX_HOSTS = 3;
/**
 * Longest wait to be connected, and for one reply. A client is not kept so
 * long; it is for next hops that hold back their replies on purpose, and whose
 * answer is there when the client comes again.
 */
const WITHIN_MS = 30_000;
/** Before gate has given up (`smtpc_ipc.ts`). */
const ANSWER_MS = 110_000;
/**
 * Replies to RCPT that are about the session (RFC 5321 §4.2.2, RFC 3207 §4),
 * and 552, by which old servers say "not now" (RFC 5321 §4.5.3.1.10).
 */
const NO_WORD_ON_ADDRESS = new Set([500, 502, 503, 504, 521, 530, 552]);

/** What a probe works with. */
export interface ProbeMeans {
  readonly part: SmtpcPart;
  readonly names: Names;
  readonly safety: SafetyMeans;
  /** Authorities, PEM; undefined means the usual ones. */
  readonly ca?: readonly string[] | undefined;
  /** See `route.ts`. */
  readonly isOurs: (address: string) => boolean;
  readonly dialV6?: DialV6 | undefined;
  readonly logins: Logins;
  readonly sources: Sources;
}

/** Probes; `delivered` means that the next hop would take mail for it. */
export async function probe(
  asked: { readonly recipient: string; readonly nextHop: NextHop },
  means: ProbeMeans,
): Promise<Outcome> {
  const { recipient, nextHop } = asked;
  const { part, names, isOurs, logins } = means;
  if (!isSendable(recipient)) {
    return ownOutcome("permanent", 553, "5.1.3", "Bad recipient address");
  }
  const route = await routeTo(nextHop, names, { ...part, isOurs });
  if (route.kind === "nowhere") {
    // A circle is our configuration's fault, and says nothing of the address.
    return route.outcome === LOOP
      ? troubleOutcome("Mail would loop back to this host", "", "4.4.6")
      : route.outcome;
  }
  const facts = {
    hostname: part.hostname,
    connectWithinMs: Math.min(part.connectWithinMs, WITHIN_MS),
    replyWithinMs: Math.min(part.replyWithinMs, WITHIN_MS),
    untilMs: performance.now() + ANSWER_MS,
    dialV6: means.dialV6,
    sourceFor: means.sources.of(nextHop),
    ca: means.ca,
    noLoop: nextHop.kind === "mx",
    protocol: protocolOf(nextHop),
  };
  const login = logins.of(nextHop);
  if (login !== undefined && logins.refused !== undefined) {
    return logins.refused;
  }
  let last = troubleOutcome("No address that may be connected to", "", "4.4.1");
  for (const to of route.candidates.slice(0, MAX_HOSTS)) {
    const transcript = new Transcript();
    // Addresses are asked about no less safely than mail is sent.
    const { wanted, unusable } = await decide(
      to,
      { nextHop, requireTls: false },
      means.safety,
    );
    if (unusable !== undefined) {
      last = temporary(unusable);
      continue;
    }
    const opened = await openSession(
      to,
      {
        ...facts,
        wanted: login === undefined ? wanted : logins.safe(wanted, [to]),
        login,
      },
      transcript,
    );
    switch (opened.kind) {
      case "not-permitted":
        continue;
      case "loop":
        return troubleOutcome("It greets with our own name", to.host, "4.4.6");
      case "login-refused":
        logins.refuse(opened.outcome);
        return opened.outcome;
      case "failed":
        last = temporary(opened.outcome);
        continue;
      case "open":
        last = await ask(opened.session, recipient, {
          replyWithinMs: facts.replyWithinMs,
          transcript,
        });
        opened.session.quit();
        if (last.kind !== "temporary") return last;
    }
  }
  return last;
}

async function ask(
  session: Session,
  recipient: string,
  options: { replyWithinMs: number; transcript: Transcript },
): Promise<Outcome> {
  const { to: { host }, peer } = session;
  const isGlobal = isInternational(recipient);
  if (isGlobal && !peer.smtpUtf8) {
    return troubleOutcome("It has no SMTPUTF8 to be asked with", host, "4.6.7");
  }
  const mail = `MAIL FROM:<>${isGlobal ? " SMTPUTF8" : ""}`;
  const greeted = await session.command(mail, options);
  if ("kind" in greeted) return troubleOutcome(greeted.why, host);
  if (meaningOf(greeted) !== "done") {
    return temporary(outcomeOf(greeted, host));
  }
  const reply = await session.command(`RCPT TO:<${recipient}>`, options);
  if ("kind" in reply) return troubleOutcome(reply.why, host);
  const outcome = outcomeOf(reply, host);
  return NO_WORD_ON_ADDRESS.has(reply.code) ? temporary(outcome) : outcome;
}

/** Words that are not about the address. */
function temporary(outcome: Outcome): Outcome {
  if (outcome.kind === "temporary") return outcome;
  const words = `${outcome.code} ${outcome.text}`.slice(0, 500);
  return { ...troubleOutcome(words, outcome.host, "4.4.0") };
}
