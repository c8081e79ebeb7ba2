/**
 * When a role goes to rest: it did nothing for long enough, and keeps nothing
 * in memory that it would miss. Its process ends, and the supervisor starts
 * it again when somebody asks it (Postfix: max_idle, master(8)).
 */

/** Decides it; see the file's head. */
export class Idleness {
  readonly #nowMs: () => number;
  #sinceMs: number;
  #mayRest: (() => boolean) | undefined;
  #afterMs: () => number = () => 0;

  /** @param nowMs Monotonic */
  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
    this.#sinceMs = nowMs();
  }

  /** A role that never says this never rests. */
  allow(mayRest: () => boolean, atLeastMs: () => number): void {
    this.#mayRest = mayRest;
    this.#afterMs = atLeastMs;
  }

  /** True if it rests by its own leave, and not with another role. */
  get isAllowed(): boolean {
    return this.#mayRest !== undefined;
  }

  /** Something was asked or answered. */
  touch(): void {
    this.#sinceMs = this.#nowMs();
  }

  /**
   * True if it may rest now.
   *
   * @param afterMs What the configuration says; 0 for never
   */
  isOver(afterMs: number): boolean {
    if (afterMs === 0 || this.#mayRest === undefined) return false;
    const idleMs = this.#nowMs() - this.#sinceMs;
    return idleMs >= Math.max(afterMs, this.#afterMs()) && this.#mayRest();
  }
}
