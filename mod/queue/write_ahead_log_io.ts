/**
 * Makes a database and its write-ahead log forget. `secure_delete` zeroes what
 * is deleted in the pages, as far as it does (see `page_gaps_io.ts`), but the log keeps copies of the pages as they were,
 * and a checkpoint that truncates the log gives those blocks back to the file
 * system as they are. So the log is overwritten in place first, in this order,
 * all of it in one turn of the event loop of the database's only writer:
 *
 * 1. `wal_checkpoint(RESTART)` answers busy = 0: all frames are in the
 *    database, which is synced, and no reader held a mark in the log
 *    (walCheckpoint() in SQLite's wal.c got all reader locks but the first).
 * 2. A commit that touches one row without a secret. Having nothing to keep,
 *    the writer restarts the log (walRestartLog()): a new header with new
 *    salts, written and, with `synchronous = NORMAL` too, synced before its
 *    first frame (walFrames(): "Sync the header"). That it did is read
 *    from the header; where a reader slipped in between, SQLite appends
 *    instead, the header is the old one, and nothing is overwritten.
 * 3. The frames from the first one on that does not bear the new salts are
 *    dead: no reader looks beyond the last frame of the index, and recovery
 *    (walIndexRecover()) stops at the first frame with other salts. They are
 *    overwritten with random octets, and synced.
 *
 * A crash leaves after 1 an old log that repeats what the database says,
 * after 2 a log of one frame, or none if that did not reach the disk, and within 3 the same whatever part of the
 * octets reached the disk, because nobody reads them; that a random octet
 * string is taken for a frame needs 64 bits of salt and 64 of checksum to be
 * right. The road not taken was to overwrite the header with zeros: if a
 * reader slipped in then, commits would be appended to a log that no recovery
 * reads.
 *
 * Before that the pages' gaps are zeroed in the database, a stretch a turn:
 * after step 1, because a frame that is still to be written back would bring
 * the gap back, and with the page cache emptied, because a cached page would.
 *
 * The log keeps its blocks while mail flows, so that commits overwrite and
 * allocate nothing. The database's own descriptor is closed after SQLite's:
 * to close it before would drop SQLite's locks (POSIX has them by process).
 */
import { randomFillSync } from "node:crypto";
import fs from "node:fs";
import type { DatabaseSync, StatementSync } from "node:sqlite";
import { wipeGaps } from "./page_gaps_io.ts";
import { syncData } from "./sync_data_io.ts";

/** Octets of the log before the first frame. */
export const HEADER_BYTES = 32;
/** Octets of a frame before its page. */
export const FRAME_HEADER_BYTES = 24;
/** Octets overwritten by one write(2). */
const CHUNK_BYTES = 1_048_576;
/** Of the database, looked through in one turn: some milliseconds. */
const STRETCH_BYTES = 4 * 1_048_576;
const BETWEEN_STRETCHES_MS = 10;

/** The one row that step 2 touches; part of the schema of each database. */
export const TOUCH_TABLE = `
CREATE TABLE touch (one INTEGER PRIMARY KEY, n INTEGER NOT NULL) STRICT;
INSERT INTO touch VALUES (1, 0);
`;

/**
 * What became of an attempt; `busy`: a reader is in the way, come again;
 * `failed`: the sync failed, so nobody knows: the next attempt writes anew.
 */
export type Scrubbed = "done" | "busy" | "failed";

interface Header {
  readonly pageBytes: number;
  readonly salts: Uint8Array;
}

/** The log of one database, for its only writer. */
export class WriteAheadLog {
  readonly #db: DatabaseSync;
  readonly #fd: number;
  readonly #databaseFd: number;
  readonly #pageBytes: number;
  readonly #restart: StatementSync;
  readonly #shrink: StatementSync;
  readonly #truncate: StatementSync;
  readonly #touch: StatementSync;
  #isClosed = false;
  /** Told of each step, for tests that crash there. */
  onStep: (step: string) => void = () => {};

