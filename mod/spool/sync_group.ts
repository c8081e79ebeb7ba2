/**
 * Group commit: one sync for everything that was written before it began.
 *
 * A sync runs at once when nothing else does, so a lone message never waits
 * for company; what is written while one runs is covered by the next, however
 * much it is. No timer: the disk itself is the pace.
 *
 * A sync that only one message waits for is made in place: the way to a thread
 * and back would wake a processor twice.
 */
import type { Fault } from "./disk.ts";

/**
 * What became of octets that were written.
 *
 * - `on-disk`: a sync that began after they were written succeeded
 * - `lost`: that sync failed. They may be on disk or not, now or later: a
 *   second sync of the same file would prove nothing, since the kernel reports
 *   a failure once and calls the pages clean
 */
export type Durability = "on-disk" | "lost";

interface Batch {
  readonly promise: Promise<Durability>;
  readonly resolve: (what: Durability) => void;
}

/** The syncs of one file or directory. After a failure it is of no more use. */
export class SyncGroup {
  readonly #sync: () => Promise<Fault | undefined>;
  readonly #syncHere: (() => Fault | undefined) | undefined;
  readonly #isAlone: () => boolean;
  readonly #onStart: () => void;
  readonly #onFault: (fault: Fault) => void;
  readonly #onIdle: () => void;
  #next: Batch | undefined;
  #running = false;
  #failed = false;

  constructor(options: {
    sync: () => Promise<Fault | undefined>;
    /** The same, while everything else waits. */
    syncHere?: () => Fault | undefined;
    /** True if nobody else would wait: then {@link syncHere} is used. */
    isAlone?: () => boolean;
    /** Called right before each sync: what is written later is not covered. */
    onStart?: () => void;
    /** Called once, after the waiters of the failed sync were told. */
    onFault: (fault: Fault) => void;
    /** Called whenever nothing runs or waits any more. */
    onIdle?: () => void;
  }) {
    this.#sync = options.sync;
    this.#syncHere = options.syncHere;
    this.#isAlone = options.isAlone ?? (() => false);
    this.#onStart = options.onStart ?? (() => {});
    this.#onFault = options.onFault;
    this.#onIdle = options.onIdle ?? (() => {});
  }

  /** True while a sync runs or is about to. */
  get isBusy(): boolean {
    return this.#running;
  }

  /** Has all that is written by now synced; resolves when it is known. */
  written(): Promise<Durability> {
    if (this.#failed) return Promise.resolve("lost");
    if (this.#next === undefined) {
      this.#next = Promise.withResolvers<Durability>();
      if (!this.#running) {
        this.#running = true;
        // A microtask, so that what one read of a socket brought shares it.
        queueMicrotask(() => this.#run());
      }
    }
    return this.#next.promise;
  }

  /**
   * Gives up all that no sync has begun to cover: a write failed, and nobody
   * knows what else the disk dropped. A sync under way still decides about its
   * own.
   */
  fail(): void {
    this.#failed = true;
    this.#next?.resolve("lost");
    this.#next = undefined;
  }

  async #run(): Promise<void> {
    while (this.#next !== undefined) {
      const batch = this.#next;
      this.#next = undefined;
      this.#onStart();
      const fault = this.#syncHere !== undefined && this.#isAlone()
        ? this.#syncHere()
        : await this.#sync();
      if (fault === undefined) {
        batch.resolve("on-disk");
        continue;
      }
      this.fail();
      batch.resolve("lost");
      this.#onFault(fault);
    }
    this.#running = false;
    this.#onIdle();
  }
}
