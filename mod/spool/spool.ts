/**
 * The store engine: everything the spool promises, on whatever {@link Disk} it
 * is given. `mod/recovery` has the table of a record's states.
 *
 * Invariants:
 *
 * 1. `sync` says on-disk only after a sync that began after the record's last
 *    octet was written, on a file no sync of which ever failed.
 * 2. No octet of a live record is written over, whatever fails.
 * 3. Nothing is stored before the queue said what is in use.
 * 4. No space is used again before shred has overwritten what was in it, and
 *    nothing in use is ever where shred can reach it.
 * 5. A key is in memory from a message's first octet to the answer to `store`,
 *    and nowhere else, ever.
 */
import { log } from "../core/log.ts";
import type { ContentRef } from "../core/shapes.ts";
import { HEADER_OCTETS, isHeader, recordLength } from "../content/format.ts";
import { BigMessage } from "./big_message.ts";
import type { Disk, Fault } from "./disk.ts";
import { attempt, attemptAsync, readFully } from "./disk_io.ts";
import { Erasing, type Shred } from "./erasing.ts";
import { Health } from "./health.ts";
import { HOLD_MS, Ledger } from "./ledger.ts";
import { nameKind, retiredMark, segmentFile } from "./names.ts";
import { type Placed, Pool } from "./pool.ts";
import { Room } from "./room.ts";
import {
  type About,
  type Refusal,
  type Sealed,
  type StoreHost,
  StoreStream,
} from "./store_stream.ts";
import { type Durability, SyncGroup } from "./sync_group.ts";

/** Largest message that goes into a shared segment. */
const SMALL_OCTETS = 262_144;

// Header and tags of five chunks, rounded up: what a small record adds.
const SMALL_MARGIN = 512;

/** Sealed octets that all streams together hold in memory. */
const MAX_HELD_OCTETS = 134_217_728;

/** Messages that may stream in at a time; one more is refused as `full`. */
const MAX_STREAMS = 2_000;

/** Segments named one by one in the log of what is missing. */
const MAX_MISSING_LOGGED = 100;

/** What the spool needs to know. */
export interface SpoolOptions {
  readonly segmentBytes: number;
  readonly readySegments: number;
  readonly maxBytes: number;
  readonly minFreeBytes: number;
  readonly shred: Shred;
  /** Between two probes of an unhealthy disk. @default {2_000} */
  readonly probeEveryMs?: number;
  /** How long a store waits for the queue's `adopt`. @default {30_000} */
  readonly adoptWithinMs?: number;
  /** How long a store waits for a segment in the making. @default {20_000} */
  readonly placeWithinMs?: number;
  /** How long shred may be silent before the pool grows. @default {5_000} */
  readonly lateMs?: number;
  /** Before a segment without a live record is closed. @default {20_000} */
  readonly idleMs?: number;
  /** See `role.ts`. @default {0} */
  readonly journalBytes?: number;
  /** Monotonic clock. @default {performance.now} */
  readonly nowMs?: () => number;
  /** Clock of the file system's times. @default {Date.now} */
  readonly wallMs?: () => number;
}

/** The spool; see the file's head. */
export class Spool implements StoreHost {
  readonly smallOctets: number;
  readonly #disk: Disk;
  readonly #room: Room;
  readonly #health: Health;
  readonly #ledger: Ledger;
  readonly #erasing: Erasing;
  readonly #pool: Pool;
  readonly #nowMs: () => number;
  readonly #wallMs: () => number;
  readonly #adoptWithinMs: number;
  readonly #placeWithinMs: number;
  readonly #adopted = Promise.withResolvers<true>();
  readonly #streams = new Set<StoreStream>();
  /** Large messages on disk, with their octets. */
  readonly #bigs = new Map<string, number>();
  /** Those found where shred reaches them. */
  #handedBigs = new Set<string>();
  #isAdopted = false;
  #adopter: string | undefined;
  #nameSyncs: SyncGroup;
  #heldOctets = 0;

