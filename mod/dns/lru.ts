/** A map that forgets what was not used for longest when it grows too heavy. */
export class Lru<V> {
  readonly #entries = new Map<string, { value: V; weight: number }>();
  readonly #maxWeight: number;
  #weight = 0;

  /** @param maxWeight In whatever unit `set` is told, such as octets */
  constructor(maxWeight: number) {
    this.#maxWeight = maxWeight;
  }

  /** Entries kept. */
  get size(): number {
    return this.#entries.size;
  }

  /** What is kept under a key, which counts as used now. */
  get(key: string): V | undefined {
    const entry = this.#entries.get(key);
    if (entry === undefined) return undefined;
    this.#entries.delete(key);
    this.#entries.set(key, entry);
    return entry.value;
  }

  /** Keeps a value; one heavier than everything may be is not kept. */
  set(key: string, value: V, weight: number): void {
    this.delete(key);
    if (weight > this.#maxWeight) return;
    this.#entries.set(key, { value, weight });
    this.#weight += weight;
    for (const oldest of this.#entries.keys()) {
      if (this.#weight <= this.#maxWeight) return;
      this.delete(oldest);
    }
  }

  /** Forgets one. */
  delete(key: string): void {
    const entry = this.#entries.get(key);
    if (entry === undefined) return;
    this.#entries.delete(key);
    this.#weight -= entry.weight;
  }

  /** Forgets all. */
  clear(): void {
    this.#entries.clear();
    this.#weight = 0;
  }
}
