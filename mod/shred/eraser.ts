/**
 * The order of the work: one file at a time, in the order of the asks, so that
 * an answer to one ask says that every earlier one for the same file is over
 * too, also one of a spool that has died since.
 *
 * And the journal: ext4 mounted with data=journal writes each octet twice, and
 * the copy in the journal stays until the journal has gone around. So what
 * must vanish (keys, addresses, contents) is gone only after as many octets as
 * the journal has were written since. An idle server would not write them for
 * days; so the last file of a burst is overwritten again and again until they
 * have been, every half minute at most. Its answer waits for that, unless the next
 * ask comes, which takes the duty over.
 */
import { log } from "../core/log.ts";
import type { Files } from "./files.ts";
import { overwrite, type Overwritten, ShredError } from "./overwrite.ts";

/** From the end of one wash to the begin of the next. */
const WASH_EVERY_MS = 30_000;

/** One ask. */
export interface Erasure {
  readonly path: string;
  readonly bytes: number;
  readonly restMs: number;
}

/** What came of it. */
export type Erased = Overwritten | { readonly refusal: "failed" | "unfit" };

/** See the file's head. */
export class Eraser {
  readonly #journalBytes: number;
  readonly #washEveryMs: number;
  readonly #files: Files | undefined;
  readonly #count: (name: string, by: number) => void;
  #last: Promise<unknown> = Promise.resolve();
  #waiting = 0;
  /** Octets that must still go through the journal. */
  #owed = 0;
  #washedMs = -Infinity;
  #nextAsked = Promise.withResolvers<void>();
  #isStopped = false;

  constructor(options: {
    journalBytes: number;
    count: (name: string, by: number) => void;
    /** @default {30_000} */
    washEveryMs?: number;
    files?: Files;
  }) {
    this.#journalBytes = options.journalBytes;
    this.#count = options.count;
    this.#washEveryMs = options.washEveryMs ?? WASH_EVERY_MS;
    this.#files = options.files;
  }

  /** Overwrites one file when those asked before are done. */
  erase(asked: Erasure): Promise<Erased> {
    // Keys and contents of before this ask are in the journal now.
    this.#owed = this.#journalBytes;
    this.#nextAsked.resolve();
    this.#waiting++;
    const erased = this.#last.then(() => {
      this.#waiting--;
      return this.#erase(asked);
    });
    this.#last = erased;
    return erased;
  }

  /** Ends what is under way at its next step. */
  stop(): void {
    this.#isStopped = true;
    this.#nextAsked.resolve();
  }

  async #erase(asked: Erasure): Promise<Erased> {
    try {
      const done = await this.#overwrite(asked);
      if (done.bytes !== asked.bytes) {
        throw new ShredError(
          "changed",
          `Cannot overwrite ${asked.path}: it has ${done.bytes} octets and ` +
            `not ${asked.bytes}; see who else writes there`,
        );
      }
      this.#count("overwritten", 1);
      this.#count("overwritten-octets", done.bytes);
      await this.#wash(asked);
      return done;
    } catch (error) {
      if (!(error instanceof ShredError)) throw error;
      this.#count("failed", 1);
      if (error.kind !== "stopped") {
        const { kind, message } = error;
        log("overwrite-failed", { kind, why: message, alarm: true });
      }
      return { refusal: error.kind === "unfit" ? "unfit" : "failed" };
    }
  }

  /** Overwrites until the journal has gone around or somebody else may. */
  async #wash(asked: Erasure): Promise<void> {
    if (asked.bytes === 0) return;
    while (this.#owed > 0 && this.#isAlone()) {
      await this.#washTime();
      if (!this.#isAlone()) return;
      const passes = Math.ceil(this.#owed / asked.bytes);
      for (let pass = 0; pass < passes && this.#isAlone(); pass++) {
        await this.#overwrite(asked);
        this.#count("washed-octets", asked.bytes);
      }
      this.#washedMs = performance.now();
    }
  }

  #isAlone(): boolean {
    return this.#waiting === 0 && !this.#isStopped;
  }

  /** Half a minute after the last wash, or when the next ask comes. */
  async #washTime(): Promise<void> {
    const inMs = this.#washedMs + this.#washEveryMs - performance.now();
    if (inMs <= 0) return;
    this.#nextAsked = Promise.withResolvers<void>();
    const timer = setTimeout(this.#nextAsked.resolve, inMs);
    await this.#nextAsked.promise;
    clearTimeout(timer);
  }

  async #overwrite({ path, restMs }: Erasure): Promise<Overwritten> {
    const done = await overwrite(path, {
      isStopped: () => this.#isStopped,
      pace: () => new Promise((resolve) => setTimeout(resolve, restMs)),
      ...(this.#files ? { files: this.#files } : {}),
    });
    this.#owed = Math.max(0, this.#owed - done.bytes);
    return done;
  }
}
