/**
 * A least speed for who sends a message, as a budget of time: it is used up by
 * the clock, and earned by octets. A slow line lives on what it earns, a stall
 * on what was saved, and who drips octets has the first budget and no more.
 * Pure; the clock is a parameter. (Postfix: `smtpd_min_data_rate`.)
 */

/** One message's budget. */
export class DataRate {
  readonly #msPerOctet: number;
  readonly #budgetMs: number;
  #endsAtMs: number;
  /** Since when we do not read, which is not the client's fault. */
  #heldAtMs: number | undefined;

  /**
   * @param options.octetsPerSecond 0 for a budget that is never used up
   * @param options.budgetMs What there is at first, and at most
   */
  constructor(options: {
    octetsPerSecond: number;
    budgetMs: number;
    nowMs: number;
  }) {
    const { octetsPerSecond, budgetMs, nowMs } = options;
    this.#msPerOctet = 1_000 / octetsPerSecond;
    this.#budgetMs = budgetMs;
    this.#endsAtMs = octetsPerSecond === 0 ? Infinity : nowMs + budgetMs;
  }

  /** When the budget is used up; never, while we do not read. */
  get endsAtMs(): number {
    return this.#heldAtMs === undefined ? this.#endsAtMs : Infinity;
  }

  /** Octets came. */
  earn(octets: number, nowMs: number): void {
    if (this.#endsAtMs === Infinity) return;
    this.#endsAtMs = Math.min(
      nowMs + this.#budgetMs,
      this.#endsAtMs + octets * this.#msPerOctet,
    );
  }

  /** We stop or start to read. */
  hold(isHeld: boolean, nowMs: number): void {
    if (isHeld) {
      this.#heldAtMs ??= nowMs;
    } else if (this.#heldAtMs !== undefined) {
      this.#endsAtMs += nowMs - this.#heldAtMs;
      this.#heldAtMs = undefined;
    }
  }
}
