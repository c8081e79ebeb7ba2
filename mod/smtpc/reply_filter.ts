/** Applies `[reply_filter]` to what became of a recipient. Pure. */
import type { FilterRule } from "../config/filter_rule.ts";
import { type Outcome, saidOf } from "../core/outcome.ts";

const MAX_TEXT = 500;

/**
 * The outcome as the first rule that fits has it; the text says what it was.
 * No rule makes a delivery of a failure, or the other way round.
 */
export function filtered(
  rules: readonly FilterRule[],
  outcome: Outcome,
): Outcome {
  if (rules.length === 0) return outcome;
  const { code, enhanced, text } = outcome;
  const was = `${code} ${enhanced} ${text}`;
  const words = was.toLowerCase();
  const rule = rules.find(({ pattern }) => fits(pattern, words));
  if (rule === undefined || (rule.code < 300) !== (code < 300)) return outcome;
  const kind = rule.code < 300
    ? "delivered"
    : rule.code < 500
    ? "temporary"
    : "permanent";
  return {
    ...outcome,
    kind,
    code: rule.code,
    enhanced: rule.enhanced,
    text: `${rule.text ?? text} (by reply_filter; it was ${was})`
      .slice(0, MAX_TEXT),
    said: saidOf(outcome),
  };
}

/**
 * True if the pattern is the whole text, `*` being anything. Each piece
 * between stars is looked for once, where it comes first: no going back.
 */
export function fits(pattern: string, text: string): boolean {
  const pieces = pattern.split("*");
  const first = pieces[0]!;
  if (pieces.length === 1) return text === pattern;
  if (!text.startsWith(first)) return false;
  let at = first.length;
  for (const piece of pieces.slice(1, -1)) {
    const found = text.indexOf(piece, at);
    if (found < 0) return false;
    at = found + piece.length;
  }
  const last = pieces.at(-1)!;
  return text.length - last.length >= at && text.endsWith(last);
}
