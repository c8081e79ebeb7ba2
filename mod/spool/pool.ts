/**
 * The segments: files of one size, written full once before their first use,
 * so that a record overwrites blocks that exist and its sync moves no metadata
 * (measured on journaled ext4: two to four times the syncs a second).
 *
 *     STATE     WHAT IS TRUE                          LEAVES IT BY
 *     found     was there at our start; not written   settle
 *     ready     free, its name never used before      #openNext
 *     current   records are written to it             #close, #retire
 *     closed    full; perhaps a sync still runs       settle, #retire
 *     spent     nobody's; becomes ready again         #renew
 *     retired   a write or sync failed; read only     settle (removed)
 *
 * `settle` lets nothing go that {@link Ledger.isLive} says is in use.
 */
import { log } from "../core/log.ts";
import type { Disk, Fault } from "./disk.ts";
import { attempt, attemptAsync } from "./disk_io.ts";
import type { Health } from "./health.ts";
import { newName, retiredMark, segmentFile } from "./names.ts";
import { OpenSegment, type Written } from "./open_segment.ts";
import { prepareSegment } from "./prepare_segment.ts";
import type { Room } from "./room.ts";

/** The states; see the file's head. */
export const SEGMENT_STATES = [
  "found",
  "ready",
  "current",
  "closed",
  "spent",
  "retired",
] as const;

interface Segment {
  state: typeof SEGMENT_STATES[number];
  readonly bytes: number;
  open?: OpenSegment;
}

/** A record's place. */
export interface Placed extends Written {
  readonly segment: string;
}

/** The pool; see the file's head. */
export class Pool {
  readonly #disk: Disk;
  readonly #room: Room;
  readonly #health: Health;
  readonly #isLive: (segment: string) => boolean;
  readonly #isAlone: () => boolean;
  readonly #segmentBytes: number;
  readonly #readySegments: number;
  readonly #againMs: number;
  readonly #segments = new Map<string, Segment>();
  readonly #ready: string[] = [];
  #spent: string[] = [];
  #current: OpenSegment | undefined;
  #isAccounted = false;
  #isClosed = false;
  #working: Promise<void> | undefined;
  #retry: ReturnType<typeof setTimeout> | undefined;
  #waiters: (() => void)[] = [];

  constructor(options: {
    disk: Disk;
    room: Room;
    health: Health;
    isLive: (segment: string) => boolean;
    /** True if only one message is on its way. */
    isAlone: () => boolean;
    segmentBytes: number;
    readySegments: number;
    /** After a failed preparation, the next attempt. */
    againMs: number;
  }) {
    this.#disk = options.disk;
    this.#room = options.room;
    this.#health = options.health;
    this.#isLive = options.isLive;
    this.#isAlone = options.isAlone;
    this.#segmentBytes = options.segmentBytes;
    this.#readySegments = options.readySegments;
    this.#againMs = options.againMs;
  }

  /** Segments ready for use. */
  get readyCount(): number {
    return this.#ready.length;
  }

  /** True if there is such a segment. */
  has(segment: string): boolean {
    return this.#segments.has(segment);
  }

  /** Enters a segment that was there at the start. */
  found(
    segment: string,
    about: { bytes: number; isRetired: boolean },
  ): void {
    const state = about.isRetired ? "retired" : "found";
    this.#segments.set(segment, { state, bytes: about.bytes });
    this.#room.count(about.bytes);
  }

