/** How long recipients waited for their message: a histogram. Pure. */

/** Upper bounds of the buckets, in seconds; one more has the rest. */
export const DELAY_BOUNDS_S = [
  0.01,
  0.025,
  0.05,
  0.1,
  0.25,
  0.5,
  1,
  2.5,
  5,
  10,
  30,
  60,
  300,
  1_800,
  3_600,
  14_400,
  86_400,
] as const;

/** Counts since the start. */
export interface Delays {
  /**
   * For each bound how many took at most so long, those of the lower bounds
   * included; and all of them at the end.
   */
  readonly upTo: number[];
  readonly sumMs: number;
}

/** Gathers delays. */
export class DelayHistogram {
  readonly #counts = new Array<number>(DELAY_BOUNDS_S.length + 1).fill(0);
  #sumMs = 0;

  /** A recipient got its message so long after that came. */
  add(delayMs: number): void {
    const ms = Math.max(0, delayMs);
    const found = DELAY_BOUNDS_S.findIndex((bound) => ms <= bound * 1_000);
    this.#counts[found < 0 ? DELAY_BOUNDS_S.length : found]!++;
    this.#sumMs += ms;
  }

  /** See {@link Delays}. */
  read(): Delays {
    let sum = 0;
    return {
      upTo: this.#counts.map((n) => sum += n),
      sumMs: Math.round(this.#sumMs),
    };
  }
}

/**
 * The delay that a share of those between two readings had at most, as far as
 * the buckets tell: on the straight line between two bounds.
 *
 * @param share 0.5 for the median
 * @returns 0 if there were none
 */
export function quantileMs(
  before: readonly number[],
  after: readonly number[],
  share: number,
): number {
  const upTo = after.map((n, i) => n - (before[i] ?? 0));
  const all = upTo.at(-1) ?? 0;
  if (all <= 0) return 0;
  const wanted = share * all;
  const at = upTo.findIndex((n) => n >= wanted);
  const high = DELAY_BOUNDS_S[at];
  const low = at === 0 ? 0 : DELAY_BOUNDS_S[at - 1]!;
  if (high === undefined) return DELAY_BOUNDS_S.at(-1)! * 1_000;
  const below = at === 0 ? 0 : upTo[at - 1]!;
  const part = (wanted - below) / (upTo[at]! - below);
  return Math.round((low + (high - low) * part) * 1_000);
}
