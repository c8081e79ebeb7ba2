/**
 * `[reply_filter]`: outcomes of deliveries, rewritten as an administrator
 * knows better than the other server (Postfix's smtp_delivery_status_filter).
 * A library; pure.
 */
import { bad, good, type Read, shown } from "./kinds.ts";
import type { Entries } from "./routing.ts";

/** One rule. */
export interface FilterRule {
  /** Against `code enhanced text`; `*` is anything. In lower case. */
  readonly pattern: string;
  readonly code: number;
  readonly enhanced: string;
  /** Instead of the text; null leaves it. */
  readonly text: string | null;
}

/** `[reply_filter]`. */
export const replyFilter: Entries<FilterRule> = {
  kind: "entries",
  says: "What other servers' last words are taken for. A key is a pattern of " +
    "`code enhanced-code text`, in which `*` is anything and upper and lower " +
    "case are the same; a value is what is taken for it, with `*` for the " +
    "text as it was. The first that fits counts. It is asked when all hosts " +
    "were tried, so that a 4yz becomes a 5yz only where none took the mail. A " +
    "2yz stays a 2yz, and nothing becomes one.",
  type: "table of pattern = reply",
  examples: [
    ["550 5.7.1 *listed*", "450 4.7.1 *"],
    ["452 4.2.2 *", "552 5.2.2 *"],
  ],
  max: 100,
  read,
};

const MAX_PATTERN = 200;

function read(name: string, raw: unknown): Read<FilterRule> {
  if (name.length === 0 || name.length > MAX_PATTERN) {
    return bad(`is no pattern: 1 to ${MAX_PATTERN} characters`);
  }
  const [code = "", enhanced = "", ...words] = typeof raw === "string"
    ? raw.split(" ")
    : [];
  const text = words.join(" ");
  const isReply = /^[245][0-9][0-9]$/.test(code) &&
    /^[245]\.[0-9]{1,3}\.[0-9]{1,3}$/.test(enhanced) &&
    code[0] === enhanced[0] && /^[ -~]{1,300}$/.test(text);
  // Only where the pattern says whole what class it is for.
  const from = /^[2-5]/.exec(name)?.[0];
  if (isReply && from !== undefined && (from === "2") !== (code[0] === "2")) {
    return bad(
      `would never count: no failure becomes a 2yz, and no 2yz a failure; it is ` +
        shown(raw),
    );
  }
  return isReply
    ? good({
      pattern: name.toLowerCase(),
      code: Number(code),
      enhanced,
      text: text === "*" ? null : text,
    })
    : bad(
      'must be a code, an enhanced code of the same class and a text or *: "450 ' +
        `4.7.1 *"; it is ${shown(raw)}`,
    );
}
