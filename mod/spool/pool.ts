/**
 * The segments: files of one size, written full once before their first use,
 * so that a record overwrites blocks that exist and its sync moves no metadata
 * (measured on journaled ext4: two to four times the syncs a second).
 *
 *     STATE     WHAT IS TRUE                          LEAVES IT BY
 *     found     was there at our start; not written   settle
 *     ready     free, its name never used before      #openNext
 *     current   records are written to it             #close, #retire
 *     closed    full or idle; perhaps a sync runs     settle, #retire
 *     retired   a write or sync failed; read only     settle
 *     spent     nobody's; to be overwritten           #renew, or removed
 *
 * `settle` lets nothing go that {@link Ledger.isLive} says is in use.
 */
import { log } from "../core/log.ts";
import type { Disk, Fault } from "./disk.ts";
import { attempt, attemptAsync } from "./disk_io.ts";
import type { Erasing } from "./erasing.ts";
import type { Health } from "./health.ts";
import { JournalWash } from "./journal_wash.ts";
import { newName, retiredMark, segmentFile, spentFile } from "./names.ts";
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

/** After the last record for so long, writes wait for no erasing. */
const LIVELY_MS = 1_000;

/** How long shred rests after each MiB while sessions wait for syncs. */
const REST_MS = 20;

/** Before a current segment without a live record is closed. */
const IDLE_MS = 20_000;

/** Before a closed segment's records may be stragglers. */
const STRAGGLER_MS = 300_000;

