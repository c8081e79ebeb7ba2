/**
 * How long something takes if nobody else wants the processor, for tests: the
 * least of some tries. One try alone tells of the machine's other work.
 */

const TRIES = 8;

/**
 * Measures synchronous work.
 *
 * @param enoughMs Stops at the first try that takes less
 * @returns Milliseconds of the fastest try
 */
export function leastMs(work: () => void, enoughMs: number): number {
  let least = Infinity;
  for (let n = 0; n < TRIES && least >= enoughMs; n++) {
    const from = performance.now();
    work();
    least = Math.min(least, performance.now() - from);
  }
  return least;
}
