/**
 * How many deliveries one destination gets at once: a window that moves by
 * what comes of them, as in Postfix's qmgr (its SCHEDULER_README). Pure.
 *
 * - It begins at {@link FIRST_WINDOW}.
 * - A delivery that reached the server adds 1/window, so a window full of
 *   them adds one; but never further than the deliveries that there are and
 *   {@link FIRST_WINDOW} more, or an idle window would grow without proof.
 * - A delivery that did not reach it takes 1/window; the window falls by one
 *   at the first of these, and then after each window full.
 * - Failures one after another are counted in windows (a cohort is a window
 *   full). At {@link DEAD_COHORTS} the destination is dead. Any success
 *   between them starts the count again: one failure among successes makes
 *   it slower and does not kill it. While they are counted, no more are
 *   under way than are missing for the verdict: each is a timeout.
 *
 * Reached is who got as far as a transaction, or who said a final no; a 4xx
 * to a recipient is no failure of the server.
 */

/** Deliveries that a destination of unknown temper gets at once. */
export const FIRST_WINDOW = 5;
/** Cohorts that fail in a row before a destination is dead. */
export const DEAD_COHORTS = 1;
/** Sums of 1/n are not exact. */
const FUDGE = 1e-6;

/** The window of one destination. */
export class Concurrency {
  readonly #first: number;
  #window: number;
  #grown = 0;
  #shrunk = 0;
  #cohorts = 0;
  #isProven = false;

  constructor(first = FIRST_WINDOW) {
    this.#first = first;
    this.#window = first;
  }

  /** Deliveries at once, 1 or more. */
  get room(): number {
    const missing = this.#window * (DEAD_COHORTS - this.#cohorts);
    return Math.max(1, Math.min(this.#window, Math.ceil(missing - FUDGE)));
  }

  /** True if any delivery reached it. */
  get isProven(): boolean {
    return this.#isProven;
  }

  /** True if the last delivery failed. */
  get isTroubled(): boolean {
    return this.#cohorts > 0;
  }

  /**
   * A delivery reached the server.
   *
   * @param running Deliveries under way, this one included
   */
  succeeded(running: number, most: number): void {
    this.#cohorts = 0;
    this.#isProven = true;
    if (this.#window >= Math.min(most, running + FIRST_WINDOW)) return;
    this.#grown += 1 / this.#window;
    if (this.#grown + FUDGE < 1) return;
    this.#grown -= 1;
    this.#window++;
    // What is left of an earlier shrinking counts no more.
    this.#shrunk = 0;
  }

  /** It was idle: as many as at first, and what else is known stays. */
  rest(): void {
    if (this.#window <= this.#first) return;
    this.#window = this.#first;
    this.#grown = 0;
  }

  /** A delivery did not reach the server. True: it is dead. */
  failed(): boolean {
    this.#cohorts += 1 / this.#window;
    if (this.#cohorts + FUDGE >= DEAD_COHORTS) return true;
    this.#shrunk -= 1 / this.#window;
    if (this.#shrunk - FUDGE < 0) {
      this.#shrunk += 1;
      this.#grown = 0;
      this.#window = Math.max(1, this.#window - 1);
    }
    return false;
  }
}
