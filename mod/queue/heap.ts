/** A priority queue: the smallest key first, equal keys in order of arrival. */

interface Entry<T> {
  readonly key: number;
  readonly seq: number;
  readonly value: T;
}

/** A binary heap. `push` and `pop` take logarithmic time. */
export class Heap<T> {
  readonly #entries: Entry<T>[] = [];
  #seq = 0;

  /** Values held. */
  get size(): number {
    return this.#entries.length;
  }

  /** The smallest key, or undefined if empty. */
  get firstKey(): number | undefined {
    return this.#entries[0]?.key;
  }

  /** Keys and values, in no order. */
  *entries(): Generator<readonly [number, T]> {
    for (const { key, value } of this.#entries) yield [key, value];
  }

  /** Adds a value. */
  push(key: number, value: T): void {
    const entries = this.#entries;
    const entry = { key, seq: this.#seq++, value };
    let at = entries.length;
    entries.push(entry);
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!isBefore(entry, entries[parent]!)) break;
      entries[at] = entries[parent]!;
      at = parent;
    }
    entries[at] = entry;
  }

  /** Removes and returns the value with the smallest key. */
  pop(): T | undefined {
    const entries = this.#entries;
    const first = entries[0];
    const last = entries.pop();
    if (first === undefined || last === undefined) return undefined;
    if (entries.length > 0) this.#sink(last);
    return first.value;
  }

  #sink(entry: Entry<T>): void {
    const entries = this.#entries;
    let at = 0;
    while (true) {
      let child = 2 * at + 1;
      if (child >= entries.length) break;
      if (
        child + 1 < entries.length &&
        isBefore(entries[child + 1]!, entries[child]!)
      ) child++;
      if (!isBefore(entries[child]!, entry)) break;
      entries[at] = entries[child]!;
      at = child;
    }
    entries[at] = entry;
  }
}

function isBefore<T>(a: Entry<T>, b: Entry<T>): boolean {
  return a.key < b.key || (a.key === b.key && a.seq < b.seq);
}
