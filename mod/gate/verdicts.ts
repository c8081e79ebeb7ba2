/**
 * Verdicts that explain themselves: what the client is told, which rule it
 * was, what it rests on, and what undoes it. All words of the gate stand here.
 * Pure.
 *
 * A reply says what is wrong with the client, and nothing of our policy.
 */
import { COUNTED, type GateVerdict, PASS } from "./gate_ipc.ts";

/** What {@link refusal} makes a verdict of. */
export interface Refusal {
  readonly code: number;
  readonly enhanced: string;
  readonly reply: string;
  readonly rule: string;
  readonly evidence: string;
  readonly undo: string;
}

/** A refusal; 4yz is temporary, RFC 5321 §4.2.1. */
export function refusal(what: Refusal): GateVerdict {
  return {
    action: what.code < 500 ? "defer" : "reject",
    code: what.code,
    enhanced: what.enhanced,
    reply: printable(what.reply, 200),
    rule: what.rule,
    evidence: printable(what.evidence, 300),
    undo: printable(what.undo, 200),
  };
}

/** What undoes a refusal of a door's own, by its rule. */
export const DOOR_UNDO: ReadonlyMap<string, string> = new Map([
  [
    "unknown-recipient",
    "give the address a mailbox (bulkhead user add) or an alias",
  ],
  [
    "relay-denied",
    "have users log in at port 465; or name the domain in server.relay_domains",
  ],
  ["alias-loop", "mend the aliases: they lead to each other"],
  ["not-yours", "give the login's mailbox an alias of that address"],
  ["login-first", "set a user name and password in the mail program"],
  ["too-large", "raise smtp.max_message_size"],
  ["loop", "find the two servers that send it to each other"],
  ["bad-content", "mend the program that sent it"],
  ["full", "make room on the disk, or raise queue.max_messages"],
  ["not-stored", "nothing: the client comes again; see the log for why"],
  ["cannot-check", "nothing: the client comes again; see the log for why"],
]);

/** A verdict that lets pass, and says what was looked at. */
export function passing(rule: string, evidence: string): GateVerdict {
  return { ...PASS, rule, evidence: printable(evidence, 300) };
}

const RULES: ReadonlySet<string> = new Set([
  ...DOOR_UNDO.keys(),
  ...["pregreet", "dnsbl", "deny", "greylist", "verify"],
  ...["pipelining", "bare-newline", "non-smtp-command"],
  ...COUNTED.map((what) => `rate-${what}`),
  "rate-concurrency",
  ...["client", "helo", "sender", "recipient"].map((kind) => `${kind}-access`),
]);

/**
 * Name of the counter of a rule's verdicts. A rule may come from an smtpd that
 * is not itself any more, and each new name would be kept for ever.
 */
export function counterOf(rule: string): string {
  return `verdict-${RULES.has(rule) ? rule : "other"}`;
}

/** What undoes whatever is held against a client. */
export function letIn(client: string): string {
  return `bulkhead client allow ${client}`;
}

/** One line of ASCII: what came from outside is shown and obeyed by nobody. */
export function printable(text: string, max: number): string {
  return text.replace(/[^\x20-\x7e]/g, "?").slice(0, max);
}