  constructor(disk: Disk, options: SpoolOptions) {
    this.#disk = disk;
    this.#nowMs = options.nowMs ?? (() => performance.now());
    this.#wallMs = options.wallMs ?? (() => Date.now());
    this.#adoptWithinMs = options.adoptWithinMs ?? 30_000;
    this.#placeWithinMs = options.placeWithinMs ?? 20_000;
    const probeEveryMs = options.probeEveryMs ?? 2_000;
    const { segmentBytes, readySegments, maxBytes, minFreeBytes } = options;
    this.smallOctets = Math.min(SMALL_OCTETS, segmentBytes - SMALL_MARGIN);
    const nowMs = this.#nowMs;
    this.#room = new Room({ disk, maxBytes, minFreeBytes, nowMs });
    this.#health = new Health(disk, probeEveryMs);
    this.#ledger = new Ledger(this.#nowMs());
    this.#erasing = new Erasing({
      disk,
      shred: options.shred,
      againMs: probeEveryMs,
      nowMs,
      onChange: () => this.#pool.onErasing(),
      ...(options.lateMs === undefined ? {} : { lateMs: options.lateMs }),
    });
    this.#pool = new Pool({
      disk,
      room: this.#room,
      health: this.#health,
      isLive: (segment) => this.#ledger.isLive(segment),
      isAlone: () => this.#streams.size <= 1,
      segmentBytes,
      readySegments,
      againMs: probeEveryMs,
      erasing: this.#erasing,
      nowMs,
      isJournalled: (options.journalBytes ?? 0) > 0,
      ...(options.idleMs === undefined ? {} : { idleMs: options.idleMs }),
    });
    this.#nameSyncs = this.#newNameSyncs();
  }

  /**
   * Reads the directory. Deletes nothing but the empty leftovers of our
   * predecessor's death; what is not ours is reported.
   *
   * @throws {Error} If the directory cannot be read: there is no spool then
   */
  open(): void {
    const young = this.#wallMs() - HOLD_MS;
    const retired = new Set<string>();
    const foreign: string[] = [];
    const entries = this.#disk.list();
    for (const { name } of entries) {
      const kind = nameKind(name);
      if (kind.is === "retired-mark") retired.add(kind.segment);
    }
    for (const { name, isPlain, sizeBytes, writtenMs } of entries) {
      const kind = isPlain ? nameKind(name) : { is: "foreign" as const };
      switch (kind.is) {
        case "segment": {
          const isRetired = retired.delete(kind.segment);
          this.#pool.found(kind.segment, {
            bytes: sizeBytes,
            isRetired,
            isUnwritten: writtenMs === 0,
            isHanded: false,
          });
          if (writtenMs > young) this.#ledger.hold([kind.segment]);
          break;
        }
        case "big":
          this.#bigs.set(kind.segment, sizeBytes);
          this.#room.count(sizeBytes);
          if (writtenMs > young) this.#ledger.hold([kind.segment]);
          break;
        case "spent":
          this.#foundSpent(kind.segment, {
            bytes: sizeBytes,
            isRetired: retired.delete(kind.segment),
          });
          break;
        case "leftover":
          attempt(() => this.#disk.remove(name));
          break;
        case "foreign":
          foreign.push(name);
          break;
        case "retired-mark":
          break;
      }
    }
    for (const segment of retired) {
      attempt(() => this.#disk.remove(retiredMark(segment)));
    }
    if (foreign.length > 0) {
      log("spool-foreign-files", {
        count: foreign.length,
        names: foreign.slice(0, 20),
      });
    }
  }

  // Never held, however young: that it is here says that our predecessor knew
  // of nothing in use in it, and its last change may be shred's.
  #foundSpent(
    segment: string,
    about: { bytes: number; isRetired: boolean },
  ): void {
    if (segment.startsWith("big-")) {
      this.#bigs.set(segment, about.bytes);
      this.#handedBigs.add(segment);
      this.#room.count(about.bytes);
      return;
    }
    const found = { ...about, isUnwritten: false, isHanded: true };
    this.#pool.found(segment, found);
  }

  /** Facts for counters and tests. */
  get facts(): {
    isHealthy: boolean;
    records: number;
    usedBytes: number;
    readySegments: number;
    /** Files that wait to be overwritten. */
    spentFiles: number;
    streams: number;
  } {
    return {
      isHealthy: this.#health.isHealthy,
      records: this.#ledger.records,
      usedBytes: this.#room.usedBytes,
      readySegments: this.#pool.readyCount,
      spentFiles: this.#erasing.count,
      streams: this.#streams.size,
    };
  }

  /** Begins to store one message. */
  store(asker: string): StoreStream {
    const stream = new StoreStream(this, asker);
    this.#streams.add(stream);
    stream.verdict.then(() => this.#streams.delete(stream));
    return stream;
  }

  /** Resolves when it is known whether the record survives a crash. */
  sync(ref: ContentRef): Promise<Durability> {
    // Only what this process wrote: what became of our predecessor's syncs
    // nobody knows, and a second one would prove nothing.
    const durable = this.#ledger.find(ref)?.own?.durable;
    return durable ?? Promise.resolve("lost");
  }

  /** Gives a record back, if `asker` stored it and is still the same process. */
  drop(ref: ContentRef, asker: string): void {
    if (this.#ledger.find(ref)?.own?.asker === asker) this.release([ref]);
  }

  /** Takes a page of what is in use; `last` completes it. */
  adopt(
    refs: readonly ContentRef[],
    page: { last: boolean; asker: string },
  ): void {
    this.#adopter = page.asker;
    this.#ledger.adopt(refs, this.#nowMs());
    if (!page.last) return;
    this.#adopter = undefined;
    const disowned = this.#ledger.completeAdopt();
    const isFirst = !this.#isAdopted;
    this.#isAdopted = true;
    this.#reportMissing();
    const swept = this.#sweepBigs();
    this.#pool.settleAll();
    if (isFirst || swept > 0 || disowned > 0) {
      log("spool-swept", {
        count: swept,
        disowned,
        records: this.#ledger.records,
      });
    }
    this.#adopted.resolve(true);
  }

  /** Records that keep space from being used again; see `spool_ipc.ts`. */
  stragglers(max: number): ContentRef[] {
    const refs: ContentRef[] = [];
    const thin = this.#pool.thin((segment) => this.#ledger.liveOctets(segment));
    for (const segment of thin) {
      if (refs.length >= max) break;
      refs.push(...this.#ledger.refsIn(segment));
    }
    return refs.slice(0, max);
  }

  /** Copies a record to where new ones go; see `spool_ipc.ts`. */
  async move(
    ref: ContentRef,
  ): Promise<ContentRef | Refusal | "unreadable" | "unknown"> {
    const isKnown = this.#ledger.find(ref)?.sizeBytes === ref.sizeBytes;
    if (!isKnown || !this.#pool.isMovable(ref.segment)) return "unknown";
    const refusal = this.refusal();
    if (refusal !== undefined) return refusal;
    const record = this.#read(ref);
    if (record === undefined) return "unreadable";
    const { length, sizeBytes } = ref;
    const about = { length, sizeBytes, asker: undefined };
    const copy = await this.#placeSmall(record, about);
    if (typeof copy === "string") return copy;
    if (await this.sync(copy) === "lost") {
      this.release([copy]);
      return "unhealthy";
    }
    if (this.#ledger.find(ref) !== undefined) return copy;
    // Done with meanwhile: nobody will ever name the copy.
    this.release([copy]);
    return "unknown";
  }

  /** A record's octets; undefined if they cannot be had or are none. */
  #read(ref: ContentRef): Uint8Array | undefined {
    if (ref.length !== recordLength(ref.sizeBytes)) return undefined;
    if (ref.length > this.smallOctets + SMALL_MARGIN) return undefined;
    const opened = attempt(() =>
      this.#disk.openExisting(segmentFile(ref.segment))
    );
    if (!opened.ok) return undefined;
    const record = new Uint8Array(ref.length);
    const fault = readFully(opened.value, record, ref.offset);
    opened.value.close();
    return fault === undefined && isHeader(record.subarray(0, HEADER_OCTETS))
      ? record
      : undefined;
  }

  /** These records are done with. Unknown ones are ignored. */
  release(refs: readonly ContentRef[]): void {
    const touched = new Set<string>();
    for (const ref of refs) {
      if (this.#ledger.remove(ref)) touched.add(ref.segment);
    }
    for (const segment of touched) {
      if (this.#bigs.has(segment)) this.#settleBig(segment);
      else this.#pool.settle(segment);
    }
    if (touched.size > 0) this.#pool.released();
  }

  /** An asker's channel closed. */
  askerGone(asker: string): void {
    for (const stream of [...this.#streams]) {
      if (stream.asker === asker) stream.abort();
    }
    this.#ledger.askerGone(asker);
    if (this.#adopter === asker) {
      this.#adopter = undefined;
      this.#ledger.abandonAdopt();
    }
  }

  /** Stops the background work. */
  async close(): Promise<void> {
    for (const stream of [...this.#streams]) stream.abort();
    this.#health.close();
    await this.#pool.close();
  }

  // What follows serves StoreStream.

  refusal(): Refusal | undefined {
    if (!this.#health.isHealthy) return "unhealthy";
    if (this.#streams.size >= MAX_STREAMS) return "full";
    return this.#room.isFree(0) ? undefined : "full";
  }

  held(octets: number): void {
    this.#heldOctets += octets;
  }

  get isCrowded(): boolean {
    return this.#heldOctets > MAX_HELD_OCTETS;
  }

  createBig(): ReturnType<typeof BigMessage.create> {
    return BigMessage.create({ disk: this.#disk, room: this.#room });
  }

  async place(sealed: Sealed, about: About): Promise<ContentRef | Refusal> {
    if (!this.#isAdopted && !await this.#adoptedInTime()) {
      if (sealed.in === "file") sealed.big.discard();
      return "unhealthy";
    }
    if (sealed.in === "memory") return this.#placeSmall(sealed.record, about);
    const { big } = sealed;
    const durable = big.sync(
      () => this.#nameSyncs,
      (fault) => void this.refusalOf(fault, "sync of a large message"),
    );
    this.#bigs.set(big.segment, big.length);
    return this.#enter({ segment: big.segment, offset: 0, durable }, about);
  }

  async durable(ref: ContentRef): Promise<boolean> {
    return await this.sync(ref) === "on-disk";
  }

  refusalOf(fault: Fault, doing: string): Refusal {
    if (fault === "full") return "full";
    this.#health.fail(doing);
    return "unhealthy";
  }

  over(stream: StoreStream): void {
    this.#streams.delete(stream);
  }

  async #placeSmall(
    record: Uint8Array,
    about: About,
  ): Promise<ContentRef | Refusal> {
    const until = this.#nowMs() + this.#placeWithinMs;
    while (true) {
      if (!this.#health.isHealthy) return "unhealthy";
      const placed = this.#pool.write(record);
      if (typeof placed !== "string") return this.#enter(placed, about);
      if (placed !== "none") return this.refusalOf(placed, "write");
      const leftMs = until - this.#nowMs();
      if (leftMs <= 0 || !await this.#pool.available(leftMs)) return "full";
    }
  }

  #enter(placed: Placed, about: About): ContentRef {
    const { segment, offset, durable } = placed;
    const { length, sizeBytes, asker } = about;
    const ref = { segment, offset, length, sizeBytes };
    this.#ledger.add(ref, { storedAtMs: this.#nowMs(), asker, durable });
    return ref;
  }

  async #adoptedInTime(): Promise<boolean> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<false>((resolve) => {
      timer = setTimeout(() => resolve(false), this.#adoptWithinMs);
    });
    const inTime = await Promise.race([this.#adopted.promise, late]);
    clearTimeout(timer);
    return inTime;
  }

  #newNameSyncs(): SyncGroup {
    return new SyncGroup({
      sync: async () => {
        const synced = await attemptAsync(() => this.#disk.syncDir());
        return synced.ok ? undefined : synced.fault;
      },
      onFault: (fault) => {
        // Names made from here on are others than those that were lost.
        this.#nameSyncs = this.#newNameSyncs();
        this.refusalOf(fault, "sync of the directory");
      },
    });
  }

  #reportMissing(): void {
    let missing = 0;
    for (const segment of this.#ledger.segments) {
      if (this.#pool.has(segment) || this.#bigs.has(segment)) continue;
      missing++;
      if (missing <= MAX_MISSING_LOGGED) log("content-missing", { segment });
    }
    if (missing > 0) log("content-missing-total", { segments: missing });
  }

  #sweepBigs(): number {
    let swept = 0;
    for (const segment of [...this.#bigs.keys()]) {
      if (this.#settleBig(segment)) swept++;
    }
    return swept;
  }

  #settleBig(segment: string): boolean {
    if (this.#ledger.isLive(segment)) return false;
    const bytes = this.#bigs.get(segment)!;
    this.#bigs.delete(segment);
    this.#erasing.add({
      segment,
      bytes,
      isHanded: this.#handedBigs.delete(segment),
      onRemoved: () => this.#room.give(bytes),
    });
    return true;
  }
}
