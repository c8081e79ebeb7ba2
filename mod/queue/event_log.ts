/**
 * The history of deliveries, on its way to the disk. It gathers what happened
 * for a tenth of a second and writes it in one transaction of its own, so that
 * no accept waits for it. A crash loses what was gathered. A history that
 * cannot be written costs no mail: it is told in the log, kept in memory up to
 * a limit, and tried again.
 */
import { log } from "../core/log.ts";
import { type Event, inShort } from "./event.ts";
import type { EventStore } from "./event_store_io.ts";
import type { TlsRows } from "./tls_rows_io.ts";
import type { Scrubbed } from "./write_ahead_log_io.ts";

const GATHER_MS = 100;
/** Events in one transaction, so that none delays an accept for long. */
const BATCH = 64;
/** Events kept while they cannot be written; beyond it the oldest go. */
const MAX_HELD = 20_000;
/** Beyond so many they are kept without their sessions, which are long. */
const MAX_WHOLE = 2_000;
const AGAIN_MS = 2_000;

/** Events that only a message has that the queue took responsibility for. */
const PROVES: readonly Event["what"][] = [
  "delivered",
  "deferred",
  "failed",
  "duplicate",
  "expanded",
  "notified",
  "double-bounce",
  "released",
  "deleted",
];

/** What the history is allowed. */
export interface EventLimits {
  /** Time that an event is kept. */
  readonly keepMs: number;
  /** Octets that the database may use. */
  readonly maxBytes: number;
}

/** See the file's head. */
export class EventLog {
  readonly #open: () => EventStore;
  readonly #limits: () => EventLimits;
  readonly #nowMs: () => number;
  readonly #mayWrite: () => boolean;
  readonly #count: (name: string, by?: number) => void;
  #store: EventStore | undefined;
  #held: Event[] = [];
  #timer: ReturnType<typeof setTimeout> | undefined;
  #dropped = 0;
  #isFailing = false;
  #isClosed = false;
  /** The database's log may repeat what is forgotten; so it may at a start. */
  #isDirty = true;

  constructor(options: {
    /** @throws {Error} If the store cannot be used now */
    open: () => EventStore;
    limits: () => EventLimits;
    nowMs: () => number;
    /** False while the last room on the disk is for the mail. */
    mayWrite?: () => boolean;
    count?: (name: string, by?: number) => void;
  }) {
    this.#open = options.open;
    this.#limits = options.limits;
    this.#nowMs = options.nowMs;
    this.#mayWrite = options.mayWrite ?? (() => true);
    this.#count = options.count ?? (() => {});
  }

  /** Events dropped because they could not be written in time. */
  get dropped(): number {
    return this.#dropped;
  }

  /** Takes events over; returns at once. */
  add(events: readonly Event[]): void {
    if (events.length === 0) return;
    const isCrowded = this.#held.length >= MAX_WHOLE;
    this.#held.push(...isCrowded ? events.map(inShort) : events);
    this.#trim();
    if (this.#isClosed) return;
    const isFull = this.#held.length >= BATCH && !this.#isFailing;
    if (isFull) this.#schedule(0);
    else if (this.#timer === undefined) this.#schedule(GATHER_MS);
  }

  /**
   * True if a message of that id was tried, delivered or given up. That it was
   * accepted is no proof: what failed afterwards took that back. What is not
   * known counts as no: a message twice is better than none.
   */
  wasWorkedOn(queueId: string): boolean {
    return this.#held.some((event) =>
      event.queueId === queueId && PROVES.includes(event.what)
    ) || (this.#try((store) => store.tells(queueId, PROVES)) ?? false);
  }

  /** Replaces the history by an older program's; false if that failed. */
  takeOver(batches: Iterable<readonly Event[]>): boolean {
    return this.#try((store) => {
      store.replace(batches);
      return true;
    }) ?? false;
  }

