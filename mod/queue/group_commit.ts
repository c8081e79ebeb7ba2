/**
 * Shares disk syncs: whatever arrives while a round is under way goes into the
 * next. A round writes its key slots and begins their sync in a thread,
 * commits its rows, and syncs SQLite's log; when both syncs are done, it
 * answers. While two rounds sync, a third only collects.
 *
 * What each kind of work is promised:
 * - `accept`: key slot and rows on disk, or refused and undone
 * - `write`: retried until it is committed; nobody hears of a failure
 * - `ride`: like `write`, but in no hurry: it costs no sync of its own
 * - `putKey`, `wipeKey`: slot on disk or false, and that slot is never used
 *   again by this process, because a failed sync is never asked twice
 *
 * While the database fails, accepts are refused, everything else waits, and
 * the oldest waiting work is tried again every second.
 */
import { faultOf, type Refusal } from "./fault_io.ts";
import type { KeyFile } from "./keys_io.ts";
import type { LogSync } from "./log_sync_io.ts";
import type { Store } from "./store_io.ts";

/** Writes in one transaction, so that a flood of outcomes delays no accept. */
const MAX_WRITES = 2_000;
const RIDE_MS = 1_000;
/**
 * What nobody waits for with a client at the line (outcomes, destroyed keys)
 * lingers this long for an accept to share its syncs with. At one message
 * after another that halves the commits. The price is in README.md: the
 * window in which a crash delivers twice is longer by as much.
 */
const LINGER_MS = 8;
/** More than a few share a commit already, and a crash would repeat them all. */
const MAX_LINGERING = 4;
const RETRY_MS = 1_000;
/** More would make the rounds small and many. */
const MAX_ROUNDS = 2;

/** `unsafe`: the rows are committed, the key is not on disk; undo them. */
export type AcceptVerdict = "done" | "unsafe" | Refusal;

/** Statements to run inside a transaction; may run again after a rollback. */
export type Work = () => void;

interface Accept {
  readonly slot: number;
  readonly id: string;
  readonly key: Uint8Array;
  readonly work: Work;
  readonly resolve: (verdict: AcceptVerdict) => void;
}

interface Write {
  readonly work: Work;
  readonly resolve: () => void;
}

interface Slot {
  readonly slot: number;
  /** What to write; undefined wipes. */
  readonly content:
    | { readonly id: string; readonly key: Uint8Array }
    | undefined;
  readonly resolve: (isSafe: boolean) => void;
}

/** The one writer of database and key file. */
export class GroupCommit {
  readonly #store: Pick<Store, "transaction">;
  readonly #keys: Pick<KeyFile, "write" | "wipe" | "sync" | "free">;
  readonly #log: Pick<LogSync, "sync" | "syncHere">;
  readonly #onFault: (refusal: Refusal, why: string) => void;
  readonly #onLost: () => void;
  readonly #probe: Work;
  #accepts: Accept[] = [];
  #writes: Write[] = [];
  #rides: Work[] = [];
  #slots: Slot[] = [];
  #isScheduled = false;
  #lingering: ReturnType<typeof setTimeout> | undefined;
  #rounds = 0;
  #rideTimer: ReturnType<typeof setTimeout> | undefined;
  #retryTimer: ReturnType<typeof setTimeout> | undefined;
  #commits = 0;
  #isStopping = false;
  #isClosed = false;
  #failing: Refusal | undefined;
  #onRecovered: () => void = () => {};

  constructor(options: {
    store: Pick<Store, "transaction">;
    keys: Pick<KeyFile, "write" | "wipe" | "sync" | "free">;
    log: Pick<LogSync, "sync" | "syncHere">;
    /** Told of every failure of the environment. */
    onFault: (refusal: Refusal, why: string) => void;
    /**
     * The log failed to sync: the process must end, see `log_sync_io.ts`.
     * Nobody is answered any more.
     */
    onLost: () => void;
    /** Changes something, to find out whether the database works again. */
    probe: Work;
  }) {
    this.#store = options.store;
    this.#keys = options.keys;
    this.#log = options.log;
    this.#onFault = options.onFault;
    this.#onLost = options.onLost;
    this.#probe = options.probe;
  }

