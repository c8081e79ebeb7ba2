/**
 * Groups asks into syncs: all that wait when a sync begins share it, and an
 * ask that comes while one runs waits for the next, because the running one
 * may already have passed over what that asker wrote.
 */

/** Runs one sync at a time and tells each asker whether its own succeeded. */
export class SyncTurns {
  readonly #sync: () => Promise<boolean>;
  #waiting: ((synced: boolean) => void)[] = [];
  #isRunning = false;

  /** @param sync Syncs the file system; false if that failed */
  constructor(sync: () => Promise<boolean>) {
    this.#sync = sync;
  }

  /** Calls `then` once, after a sync that began after this call. */
  ask(then: (synced: boolean) => void): void {
    this.#waiting.push(then);
    if (!this.#isRunning) this.#run();
  }

  async #run(): Promise<void> {
    this.#isRunning = true;
    while (this.#waiting.length > 0) {
      // One turn of the microtask queue: octets that came in one read share.
      await Promise.resolve();
      const turn = this.#waiting;
      this.#waiting = [];
      const synced = await this.#sync();
      for (const then of turn) then(synced);
    }
    this.#isRunning = false;
  }
}
