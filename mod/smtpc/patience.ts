/**
 * How long a session is waited for: each wait has its limit, and all of them
 * together have one. A server that says one line just before each limit would
 * otherwise hold a delivery for hours: a hundred recipients at 5 minutes each.
 * Pure.
 */

/** Waits for replies of one phase, as a multiple of the time for one. */
export const PHASE_REPLIES = 4;

/**
 * Longest delivery, all hosts together: below what the queue waits for an
 * answer (`smtpc_ipc.ts`), so that it always hears what became of the mail.
 */
export const DELIVERY_MS = 55 * 60_000;

/** A further host is only begun before this; the last one needs time, too. */
export const LAST_HOST_MS = 20 * 60_000;

/** What is left of several limits. */
export class Patience {
  readonly #eachMs: number;
  readonly #untilMs: number;
  readonly #now: () => number;

  /**
   * @param eachMs For one wait
   * @param wholeMs For all of them
   * @param untilMs The end of the delivery, by `now`
   */
  constructor(
    limits: {
      readonly eachMs: number;
      readonly wholeMs: number;
      readonly untilMs: number;
    },
    now: () => number = () => performance.now(),
  ) {
    this.#eachMs = limits.eachMs;
    this.#untilMs = Math.min(limits.untilMs, now() + limits.wholeMs);
    this.#now = now;
  }

  /** For the next wait, milliseconds: 1 or more. */
  get nextMs(): number {
    const left = this.#untilMs - this.#now();
    return Math.max(1, Math.min(this.#eachMs, Math.ceil(left)));
  }
}
