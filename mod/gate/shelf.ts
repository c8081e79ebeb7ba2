/**
 * What is remembered by key for a time: bounded in memory, and handed out for
 * writing late and in batches. What was not written when the role dies is
 * forgotten, and a client is tested once more. Pure; time is a parameter.
 */

/** One change to be written; without a value the key is gone. */
export interface Change<V> {
  readonly key: string;
  readonly untilMs: number;
  readonly value: V | undefined;
}

interface Entry<V> {
  readonly value: V;
  readonly untilMs: number;
  /** An earlier value of it may be on the disk. */
  isWritten: boolean;
}

/** Keys looked at in one call of {@link Shelf.sweep}. */
const SWEPT_AT_ONCE = 1_000;

/** One kind of memory. */
export class Shelf<V> {
  readonly #max: number;
  // In order of use: the first is the one seen longest ago.
  readonly #entries = new Map<string, Entry<V>>();
  readonly #changed = new Set<string>();
  #sweeping: IterableIterator<string> | undefined;

  /** @param max Most entries; beyond it those seen longest ago go */
  constructor(max: number) {
    this.#max = max;
  }

  get size(): number {
    return this.#entries.size;
  }

  /** Keys whose change is not written yet. */
  get waiting(): number {
    return this.#changed.size;
  }

  /** The value of a key, if it is not over. */
  get(key: string, nowMs: number): V | undefined {
    const entry = this.#entries.get(key);
    if (entry === undefined) return undefined;
    if (entry.untilMs <= nowMs) {
      this.delete(key);
      return undefined;
    }
    this.#entries.delete(key);
    this.#entries.set(key, entry);
    return entry.value;
  }

  /** Remembers a value until `untilMs`. */
  set(key: string, value: V, untilMs: number): void {
    const isWritten = this.#entries.get(key)?.isWritten ??
      this.#changed.has(key);
    this.#entries.delete(key);
    this.#entries.set(key, { value, untilMs, isWritten });
    this.#changed.add(key);
    if (this.#entries.size > this.#max) {
      this.delete(this.#entries.keys().next().value!);
    }
  }

  /**
   * Forgets a key. What was never written needs no writing now: or whoever
   * makes entries faster than they are written would fill the memory.
   */
  delete(key: string): void {
    const entry = this.#entries.get(key);
    if (entry === undefined) return;
    this.#entries.delete(key);
    if (entry.isWritten) this.#changed.add(key);
    else this.#changed.delete(key);
  }

  /** Takes in what was written earlier; it needs no writing. */
  restore(key: string, value: V, untilMs: number): void {
    if (this.#entries.size < this.#max) {
      this.#entries.set(key, { value, untilMs, isWritten: true });
    }
  }

  /** Forgets some of what is over; called again and again. */
  sweep(nowMs: number): void {
    this.#sweeping ??= this.#entries.keys();
    for (let n = 0; n < SWEPT_AT_ONCE; n++) {
      const next = this.#sweeping.next();
      if (next.done === true) {
        this.#sweeping = undefined;
        return;
      }
      const entry = this.#entries.get(next.value);
      if (entry !== undefined && entry.untilMs <= nowMs) {
        this.delete(next.value);
      }
    }
  }

  /** The next changes to write; they count as written. */
  take(max: number): Change<V>[] {
    const changes: Change<V>[] = [];
    for (const key of this.#changed) {
      if (changes.length === max) break;
      this.#changed.delete(key);
      const entry = this.#entries.get(key);
      if (entry !== undefined) entry.isWritten = true;
      changes.push({
        key,
        untilMs: entry?.untilMs ?? 0,
        value: entry?.value,
      });
    }
    return changes;
  }

  /** Takes changes back that could not be written. */
  giveBack(changes: readonly Change<V>[]): void {
    for (const { key } of changes) this.#changed.add(key);
  }

  /** All keys and values, for tests and for forgetting a network. */
  *[Symbol.iterator](): IterableIterator<[string, V]> {
    for (const [key, { value }] of this.#entries) yield [key, value];
  }
}
