/**
 * Lets so many do something at once; the others wait for their turn, first
 * come, first served, as long as they can. Pure but for its timers.
 */

/** Most that wait; more would only hold memory. */
const MAX_WAITING = 10_000;

/** See the file's header. */
export class Turns {
  readonly #max: number;
  #taken = 0;
  readonly #waiting = new Set<() => void>();

  /** @param max Most at once */
  constructor(max: number) {
    this.#max = max;
  }

  /**
   * Waits for a turn; {@link give} must follow one that was had.
   *
   * @returns False if it did not come in time
   */
  async take(withinMs: number): Promise<boolean> {
    if (this.#taken < this.#max) {
      this.#taken++;
      return true;
    }
    if (this.#waiting.size >= MAX_WAITING) return false;
    const { promise, resolve } = Promise.withResolvers<boolean>();
    const mine = () => resolve(true);
    this.#waiting.add(mine);
    const timer = setTimeout(() => {
      this.#waiting.delete(mine);
      resolve(false);
    }, withinMs);
    const isMine = await promise;
    clearTimeout(timer);
    return isMine;
  }

  /** Hands a turn on to whoever waits longest. */
  give(): void {
    const [next] = this.#waiting;
    if (next === undefined) {
      this.#taken--;
      return;
    }
    this.#waiting.delete(next);
    next();
  }
}
