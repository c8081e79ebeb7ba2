/**
 * How an attempt went, in words that a sender can read: which host was asked,
 * how well the way to it was protected, and what it said. Kept with the
 * recipient, because the history is written late and may be lost. Pure.
 */
import { type Outcome, saidOf } from "../core/outcome.ts";
import type { Attempt, AttemptedHost } from "../smtpc/smtpc_ipc.ts";

/** Longest account; a row may hold one for each recipient. */
const MAX_ACCOUNT = 900;
/** Hosts told of beside the one that had the last word. */
const MAX_OTHERS = 4;

/** What came of one attempt for one recipient. */
export function accountOf(
  outcome: Outcome,
  attempt?: Pick<Attempt, "hosts">,
): string {
  const hosts = attempt?.hosts ?? [];
  const asked = outcome.host === ""
    ? undefined
    : hosts.findLast(({ host }) => host === outcome.host);
  const others = hosts.filter((one) => one !== asked).slice(-MAX_OTHERS)
    .map((one) => endOf(one, outcome)).join("; ");
  const who = asked === undefined ? outcome.host : nameOf(asked);
  const account = who === ""
    ? `Our server says: ${wordsOf(outcome)}` +
      (others === "" ? "" : ` (${others})`)
    : `${who}${wayTo(asked)}${answerOf(outcome)}` +
      (others === "" ? "" : `. Before that, ${others}`);
  return account.slice(0, MAX_ACCOUNT);
}

/** The account of an attempt that was the last before time was up. */
export function accountOfExpiry(span: string, last: string): string {
  return `Not delivered within ${span}. The last attempt: ${last}`
    .slice(0, MAX_ACCOUNT);
}

function wordsOf({ code, enhanced, text }: Outcome): string {
  return `${code} ${enhanced} ${text}`;
}

/** What came of a host, unless that is told anyway. */
function endOf(one: AttemptedHost, outcome: Outcome): string {
  return one.result === wordsOf(outcome)
    ? nameOf(one)
    : `${nameOf(one)}: ${one.result}`;
}

function nameOf({ host, address }: AttemptedHost): string {
  return address === "" || address === host ? host : `${host} [${address}]`;
}

function answerOf(outcome: Outcome): string {
  const said = saidOf(outcome);
  return said === "" ? `: ${outcome.text}` : ` answered: ${said}`;
}

/** What protected what we asked, as far as it is known. */
function wayTo(asked: AttemptedHost | undefined): string {
  if (asked === undefined) return "";
  // Such as `TLSv1.3 TLS_AES_256_GCM_SHA384`: the cipher says nothing to most.
  const version = asked.tls.split(" ")[0] || "TLS";
  switch (asked.reached) {
    case "":
      return "";
    case "clear":
      return " (asked without TLS)";
    case "encrypted":
      return ` (asked over ${version}, with a certificate that nobody vouched ` +
        "for)";
    case "verified":
      return ` (asked over ${version}, its certificate was found good)`;
    case "dane":
      return ` (asked over ${version}, its certificate matched the ` +
        `${daneRecord(asked.certificate)})`;
  }
}

/** From `TLSA 3 1 1 2fb4...`: the digits of the hash say nothing to most. */
function daneRecord(certificate: string): string {
  const [name, usage, selector, matching] = certificate.split(" ");
  return name === "TLSA" && matching !== undefined
    ? `DANE record ${usage} ${selector} ${matching}`
    : "DANE record";
}