  /** Transactions committed so far. */
  get commits(): number {
    return this.#commits;
  }

  /** Why nothing can be committed at the moment; undefined if all is well. */
  get failing(): Refusal | undefined {
    return this.#isStopping ? "unhealthy" : this.#failing;
  }

  /** Called when the database works again after it failed. */
  set onRecovered(then: () => void) {
    this.#onRecovered = then;
  }

  /** Puts a key into its slot and rows into the database: both, or neither. */
  accept(what: {
    slot: number;
    id: string;
    key: Uint8Array;
    work: Work;
  }): Promise<AcceptVerdict> {
    if (this.failing !== undefined) {
      this.#keys.free(what.slot);
      return Promise.resolve(this.failing);
    }
    return new Promise((resolve) => {
      this.#accepts.push({ ...what, resolve });
      this.#schedule();
    });
  }

  /** Resolves when `work` is committed, however long that takes. */
  write(work: Work): Promise<void> {
    return new Promise((resolve) => {
      this.#writes.push({ work, resolve });
      this.#scheduleNext();
    });
  }

  /** Commits `work` with whatever is committed next, or within a second. */
  ride(work: Work): void {
    this.#rides.push(work);
    if (this.#isClosed) return;
    this.#rideTimer ??= setTimeout(() => {
      this.#rideTimer = undefined;
      this.#schedule();
    }, RIDE_MS);
  }

  /** Writes a key; true when it is on disk. */
  putKey(slot: number, id: string, key: Uint8Array): Promise<boolean> {
    return this.#slot(slot, { id, key });
  }

  /**
   * Destroys a key; true when the disk has forgotten it, and the slot is free.
   */
  wipeKey(slot: number): Promise<boolean> {
    return this.#slot(slot, undefined);
  }

  /**
   * Commits all that waits, unless the database fails, and then nothing ever
   * again: what comes later is left to the next start. For an orderly stop.
   */
  async drain(): Promise<void> {
    this.#isStopping = true;
    while (
      !this.#isClosed &&
      (this.#rounds > 0 || (this.#failing === undefined && this.#hasWork()))
    ) {
      if (this.#rounds === 0) await this.#round();
      else await new Promise((resolve) => setImmediate(resolve));
    }
    this.#isClosed = true;
    clearTimeout(this.#rideTimer);
    clearTimeout(this.#retryTimer);
    clearTimeout(this.#lingering);
  }

  #slot(slot: number, content: Slot["content"]): Promise<boolean> {
    return new Promise((resolve) => {
      this.#slots.push({ slot, content, resolve });
      this.#scheduleNext();
    });
  }

  #hasWork(): boolean {
    return this.#accepts.length + this.#writes.length + this.#rides.length +
        this.#slots.length > 0;
  }

  /** Runs a round: now if an accept waits for it, else in a moment. */
  #scheduleNext(): void {
    const isUrgent = this.#accepts.length > 0 ||
      this.#writes.length + this.#slots.length > MAX_LINGERING ||
      this.#slots.some(({ content }) => content !== undefined);
    if (isUrgent || this.#failing !== undefined) return this.#schedule();
    if (this.#isScheduled || this.#isBusy()) return;
    this.#lingering ??= setTimeout(() => this.#schedule(), LINGER_MS);
  }

  // setImmediate and not a microtask: everything that the sockets have ready
  // in this turn of the event loop joins the round.
  #schedule(): void {
    clearTimeout(this.#lingering);
    this.#lingering = undefined;
    if (this.#isScheduled || this.#isBusy()) return;
    this.#isScheduled = true;
    setImmediate(() => {
      this.#isScheduled = false;
      this.#run();
    });
  }

  #isBusy(): boolean {
    return this.#rounds >= MAX_ROUNDS;
  }

  #run(): void {
    if (this.#isBusy() || this.#isClosed) return;
    this.#round().then(() => this.#goOn());
    // What was too much for one transaction.
    this.#goOn();
  }

  #goOn(): void {
    if (this.#accepts.length + this.#slots.length > 0) this.#scheduleNext();
    else if (this.#failing === undefined) {
      if (this.#writes.length > 0) this.#scheduleNext();
    } else if (this.#retryTimer === undefined) {
      // It ran out while every round was held up.
      this.#schedule();
    }
  }

  /** One round: slots written, sync begun, rows committed, syncs awaited. */
  async #round(): Promise<void> {
    const isAlone = this.#rounds++ === 0 && this.#accepts.length <= 1;
    const accepts = this.#accepts;
    const slots = this.#slots;
    this.#accepts = [];
    this.#slots = [];
    const written = this.#writeSlots(accepts, slots);
    const syncs = accepts.length + slots.length > 0;
    const synced = syncs ? this.#keys.sync() : Promise.resolve(true);
    const { committed, writes } = this.#commit(accepts);
    // A lone message's client waits for nothing else; a thread would only be
    // one more to wake.
    const logged = committed !== "done"
      ? true
      : isAlone
      ? this.#log.syncHere()
      : this.#log.sync();
    const isSafe = await synced && written;
    const isLogged = await logged;
    if (!isLogged) return this.#lost();
    this.#rounds--;
    if (!isSafe) this.#onFault("unhealthy", "the key file failed to sync");
    for (const { resolve } of writes) resolve();
    this.#answerSlots(slots, isSafe);
    this.#answerAccepts(accepts, committed, isSafe);
  }

  #lost(): void {
    this.#isClosed = true;
    this.#onLost();
  }

  /** Writes all slots of a round in place; false if one could not be. */
  #writeSlots(accepts: readonly Accept[], slots: readonly Slot[]): boolean {
    try {
      for (const { slot, content } of slots) {
        if (content === undefined) this.#keys.wipe(slot);
        else this.#keys.write(slot, content.id, content.key);
      }
      for (const { slot, id, key } of accepts) this.#keys.write(slot, id, key);
      return true;
    } catch (error) {
      faultOf(error); // rethrows what is our own bug
      return false;
    }
  }

  #answerSlots(slots: readonly Slot[], isSafe: boolean): void {
    for (const { slot, content, resolve } of slots) {
      if (isSafe && content === undefined) this.#keys.free(slot);
      resolve(isSafe);
    }
  }

  #answerAccepts(
    accepts: readonly Accept[],
    committed: "done" | "nothing" | Refusal,
    isSafe: boolean,
  ): void {
    for (const { slot, key, resolve } of accepts) {
      key.fill(0);
      if (committed === "done" || committed === "nothing") {
        resolve(isSafe ? "done" : "unsafe");
      } else {
        // No row speaks of it: the start-up sweep would find it, too.
        if (isSafe) void this.wipeKey(slot);
        resolve(committed);
      }
    }
  }

  /** Commits the accepts and as much of the rest as fits in a transaction. */
  #commit(
    accepts: readonly Accept[],
  ): { committed: "done" | "nothing" | Refusal; writes: readonly Write[] } {
    const isProbe = this.#failing !== undefined;
    const writes = this.#writes.splice(0, MAX_WRITES);
    const rides = this.#rides.splice(0, MAX_WRITES);
    if (accepts.length + writes.length + rides.length === 0 && !isProbe) {
      return { committed: "nothing", writes };
    }
    try {
      this.#store.transaction(() => {
        for (const { work } of accepts) work();
        for (const { work } of writes) work();
        for (const work of rides) work();
        if (isProbe) this.#probe();
      });
    } catch (error) {
      const refusal = faultOf(error);
      const why = error instanceof Error ? error.message : String(error);
      this.#onFault(refusal, why);
      this.#writes = [...writes, ...this.#writes];
      this.#rides = [...rides, ...this.#rides];
      this.#failing = refusal;
      this.#retryTimer ??= setTimeout(() => {
        this.#retryTimer = undefined;
        this.#schedule();
      }, RETRY_MS);
      return { committed: refusal, writes: [] };
    }
    this.#commits++;
    if (this.#failing !== undefined) {
      this.#failing = undefined;
      this.#onRecovered();
    }
    if (this.#rides.length > 0) this.#schedule();
    return { committed: "done", writes };
  }
}
