/** Both clocks in a test's hand: `performance.now()` and `Date.now()`. */
export class FakeTime {
  readonly #monotonic = performance.now;
  readonly #wall = Date.now;
  #aheadMs = 0;

  constructor() {
    performance.now = () => this.#monotonic.call(performance) + this.#aheadMs;
    Date.now = () => this.#wall.call(Date) + this.#aheadMs;
  }

  /** Puts both clocks forward. Timers do not see it. */
  advance(ms: number): void {
    this.#aheadMs += ms;
  }

  [Symbol.dispose](): void {
    performance.now = this.#monotonic;
    Date.now = this.#wall;
  }
}
