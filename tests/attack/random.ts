/**
 * Randomness that can be told again: all of it follows from one number, so a
 * seed that is printed is a failure that can be seen once more.
 */

/** A source of numbers that follow from a seed. */
export class Random {
  #state: number;

  /** @param seed Any integer; only its lower 32 bits count */
  constructor(seed: number) {
    this.#state = seed | 0;
  }

  /** A source for one of many: the neighbours of a seed have nothing in common. */
  static of(seed: number, index: number): Random {
    const mixed = Math.imul(seed ^ 0x9e3779b9, 0x85ebca6b) ^
      Math.imul(index + 1, 0xc2b2ae35);
    const random = new Random(mixed);
    random.below(2);
    random.below(2);
    return random;
  }

  /** An integer in [0, limit). */
  below(limit: number): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), this.#state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return Math.floor(((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32 * limit);
  }

  /** True once in `times`. */
  onceIn(times: number): boolean {
    return this.below(times) === 0;
  }

  /** One of a list that is not empty. */
  pick<T>(of: readonly T[]): T {
    return of[this.below(of.length)]!;
  }
}
