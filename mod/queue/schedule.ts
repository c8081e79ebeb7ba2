/** When to try again, and when to give up. Pure: time and chance are given. */

const MINUTE_MS = 60_000;

/**
 * How long to wait before trying a deferred recipient again.
 *
 * Starts at `firstRetryMs`, grows by half each time, stops growing at
 * `maxRetryMs`. Up to 10 % is added at random so that mail deferred together
 * (a site went down) does not come back together.
 *
 * @param attempts Deliveries tried so far, 1 or more
 * @param random Uniform in [0, 1); a parameter so that tests are exact
 * @returns Milliseconds, a whole number
 * @throws {RangeError} If `attempts` is not a positive integer: a caller bug
 * @see RFC 5321 §4.5.4.1: "at least 30 minutes", and variable is better
 */
export function retryDelayMs(
  attempts: number,
  random: number,
  limits: { firstRetryMs: number; maxRetryMs: number },
): number {
  if (!Number.isInteger(attempts) || attempts < 1) {
    throw new RangeError(`Cannot schedule retry: attempts is ${attempts}`);
  }
  const grown = limits.firstRetryMs * 1.5 ** (attempts - 1);
  const capped = Math.min(grown, Math.max(limits.maxRetryMs, 1));
  return Math.ceil(capped * (1 + random / 10));
}

/**
 * Whether a message has been tried for long enough (RFC 5321 §4.5.4.1).
 *
 * Never before its second attempt: a clock that was set while we were not
 * running must not bounce what was hardly tried.
 *
 * @param attempts Attempts for this recipient, the present one included
 */
export function isExpired(options: {
  arrivedMs: number;
  nowMs: number;
  attempts: number;
  expireMs: number;
}): boolean {
  return options.attempts >= 2 &&
    options.nowMs - options.arrivedMs > options.expireMs;
}

/** Differences between clocks that are adopted without a word. */
export const SLEW_MS = 10 * MINUTE_MS;

/**
 * Time that only moves at the speed of time.
 *
 * Starts from the wall clock and follows it while the two differ by less
 * than {@link SLEW_MS} (NTP at work). When the wall clock jumps further (set
 * by hand, a dead battery, a machine that slept), ours does not: messages do
 * not grow five days old in a second, retries are neither all due nor stuck.
 * The lag stays until the process starts anew, and the start-up sweep mends
 * times that lie in the future then.
 */
export class SteadyClock {
  readonly #wallMs: () => number;
  readonly #monotonicMs: () => number;
  readonly #onJump: (byMs: number) => void;
  #baseMs: number;
  #lastMs: number;
  #lagMs = 0;

  constructor(options: {
    wallMs?: () => number;
    monotonicMs?: () => number;
    /** Told once a jump, with its size and sign. */
    onJump?: (byMs: number) => void;
  } = {}) {
    this.#wallMs = options.wallMs ?? Date.now;
    this.#monotonicMs = options.monotonicMs ?? (() => performance.now());
    this.#onJump = options.onJump ?? (() => {});
    this.#baseMs = this.#wallMs() - this.#monotonicMs();
    this.#lastMs = this.#wallMs();
  }

  /** Milliseconds since the epoch, by our reckoning; a whole number, never less than before. */
  nowMs(): number {
    const wall = this.#wallMs();
    const steady = this.#baseMs + this.#monotonicMs();
    const difference = wall - this.#lagMs - steady;
    if (Math.abs(difference) < SLEW_MS) {
      this.#baseMs += difference;
    } else {
      this.#lagMs += difference;
      this.#onJump(Math.round(difference));
    }
    const now = Math.floor(this.#baseMs + this.#monotonicMs());
    this.#lastMs = Math.max(this.#lastMs, now);
    return this.#lastMs;
  }
}
