/**
 * Counts failures by name, in bounded memory. Each count leaks: after
 * `limit` failures at once, one more is allowed every `windowMs / limit`, and
 * after `windowMs` without any it is forgotten.
 */

/** Bounds of one kind of count. */
export interface FailureLimit {
  /** Failures at once before it is full. */
  readonly limit: number;
  /** Time in which as many leak away. */
  readonly windowMs: number;
  /** Names kept; beyond, the one that failed longest ago goes. */
  readonly maxNames: number;
}

interface Count {
  readonly level: number;
  readonly atMs: number;
}

/** See the file's header. */
export class FailureCounts {
  readonly #bounds: FailureLimit;
  /** In the order of their last failure. */
  readonly #counts = new Map<string, Count>();

  constructor(bounds: FailureLimit) {
    this.#bounds = bounds;
  }

  /** Names kept now. */
  get size(): number {
    return this.#counts.size;
  }

  /** Milliseconds until another failure has room; 0 if it has now. */
  fullForMs(name: string, nowMs: number): number {
    const { limit, windowMs } = this.#bounds;
    const over = this.#levelOf(name, nowMs) + 1 - limit;
    return over <= 0 ? 0 : Math.ceil(over * windowMs / limit);
  }

  /** Counts a failure. */
  add(name: string, nowMs: number): void {
    const level = this.#levelOf(name, nowMs) + 1;
    // Taken out first, so that it goes to the end of the order.
    this.#counts.delete(name);
    this.#counts.set(name, { level, atMs: nowMs });
    if (this.#counts.size > this.#bounds.maxNames) {
      const oldest = this.#counts.keys().next().value;
      if (oldest !== undefined) this.#counts.delete(oldest);
    }
  }

  /** Forgets a name's failures. */
  clear(name: string): void {
    this.#counts.delete(name);
  }

  /** Names that are full, at most `most`, the latest first. */
  full(nowMs: number, most: number): string[] {
    const names: string[] = [];
    for (const name of [...this.#counts.keys()].reverse()) {
      if (names.length >= most) break;
      if (this.fullForMs(name, nowMs) > 0) names.push(name);
    }
    return names;
  }

  #levelOf(name: string, nowMs: number): number {
    const count = this.#counts.get(name);
    if (count === undefined) return 0;
    const { limit, windowMs } = this.#bounds;
    // A clock that was set back leaks nothing, and adds nothing.
    const passedMs = Math.max(0, nowMs - count.atMs);
    return Math.max(0, count.level - passedMs * limit / windowMs);
  }
}