  /**
   * @param path The database; its log must exist, as it does from the first
   * statement on
   */
  constructor(db: DatabaseSync, path: string) {
    this.#restart = db.prepare("PRAGMA wal_checkpoint(RESTART)");
    this.#truncate = db.prepare("PRAGMA wal_checkpoint(TRUNCATE)");
    this.#touch = db.prepare("UPDATE touch SET n = n + 1 WHERE one = 1");
    this.#db = db;
    this.#shrink = db.prepare("PRAGMA shrink_memory");
    this.#pageBytes = Number(
      db.prepare("PRAGMA page_size").get()?.["page_size"],
    );
    this.#fd = fs.openSync(`${path}-wal`, "r+");
    this.#databaseFd = fs.openSync(path, "r+");
  }

  /** Size of the log's file. */
  get sizeBytes(): number {
    return fs.fstatSync(this.#fd).size;
  }

  /**
   * Writes the log back, zeroes the gaps in the database, and overwrites the
   * log. The disk is awaited in a thread, while commits go on.
   *
   * @throws What SQLite and the file system throw
   */
  async scrub(): Promise<Scrubbed> {
    for (let from = 0;; from += STRETCH_BYTES) {
      if (from > 0) await pause(BETWEEN_STRETCHES_MS);
      // The descriptors' numbers may be another file's by now.
      if (this.#isClosed) return "busy";
      const left = fs.fstatSync(this.#databaseFd).size - from;
      if (left <= 0) break;
      if (!this.#writeBack()) return "busy";
      this.#wipe(from, Math.min(left, STRETCH_BYTES));
    }
    if (!this.#overwrite()) return "busy";
    const synced = await Promise.all([
      syncData(this.#fd),
      syncData(this.#databaseFd),
    ]);
    return synced.includes(false) ? "failed" : "done";
  }

  /**
   * Writes the log back, overwrites it, waits for the disk, and gives the
   * file's blocks back. For quiet times, a full disk, and the end.
   *
   * @throws What SQLite and the file system throw
   */
  empty(): Scrubbed {
    if (!this.#overwrite()) return "busy";
    // Before the blocks are given back: dirty pages of freed blocks are never
    // written.
    fs.fdatasyncSync(this.#fd);
    this.onStep("overwritten and synced");
    const row = this.#atOnce(this.#truncate);
    this.onStep("emptied");
    return row?.["busy"] === 0 ? "done" : "busy";
  }

  /** Closes the files: after the database itself is closed; see the head. */
  close(): void {
    this.#isClosed = true;
    fs.closeSync(this.#fd);
    fs.closeSync(this.#databaseFd);
  }

  /** Step 1; false if a reader is in the way. */
  #writeBack(): boolean {
    const row = this.#atOnce(this.#restart);
    return row?.["busy"] === 0 && row["log"] === row["checkpointed"];
  }

  /** Runs a checkpoint that hardly waits for a reader. */
  #atOnce(checkpoint: StatementSync) {
    // Not prepared: SQLite sets the time when it compiles this.
    this.#db.exec("PRAGMA busy_timeout = 20");
    try {
      return checkpoint.get();
    } finally {
      this.#db.exec("PRAGMA busy_timeout = 5000");
    }
  }

  /** In the same turn as {@link #writeBack}. */
  #wipe(from: number, bytes: number): void {
    this.onStep("wiping gaps");
    this.#shrink.get();
    wipeGaps(this.#databaseFd, { from, bytes, pageBytes: this.#pageBytes });
    this.onStep("gaps wiped");
  }

  /** Steps 1 to 3, without the last sync; false if a reader is in the way. */
  #overwrite(): boolean {
    const before = this.#header();
    if (before === undefined) return true;
    this.onStep("before");
    if (!this.#writeBack()) return false;
    this.onStep("written back");
    this.#touch.run();
    this.onStep("restarted");
    const after = this.#header();
    if (after === undefined) return true;
    if (equal(before.salts, after.salts)) return false;
    this.#randomize(this.#liveEnd(after));
    return true;
  }

  /** The log's header; undefined if the file is too short to have one. */
  #header(): Header | undefined {
    const octets = new Uint8Array(HEADER_BYTES);
    const got = fs.readSync(this.#fd, octets, 0, HEADER_BYTES, 0);
    if (got < HEADER_BYTES) return undefined;
    // https://sqlite.org/fileformat2.html#walformat: offsets 8 and 16.
    const pageBytes = new DataView(octets.buffer).getUint32(8);
    return { pageBytes, salts: octets.slice(16, 24) };
  }

  /** Where the frames that bear the header's salts end. */
  #liveEnd({ pageBytes, salts }: Header): number {
    const { sizeBytes } = this;
    const frameBytes = FRAME_HEADER_BYTES + pageBytes;
    const octets = new Uint8Array(FRAME_HEADER_BYTES);
    let at = HEADER_BYTES;
    for (; at + frameBytes <= sizeBytes; at += frameBytes) {
      fs.readSync(this.#fd, octets, 0, FRAME_HEADER_BYTES, at);
      if (!equal(octets.subarray(8, 16), salts)) break;
    }
    return at;
  }

  #randomize(from: number): void {
    const { sizeBytes } = this;
    if (from >= sizeBytes) return;
    const chunk = new Uint8Array(Math.min(CHUNK_BYTES, sizeBytes - from));
    randomFillSync(chunk);
    for (let at = from; at < sizeBytes;) {
      const want = Math.min(chunk.length, sizeBytes - at);
      at += fs.writeSync(this.#fd, chunk, 0, want, at);
      this.onStep("overwriting");
    }
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

function equal(a: Uint8Array, b: Uint8Array): boolean {
  return a.every((octet, i) => octet === b[i]);
}
