/** A person's name as a phrase of RFC 5322 §3.2.5. */
import { isAscii } from "../core/international.ts";

/** Octets in one encoded word: 75 characters with all its dress. */
const WORD_OCTETS = 45;

/**
 * Quotes a name, or encodes it (RFC 2047 §5) if it goes beyond ASCII. What is
 * a control character becomes a blank.
 *
 * @returns Empty if nothing is left
 */
export function phraseOf(name: string): string {
  // deno-lint-ignore no-control-regex
  const clean = name.replace(/[\x00-\x1f\x7f-\x9f]/g, " ").trim()
    .toWellFormed();
  if (clean === "") return "";
  if (isAscii(clean)) return `"${clean.replace(/["\\]/g, "\\$&")}"`;
  const words: string[] = [];
  let word = "";
  for (const character of clean) {
    if (encoder.encode(word + character).length > WORD_OCTETS) {
      words.push(word);
      word = "";
    }
    word += character;
  }
  words.push(word);
  return words.map((one) => `=?utf-8?B?${encoder.encode(one).toBase64()}?=`)
    .join("\r\n ");
}

const encoder = new TextEncoder();
