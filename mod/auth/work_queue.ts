/**
 * Runs costly work a few pieces at a time, and keeps only so much waiting:
 * who comes when the room is full is told so at once, and comes again.
 *
 * There are two rooms, and the first is always served first: so strangers,
 * however many, neither fill the room nor hold up the turn of those who are
 * known.
 */

/** Bounds of the queue. */
export interface WorkBounds {
  /** Pieces under way at once. */
  readonly atOnce: number;
  /** Pieces that wait in each room. */
  readonly waiting: number;
  /** Of these, pieces of one owner. */
  readonly waitingOfOne: number;
}

/** Whose piece it is, and which room it waits in. */
export interface WorkOwner {
  readonly owner: string;
  readonly isKnown: boolean;
}

interface Piece {
  readonly owner: string;
  readonly run: () => Promise<void>;
}

/** See the file's header. */
export class WorkQueue {
  readonly #bounds: WorkBounds;
  readonly #known: Piece[] = [];
  readonly #strange: Piece[] = [];
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
    { owner, isKnown }: WorkOwner,
    work: () => Promise<T>,
  ): Promise<T | undefined> {
    const { atOnce, waiting, waitingOfOne } = this.#bounds;
    const room = isKnown ? this.#known : this.#strange;
    if (this.#running >= atOnce) {
      const own = room.filter((one) => one.owner === owner).length;
      if (room.length >= waiting || own >= waitingOfOne) return undefined;
    }
    const done = Promise.withResolvers<T>();
    room.push({
      owner,
      run: () => work().then(done.resolve, done.reject),
    });
    this.#next();
    return await done.promise;
  }

  #next(): void {
    while (this.#running < this.#bounds.atOnce) {
      const piece = this.#known.shift() ?? this.#strange.shift();
      if (piece === undefined) return;
      this.#running++;
      piece.run().finally(() => {
        this.#running--;
        this.#next();
      });
    }
  }
}
