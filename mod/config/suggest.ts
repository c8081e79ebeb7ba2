/** "Did you mean ...?" for a key that nobody knows. A library; pure. */

/**
 * The candidate that `word` was probably meant to be: the same but for case
 * and `-` for `_`, or at most a third of its letters wrong, at most 3.
 */
export function suggest(
  word: string,
  candidates: readonly string[],
): string | undefined {
  // A longer word is nobody's slip, and comparing is quadratic.
  if (word.length > 60) return undefined;
  const plain = normal(word);
  let best: string | undefined;
  let least = Math.min(3, Math.floor(plain.length / 3)) + 1;
  for (const candidate of candidates) {
    const distance = editDistance(plain, normal(candidate));
    if (distance < least) [best, least] = [candidate, distance];
  }
  return best;
}

function normal(word: string): string {
  return word.toLowerCase().replaceAll("-", "_");
}

/** Letters to insert, drop, change, or swap with a neighbour. */
function editDistance(one: string, other: string): number {
  const width = other.length + 1;
  let before: number[] = [];
  let last = Array.from({ length: width }, (_, column) => column);
  for (let row = 1; row <= one.length; row++) {
    const now = [row];
    for (let column = 1; column < width; column++) {
      const same = one[row - 1] === other[column - 1];
      let cost = Math.min(
        last[column]! + 1,
        now[column - 1]! + 1,
        last[column - 1]! + (same ? 0 : 1),
      );
      const swapped = row > 1 && column > 1 &&
        one[row - 1] === other[column - 2] &&
        one[row - 2] === other[column - 1];
      if (swapped) cost = Math.min(cost, before[column - 2]! + 1);
      now.push(cost);
    }
    [before, last] = [last, now];
  }
  return last[width - 1]!;
}
