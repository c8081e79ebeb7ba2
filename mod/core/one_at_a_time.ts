/** Work that is done one after the other, and of which only so much waits. */

/** See the file's head. */
export class OneAtATime {
  readonly #most: number;
  #waiting = 0;
  #last: Promise<unknown> = Promise.resolve();

  /** @param most Under way and waiting, together */
  constructor(most: number) {
    this.#most = most;
  }

  /** Does it when what came before is over; undefined if too much waits. */
  run<T>(work: () => Promise<T>): Promise<T> | undefined {
    if (this.#waiting >= this.#most) return undefined;
    this.#waiting++;
    const done = this.#last.then(work);
    const over = () => void this.#waiting--;
    this.#last = done.then(over, over);
    return done;
  }
}
