/**
 * Verdicts that explain themselves: what the client is told, which rule it
 * was, what it rests on, and what undoes it. All words of the gate stand here.
 * Pure.
 *
 * A reply says what is wrong with the client, and nothing of our policy.
 */
import { COUNTED, type GateVerdict } from "./gate_ipc.ts";

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

const RULES: ReadonlySet<string> = new Set([
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
