/**
 * Recipients by stored state, for whoever asks each second. Of a queue that is
 * small they are counted at once; of a large one slice by slice, and until all
 * of them are, the count before is good enough.
 */
import type { State } from "./message.ts";
import type { Store } from "./store_io.ts";

/** Recipients counted in one turn: some 2 ms. */
const SLICE_ROWS = 5_000;
/** A count is good for this long, and longer if it was dear. */
const KEPT_MS = 2_000;
const KEPT_PER_COST = 50;

type Counts = Map<State, number>;

/** See the file's head. */
export class StateCounts {
  readonly #store: Pick<Store, "counts" | "countsBetween" | "lowerEnd">;
  readonly #keptMs: number;
  #last: Counts | undefined;
  #goodUntilMs = 0;
  #isWalking = false;
  #isOld = false;
  #next: ReturnType<typeof setImmediate> | undefined;

  /** @param keptMs Time that a count is good for at least */
  constructor(
    store: Pick<Store, "counts" | "countsBetween" | "lowerEnd">,
    keptMs = KEPT_MS,
  ) {
    this.#store = store;
    this.#keptMs = keptMs;
  }

  /** The counts, of some seconds ago at most if the queue is not large. */
  read(): ReadonlyMap<State, number> {
    const fromMs = performance.now();
    if (this.#last === undefined) {
      this.#isOld = false;
      this.#done(this.#store.counts(), performance.now() - fromMs);
    } else if (!this.#isWalking && fromMs >= this.#goodUntilMs) {
      this.#isWalking = true;
      this.#isOld = false;
      this.#walk(new Map(), Number.MAX_SAFE_INTEGER, 0);
    }
    return this.#last!;
  }

  /** Who ordered something looks at once whether it is done. */
  expire(): void {
    this.#goodUntilMs = 0;
    this.#isOld = true;
  }

  /** Counts what is before message `high`. */
  #walk(sum: Counts, high: number, costMs: number): void {
    const fromMs = performance.now();
    const low = this.#store.lowerEnd(high, SLICE_ROWS);
    for (const [state, n] of this.#store.countsBetween(low, high)) {
      sum.set(state, (sum.get(state) ?? 0) + n);
    }
    const spentMs = costMs + performance.now() - fromMs;
    if (low === 0) return this.#done(sum, spentMs);
    this.#next = setImmediate(() => this.#walk(sum, low, spentMs));
  }

  /** Counts no more: the database is about to be closed. */
  stop(): void {
    clearImmediate(this.#next);
  }

  #done(counts: Counts, costMs: number): void {
    this.#last = counts;
    this.#isWalking = false;
    this.#goodUntilMs = this.#isOld
      ? 0
      : performance.now() + Math.max(this.#keptMs, costMs * KEPT_PER_COST);
  }
}