interface Segment {
  state: typeof SEGMENT_STATES[number];
  readonly bytes: number;
  /** Its time says that no record was ever written to it. */
  isUnwritten?: boolean;
  /** Shred can reach it: it was found so. */
  isHanded?: boolean;
  /** When it became closed, or was found. */
  closedMs?: number;
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
  readonly #erasing: Erasing;
  readonly #nowMs: () => number;
  readonly #idleMs: number;
  /** Undefined if no journal keeps copies. */
  readonly #wash: JournalWash | undefined;
  readonly #segments = new Map<string, Segment>();
  readonly #ready: string[] = [];
  #unwritten: string[] = [];
  #current: OpenSegment | undefined;
  #isAccounted = false;
  #isClosed = false;
  #working: Promise<void> | undefined;
  #retry: ReturnType<typeof setTimeout> | undefined;
  #idle: ReturnType<typeof setTimeout> | undefined;
  #writtenMs = -Infinity;
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
    erasing: Erasing;
    nowMs: () => number;
    /** @default {20_000} */
    idleMs?: number;
    /** True if the file system's journal keeps copies of contents. */
    isJournalled: boolean;
  }) {
    this.#disk = options.disk;
    this.#room = options.room;
    this.#health = options.health;
    this.#isLive = options.isLive;
    this.#isAlone = options.isAlone;
    this.#segmentBytes = options.segmentBytes;
    this.#readySegments = options.readySegments;
    this.#againMs = options.againMs;
    this.#erasing = options.erasing;
    this.#erasing.restMs = () => this.#restMs();
    this.#nowMs = options.nowMs;
    this.#idleMs = options.idleMs ?? IDLE_MS;
    this.#wash = options.isJournalled
      ? new JournalWash({
        handOver: () => this.#spendReady(),
        nowMs: this.#nowMs,
        idleMs: this.#idleMs,
      })
      : undefined;
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
    about: {
      bytes: number;
      isRetired: boolean;
      isUnwritten: boolean;
      isHanded: boolean;
    },
  ): void {
    const { isRetired, ...rest } = about;
    const state = isRetired ? "retired" : "found";
    const closedMs = this.#nowMs();
    this.#segments.set(segment, { state, closedMs, ...rest });
    this.#room.count(rest.bytes);
  }

  /** Names of the segments whose records are few and keep it from renewal. */
  thin(liveOctets: (segment: string) => number): string[] {
    const isFull = this.#ready.length < this.#readySegments &&
      !this.#room.fits(this.#segmentBytes);
    const oldMs = this.#nowMs() - STRAGGLER_MS;
    const thin = new Map<string, number>();
    for (const [name, { bytes, closedMs }] of this.#segments) {
      if (!this.isMovable(name) || closedMs === undefined) continue;
      const live = liveOctets(name);
      const isThin = closedMs <= oldMs && live < bytes / 4 ||
        isFull && live < bytes / 2;
      if (live > 0 && isThin) thin.set(name, live);
    }
    return [...thin].sort(([, a], [, b]) => a - b).map(([name]) => name);
  }

  /** True if records of the segment are on disk and may be moved out of it. */
  isMovable(segment: string): boolean {
    const held = this.#segments.get(segment);
    return held !== undefined && held.open === undefined && !held.isHanded &&
      (held.state === "closed" || held.state === "found");
  }

  /** The ledger is complete, for the first time or anew. */
  settleAll(): void {
    this.#isAccounted = true;
    for (const segment of [...this.#segments.keys()]) this.settle(segment);
    this.#work();
    // What was released just before our start, nobody knows.
    this.released();
  }

  /** Records are done with; see `journal_wash.ts`. */
  released(): void {
    if (!this.#isClosed) this.#wash?.released();
  }

  /** A record of the segment is gone: the last one frees it. */
  settle(segment: string): void {
    const held = this.#segments.get(segment);
    if (held === undefined || !this.#isAccounted || this.#isClosed) return;
    if (this.#isLive(segment)) return;
    if (held.state === "current") this.#closeWhenIdle();
    if (held.open !== undefined) return;
    switch (held.state) {
      case "found":
        if (this.#isUntouched(held)) {
          held.state = "spent";
          this.#unwritten.push(segment);
          this.#work();
        } else {
          this.#spend(segment, held);
        }
        return;
      case "closed":
      case "retired":
        this.#spend(segment, held);
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
    this.#writtenMs = this.#nowMs();
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
    if (this.#working === undefined && this.#erasing.coming === 0) {
      return Promise.resolve(false);
    }
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
    clearTimeout(this.#idle);
    this.#wash?.close();
    this.#erasing.close();
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
    const segment = this.#segments.get(open.name)!;
    segment.state = state;
    segment.closedMs = this.#nowMs();
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

  /**
   * A current segment of which nothing is in use, and to which nobody writes,
   * is overwritten too: a lone message's octets must not wait for it to fill.
   */
  #closeWhenIdle(): void {
    clearTimeout(this.#idle);
    const current = this.#current;
    const writtenMs = this.#writtenMs;
    this.#idle = setTimeout(() => {
      if (current === undefined || current !== this.#current) return;
      if (this.#isLive(current.name) || writtenMs !== this.#writtenMs) return;
      this.#close(current, "closed");
    }, this.#idleMs);
  }

  /** True if no record was ever written to a segment that was found. */
  #isUntouched({ isUnwritten, isHanded, bytes }: Segment): boolean {
    return isUnwritten === true && isHanded !== true &&
      bytes === this.#segmentBytes;
  }

  /** Has a ready segment overwritten again; false if there is none. */
  #spendReady(): boolean {
    const name = this.#ready.pop();
    if (name === undefined) return false;
    this.#spend(name, this.#segments.get(name)!);
    this.#work();
    return true;
  }

  /** Hands a segment over that nobody needs. */
  #spend(name: string, segment: Segment): void {
    this.#wash?.spent();
    const isWanted = segment.state !== "retired" &&
      segment.bytes === this.#segmentBytes;
    segment.state = "spent";
    this.#erasing.add({
      segment: name,
      bytes: segment.bytes,
      isHanded: segment.isHanded ?? false,
      ...(isWanted ? { renew: () => this.#renew(name, segment) } : {}),
      onRemoved: () => this.#removed(name, segment),
    });
  }

  #removed(name: string, segment: Segment): void {
    // After the segment: a mark without one is swept at the next start.
    attempt(() => this.#disk.remove(retiredMark(name)));
    this.#segments.delete(name);
    this.#room.give(segment.bytes);
    this.#work();
  }

  /** How long shred should rest after each MiB, as of now. */
  #restMs(): number {
    // None left: who stores now waits for the erasing itself.
    if (this.#ready.length === 0) return 0;
    return this.#nowMs() - this.#writtenMs < LIVELY_MS ? REST_MS : 0;
  }

  /** Other segments than before are to be expected of shred. */
  onErasing(): void {
    this.#work();
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
    return this.#unwritten.length > 0 || this.#wantsGrowth();
  }

  // The pool grows only for want of free segments, and only if none are on
  // their way back from shred.
  #wantsGrowth(): boolean {
    return this.#retry === undefined && this.#health.isHealthy &&
      this.#ready.length + this.#erasing.coming < this.#readySegments;
  }

  async #workOff(): Promise<Fault | undefined> {
    while (!this.#isClosed) {
      let fault: Fault | undefined;
      if (this.#unwritten.length > 0) fault = await this.#rename();
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

  /** The segment is overwritten: the one place where a filling ends. */
  async #renew(old: string, segment: Segment): Promise<Fault | undefined> {
    const name = newName("pool");
    const moved = attempt(() => {
      this.#disk.markUnwritten(spentFile(old));
      this.#disk.rename(spentFile(old), segmentFile(name));
    });
    if (!moved.ok) {
      if (moved.fault === "failed") this.#health.fail("renaming a segment");
      return moved.fault;
    }
    // A new name makes every old reference point nowhere.
    segment.isHanded = false;
    this.#segments.delete(old);
    this.#segments.set(name, segment);
    const synced = await attemptAsync(() => this.#disk.syncDirs());
    if (synced.ok) this.#enterReady(name);
    else {
      // A name becomes ready only by its own sync.
      if (synced.fault === "failed") this.#health.fail("syncing a new name");
      this.#spend(name, segment);
    }
    this.#wake();
    return undefined;
  }

  /**
   * Readies at once what the file's time says that no record was ever written
   * to, under a new name: what a start finds of its predecessor's pool.
   */
  async #rename(): Promise<Fault | undefined> {
    const unwritten = this.#unwritten;
    this.#unwritten = [];
    const renamed: string[] = [];
    let fault: Fault | undefined;
    for (const old of unwritten) {
      const name = newName("pool");
      const done = attempt(() =>
        this.#disk.rename(segmentFile(old), segmentFile(name))
      );
      if (!done.ok) {
        fault = done.fault;
        this.#unwritten.push(old);
        continue;
      }
      this.#segments.set(name, this.#segments.get(old)!);
      this.#segments.delete(old);
      renamed.push(name);
    }
    if (renamed.length === 0) return fault;
    const synced = await attemptAsync(() => this.#disk.syncDir());
    if (!synced.ok) {
      this.#unwritten.push(...renamed);
      return synced.fault;
    }
    for (const name of renamed) this.#enterReady(name);
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