  /** The ledger is complete, for the first time or anew. */
  settleAll(): void {
    this.#isAccounted = true;
    for (const segment of [...this.#segments.keys()]) this.settle(segment);
    this.#work();
  }

  /** A record of the segment is gone: the last one frees it. */
  settle(segment: string): void {
    const held = this.#segments.get(segment);
    if (held === undefined || !this.#isAccounted || this.#isClosed) return;
    if (held.open !== undefined || this.#isLive(segment)) return;
    switch (held.state) {
      case "found":
      case "closed":
        held.state = "spent";
        this.#spent.push(segment);
        this.#work();
        return;
      case "retired":
        this.#remove(segment, held);
        return;
      case "ready":
      case "current":
      case "spent":
        return;
    }
  }

  /**
   * Writes a record into the current segment or the next one.
   *
   * @param record At most a segment's octets: a larger one finds no place ever
   * @returns `none` if no segment is ready now, see {@link Pool.available}
   */
  write(record: Uint8Array): Placed | Fault | "none" {
    if (record.length > this.#segmentBytes) {
      throw new RangeError(`Cannot place record of ${record.length} octets`);
    }
    while (true) {
      const current = this.#current ?? this.#openNext();
      if (typeof current === "string") return current;
      if (!current.fits(record.length)) {
        this.#close(current, "closed");
        continue;
      }
      const written = current.write(record);
      if (typeof written !== "string") {
        return { segment: current.name, ...written };
      }
      if (written === "failed") {
        current.fail();
        this.#retire(current, "write");
      }
      return written;
    }
  }

  /** Resolves when a segment is ready, or, false, at the time limit. */
  available(withinMs: number): Promise<boolean> {
    if (this.#ready.length > 0) return Promise.resolve(true);
    this.#work();
    // Nothing under way that could end the wait.
    if (this.#working === undefined) return Promise.resolve(false);
    const { promise, resolve } = Promise.withResolvers<boolean>();
    const timer = setTimeout(() => resolve(false), withinMs);
    this.#waiters.push(() => {
      clearTimeout(timer);
      resolve(this.#ready.length > 0);
    });
    return promise;
  }

  /** Stops; resolves when the work under way has ended. */
  async close(): Promise<void> {
    this.#isClosed = true;
    clearTimeout(this.#retry);
    if (this.#current) this.#close(this.#current, "closed");
    await this.#working;
  }

  #openNext(): OpenSegment | Fault | "none" {
    const name = this.#ready[0];
    if (name === undefined) {
      this.#work();
      return "none";
    }
    const opened = attempt(() => this.#disk.openExisting(segmentFile(name)));
    if (!opened.ok) {
      if (opened.fault === "failed") this.#health.fail(`open of ${name}`);
      return opened.fault;
    }
    this.#ready.shift();
    const segment = this.#segments.get(name)!;
    const open = new OpenSegment({
      name,
      file: opened.value,
      bytes: segment.bytes,
      isAlone: this.#isAlone,
      onFault: (fault) => {
        this.#retire(open, "sync");
        if (fault === "failed") this.#health.fail(`sync of ${name}`);
      },
      onIdle: () => {
        if (this.#current !== open) this.#letGo(open);
      },
    });
    segment.state = "current";
    segment.open = open;
    this.#current = open;
    this.#work();
    return open;
  }

  #close(open: OpenSegment, state: "closed" | "retired"): void {
    this.#segments.get(open.name)!.state = state;
    if (this.#current === open) this.#current = undefined;
    if (!open.isBusy) this.#letGo(open);
  }

  #letGo(open: OpenSegment): void {
    const segment = this.#segments.get(open.name);
    if (segment?.open === undefined) return;
    delete segment.open;
    open.close();
    this.settle(open.name);
  }

  #retire(open: OpenSegment, what: "write" | "sync"): void {
    if (this.#segments.get(open.name)?.state === "retired") return;
    log("segment-retired", { segment: open.name, what });
    // For our successor. If the disk won't take the mark, the successor asks
    // the same disk to write, and learns it anew.
    const marked = attempt(() => this.#disk.openNew(retiredMark(open.name)));
    if (marked.ok) marked.value.close();
    if (what === "write") this.#health.fail(`write to ${open.name}`);
    this.#close(open, "retired");
  }

  #remove(name: string, segment: Segment): void {
    const removed = attempt(() => this.#disk.remove(segmentFile(name)));
    if (!removed.ok) return void log("segment-stays", { segment: name });
    // After the segment: a mark without one is swept at the next start.
    attempt(() => this.#disk.remove(retiredMark(name)));
    this.#segments.delete(name);
    this.#room.give(segment.bytes);
  }

  /** Starts the background work, if there is any and none is under way. */
  #work(): void {
    if (this.#working !== undefined || this.#isClosed) return;
    if (!this.#isAccounted || !this.#hasWork()) return;
    this.#working = this.#workOff().then((fault) => {
      this.#working = undefined;
      if (fault === undefined) {
        // What came up between the last look and now.
        this.#work();
      } else {
        if (fault === "failed") this.#health.fail("preparing a segment");
        this.#workLater();
      }
      this.#wake();
    });
  }

  #hasWork(): boolean {
    return this.#spent.length > 0 || this.#wantsGrowth();
  }

  // The pool grows only for want of free segments, one ahead of another; asks
  // for room come last, so that a full pool costs no statfs(2).
  #wantsGrowth(): boolean {
    return this.#retry === undefined && this.#health.isHealthy &&
      this.#ready.length < this.#readySegments;
  }

  async #workOff(): Promise<Fault | undefined> {
    while (!this.#isClosed) {
      let fault: Fault | undefined;
      if (this.#spent.length > 0) fault = await this.#renew();
      else if (!this.#wantsGrowth()) return undefined;
      else if (!this.#room.take(this.#segmentBytes)) return "full";
      else fault = await this.#prepare();
      if (fault !== undefined) return fault;
      this.#wake();
    }
    return undefined;
  }

  #workLater(): void {
    if (this.#isClosed) return;
    clearTimeout(this.#retry);
    this.#retry = setTimeout(() => {
      this.#retry = undefined;
      this.#work();
    }, this.#againMs);
  }

  #wake(): void {
    const waiters = this.#waiters;
    this.#waiters = [];
    for (const wake of waiters) wake();
  }

  /**
   * Makes spent segments ready: the one place where a filling ends. A new name
   * makes every old reference point nowhere. (What overwrites the old octets
   * belongs here, before the names are ready.)
   */
  async #renew(): Promise<Fault | undefined> {
    const spent = this.#spent;
    this.#spent = [];
    const renewed: string[] = [];
    let fault: Fault | undefined;
    for (const old of spent) {
      const segment = this.#segments.get(old)!;
      if (segment.bytes !== this.#segmentBytes) {
        this.#remove(old, segment);
        continue;
      }
      const name = newName("pool");
      const done = attempt(() => {
        this.#disk.markUnwritten(segmentFile(old));
        this.#disk.rename(segmentFile(old), segmentFile(name));
      });
      if (!done.ok) {
        fault = done.fault;
        this.#spent.push(old);
        continue;
      }
      this.#segments.delete(old);
      this.#segments.set(name, { state: "spent", bytes: segment.bytes });
      renewed.push(name);
    }
    if (renewed.length === 0) return fault;
    const synced = await attemptAsync(() => this.#disk.syncDir());
    if (!synced.ok) {
      // Renamed again later: a name becomes ready only by its own sync.
      this.#spent.push(...renewed);
      return synced.fault;
    }
    for (const name of renewed) this.#enterReady(name);
    return fault;
  }

  async #prepare(): Promise<Fault | undefined> {
    const made = await prepareSegment(this.#disk, {
      bytes: this.#segmentBytes,
      isStopped: () => this.#isClosed,
    });
    if (made.ok) {
      const bytes = this.#segmentBytes;
      this.#segments.set(made.value, { state: "ready", bytes });
      this.#enterReady(made.value);
      return undefined;
    }
    this.#room.give(this.#segmentBytes);
    return made.fault;
  }

  #enterReady(name: string): void {
    this.#segments.get(name)!.state = "ready";
    this.#ready.push(name);
  }
}
