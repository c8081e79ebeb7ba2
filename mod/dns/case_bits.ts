/**
 * The case of a question's letters as a secret ("0x20"): a server copies the
 * question into its answer, so who did not see it must guess each letter's
 * case beside id and port.
 */

const HEADER = 12;

/** Puts the letters of the question's name into random case, in place. */
export function mixCase(query: Uint8Array, random: Uint8Array): void {
  const end = nameEnd(query);
  for (let at = HEADER; at < end; at++) {
    const octet = query[at]!;
    // Label lengths (at most 63) are below the letters.
    if (
      octet >= 0x61 && octet <= 0x7a &&
      (random[at & 31]! & (1 << (at >> 5 & 7)))
    ) {
      query[at] = octet & 0xdf;
    }
  }
}

/**
 * How an answer's question compares with the query's.
 *
 * - `same`: to the last bit
 * - `other-case`: but for the case of letters
 * - `other`: not at all
 */
export function compareQuestion(
  answer: Uint8Array,
  query: Uint8Array,
): "same" | "other-case" | "other" {
  const end = nameEnd(query) + 5; // the last zero, type and class
  if (answer.length < end || answer[4] !== 0 || answer[5] !== 1) return "other";
  let same = true;
  for (let at = HEADER; at < end; at++) {
    if (answer[at] === query[at]) continue;
    if (fold(answer[at]!) !== fold(query[at]!)) return "other";
    same = false;
  }
  return same ? "same" : "other-case";
}

/** Offset of the zero that ends the question's name; our own, so well-formed. */
function nameEnd(query: Uint8Array): number {
  let at = HEADER;
  while (query[at]! > 0) at += 1 + query[at]!;
  return at;
}

function fold(octet: number): number {
  return octet >= 0x41 && octet <= 0x5a ? octet | 0x20 : octet;
}