  /** Writes all that is gathered; false if that failed. */
  flush(): boolean {
    while (this.#held.length > 0) {
      if (!this.#writeBatch()) return false;
    }
    return true;
  }

  /**
   * Removes what is too old or too much, a part at a time; calls itself again
   * while there is more.
   */
  forget(): void {
    if (this.#isClosed) return;
    const { keepMs, maxBytes } = this.#limits();
    const forgotten = this.#try((store) =>
      store.forget(this.#nowMs() - keepMs, maxBytes)
    );
    if (forgotten === undefined || forgotten === "none") return;
    this.#isDirty = true;
    if (forgotten === "more") setImmediate(() => this.forget());
  }

  /**
   * Looks something up, what is only gathered included; undefined if the store
   * fails.
   */
  look<T>(work: (store: EventStore) => T): T | undefined {
    if (this.#isClosed) return undefined;
    if (!this.#isFailing) this.flush();
    return this.#try(work);
  }

  /** Does something with the tallies for TLS reports; undefined if it failed. */
  tls<T>(work: (rows: TlsRows) => T): T | undefined {
    if (this.#isClosed || !this.#mayWrite()) return undefined;
    return this.#try((store) => {
      const done = work(store.tls);
      if (store.tls.takeForgotten()) this.#isDirty = true;
      return done;
    });
  }

  /** Overwrites what the database's log repeats of forgotten events. */
  async scrub(): Promise<void> {
    if (!this.#isDirty || this.#isClosed) return;
    this.#isDirty = false;
    const scrubbed = await this.#scrubbing();
    if (scrubbed !== "done") this.#isDirty = true;
  }

  /** Writes what is left and closes the database. */
  async close(): Promise<void> {
    if (this.#isClosed) return;
    clearTimeout(this.#timer);
    this.flush();
    await this.scrub();
    this.#isClosed = true;
    if (this.#store === undefined) return;
    // Closing gives the log's blocks back as they are.
    this.#try((store) => store.log.empty());
    this.#try((store) => store.close());
    this.#store = undefined;
  }

  async #scrubbing(): Promise<Scrubbed | undefined> {
    const store = this.#try((store) => store);
    try {
      return await store?.log.scrub();
    } catch (error) {
      // Closed or opened anew in the meantime: the next attempt is another's.
      if (store === this.#store) this.#failed(error);
      return undefined;
    }
  }

  #schedule(afterMs: number): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      if (!this.#writeBatch()) this.#schedule(AGAIN_MS);
      else if (this.#held.length > 0) {
        this.#schedule(this.#held.length >= BATCH ? 0 : GATHER_MS);
      }
    }, afterMs);
  }

  #writeBatch(): boolean {
    if (!this.#mayWrite()) return false;
    const batch = this.#held.slice(0, BATCH);
    const wrote = this.#try((store) => {
      store.write(batch);
      return true;
    });
    if (wrote === undefined) return false;
    this.#held.splice(0, batch.length);
    if (this.#isFailing) {
      this.#isFailing = false;
      log("events-recovered", { dropped: this.#dropped });
    }
    return true;
  }

  #trim(): void {
    const tooMany = this.#held.length - MAX_HELD;
    if (tooMany <= 0) return;
    this.#held.splice(0, tooMany);
    this.#dropped += tooMany;
    this.#count("events-dropped", tooMany);
  }

  /** Does something with the store; undefined if the store fails. */
  #try<T>(work: (store: EventStore) => T): T | undefined {
    try {
      this.#store ??= this.#open();
      return work(this.#store);
    } catch (error) {
      this.#failed(error);
      return undefined;
    }
  }

  #failed(error: unknown): void {
    // SQLite's errors and those of system calls bear a code; ours do not.
    if (!(error instanceof Error && "code" in error)) throw error;
    if (!this.#isFailing) log("events-failing", { why: error.message });
    this.#isFailing = true;
    const store = this.#store;
    this.#store = undefined;
    // A database that failed is opened anew, from what is on the disk.
    try {
      store?.close();
    } catch (second) {
      if (!(second instanceof Error && "code" in second)) throw second;
    }
  }
}
