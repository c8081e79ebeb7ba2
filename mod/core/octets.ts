/** Octets joined. */

/**
 * Joins pieces in their order.
 *
 * @returns The piece itself if there is only one: not a copy, so whoever keeps
 * it must own it
 */
export function joinOctets(pieces: readonly Uint8Array[]): Uint8Array {
  if (pieces.length === 1) return pieces[0]!;
  let length = 0;
  for (const piece of pieces) length += piece.length;
  const whole = new Uint8Array(length);
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.length;
  }
  return whole;
}
