/**
 * When the file system's journal keeps copies of contents, shred writes it
 * round with whatever it overwrites. Where nothing is spent, because another
 * record keeps its segment in use, it must be given something for the
 * journal's sake alone: soon after records were released, and once more later,
 * when the queue has forgotten the addresses and what it wrote meanwhile has
 * gone through the journal, too.
 */

/** The second time, in idle times after the last release: a minute, if that is 20 s. */
const LAST_AFTER = 3;

/** See the file's head. */
export class JournalWash {
  readonly #handOver: () => boolean;
  readonly #nowMs: () => number;
  readonly #idleMs: number;
  #soon: ReturnType<typeof setTimeout> | undefined;
  #last: ReturnType<typeof setTimeout> | undefined;
  #releasedMs = -Infinity;
  #spentMs = -Infinity;

  constructor(options: {
    /** Gives shred a segment that nobody needs; false if there is none. */
    handOver: () => boolean;
    nowMs: () => number;
    /** From a release to the first time. */
    idleMs: number;
  }) {
    this.#handOver = options.handOver;
    this.#nowMs = options.nowMs;
    this.#idleMs = options.idleMs;
  }

  /** Records are done with, and their keys destroyed. */
  released(): void {
    this.#releasedMs = this.#nowMs();
    this.#soon ??= setTimeout(() => this.#wash(), this.#idleMs);
    clearTimeout(this.#last);
    this.#last = setTimeout(() => {
      clearTimeout(this.#soon);
      this.#releasedMs = this.#nowMs();
      this.#wash();
    }, LAST_AFTER * this.#idleMs);
  }

  /** Shred was given something, for whatever reason. */
  spent(): void {
    this.#spentMs = this.#nowMs();
  }

  /** Asks for nothing more. */
  close(): void {
    clearTimeout(this.#soon);
    clearTimeout(this.#last);
  }

  #wash(): void {
    this.#soon = undefined;
    if (this.#spentMs >= this.#releasedMs || this.#handOver()) return;
    // Mail needs them more, and those on their way from shred wash as well.
    this.#soon = setTimeout(() => this.#wash(), this.#idleMs);
  }
}
