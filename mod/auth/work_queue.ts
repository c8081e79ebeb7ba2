/**
 * Runs costly work a few pieces at a time, and keeps only so much waiting:
 * who comes when the room is full is told so at once, and comes again.
 */

/** Bounds of the queue. */
export interface WorkBounds {
  /** Pieces under way at once. */
  readonly atOnce: number;
  /** Pieces that wait, in all. */
  readonly waiting: number;
  /** Of these, pieces of one owner. */
  readonly waitingOfOne: number;
}

interface Piece {
  readonly owner: string;
  readonly run: () => Promise<void>;
}

/** See the file's header. */
export class WorkQueue {
  readonly #bounds: WorkBounds;
  readonly #waiting: Piece[] = [];
  #running = 0;

  constructor(bounds: WorkBounds) {
    this.#bounds = bounds;
  }

  /**
   * Does `work` when it is its turn.
   *
   * @returns Undefined if there was no room; nothing was done
   */
  async run<T>(
    owner: string,
    work: () => Promise<T>,
  ): Promise<T | undefined> {
    const { atOnce, waiting, waitingOfOne } = this.#bounds;
    if (this.#running >= atOnce) {
      const own = this.#waiting.filter((one) => one.owner === owner).length;
      if (this.#waiting.length >= waiting || own >= waitingOfOne) {
        return undefined;
      }
    }
    const done = Promise.withResolvers<T>();
    this.#waiting.push({
      owner,
      run: () => work().then(done.resolve, done.reject),
    });
    this.#next();
    return await done.promise;
  }

  #next(): void {
    while (this.#running < this.#bounds.atOnce) {
      const piece = this.#waiting.shift();
      if (piece === undefined) return;
      this.#running++;
      piece.run().finally(() => {
        this.#running--;
        this.#next();
      });
    }
  }
}
