/**
 * What a power cut leaves of the queue's files: the keys, and SQLite's log.
 * The files themselves are real; this keeps beside them what a sync has
 * covered, as Linux does: after a failed sync the pages count as clean, and a
 * second sync would lie.
 *
 * It stands in the way of `node:fs`, because that is the one place through
 * which `keys_io.ts` writes and `log_sync_io.ts` syncs; the program itself
 * knows nothing of it.
 */
import fs from "node:fs";

const PAGE = 4_096;

/** One file that a life of the queue writes. */
class Pages {
  durable: Uint8Array;
  readonly #path: string;
  #dirty = new Set<number>();

  constructor(path: string, heir?: Pages) {
    this.#path = path;
    this.durable = heir?.durable ??
      (fs.existsSync(path)
        ? new Uint8Array(fs.readFileSync(path))
        : new Uint8Array(0));
    this.#dirty = new Set(heir === undefined ? [] : heir.#dirty);
  }

  written(offset: number, length: number): void {
    const end = offset + length;
    for (let page = Math.floor(offset / PAGE); page * PAGE < end; page++) {
      this.#dirty.add(page);
    }
  }

  /** What a sync that begins now will have covered. */
  begin(): { pages: Set<number>; seen: Uint8Array } {
    const pages = this.#dirty;
    this.#dirty = new Set();
    return { pages, seen: new Uint8Array(fs.readFileSync(this.#path)) };
  }

  /** True if the file is on disk as it is. */
  get isSettled(): boolean {
    return fs.readFileSync(this.#path).equals(this.durable);
  }

  /** Everything is on disk: another synced it. */
  settle(): void {
    this.durable = new Uint8Array(fs.readFileSync(this.#path));
    this.#dirty.clear();
  }

  end({ pages, seen }: { pages: Set<number>; seen: Uint8Array }): void {
    const durable = new Uint8Array(seen.length);
    durable.set(this.durable.subarray(0, seen.length));
    for (const page of pages) {
      if (page * PAGE >= seen.length) continue;
      const part = seen.subarray(page * PAGE, (page + 1) * PAGE);
      durable.set(part, page * PAGE);
    }
    this.durable = durable;
  }
}

/** Told what happens to the files; may make a sync of the keys fail. */
export interface FileWatcher {
  at(step: string): void;
  /** True if the sync that begins now shall fail. */
  failsSync(file: "keys" | "log"): boolean;
}

const watchers = new Map<string, FileWatcher>();
const pages = new Map<string, Pages>();
const open = new Map<number, string>();

/** From here on, the files in `dir` are watched. */
export function watchFiles(dir: string, watcher: FileWatcher): void {
  watchers.set(keysOf(dir), watcher);
  watchers.set(logOf(dir), watcher);
}

/**
 * The key file in `to` is a copy of the one in `from`, as its writer's death
 * leaves it: what was not synced still is not.
 */
export function inheritKeys(from: string, to: string): void {
  const heir = pages.get(keysOf(from));
  if (heir === undefined) return;
  pages.set(keysOf(to), new Pages(keysOf(to), heir));
}

/** The key file as a power cut would leave it now. */
export function durableKeys(dir: string): Uint8Array {
  return pages.get(keysOf(dir))?.durable ?? new Uint8Array(0);
}

/** SQLite's log as a power cut would leave it now. */
export function durableLog(dir: string): Uint8Array {
  return pages.get(logOf(dir))?.durable ?? new Uint8Array(0);
}

/** SQLite itself has synced the log. */
export function settleLog(dir: string): void {
  pages.get(logOf(dir))?.settle();
}

function keysOf(dir: string): string {
  return `${dir}/keys`;
}

function logOf(dir: string): string {
  return `${dir}/queue.db-wal`;
}

const { openSync, closeSync, writeSync, fsyncSync } = fs;
const { fdatasync, fdatasyncSync } = fs;

interface Watched {
  readonly file: "keys" | "log";
  readonly pages: Pages;
  readonly watcher: FileWatcher;
}

function watched(fd: number): Watched | undefined {
  const path = open.get(fd);
  const held = path === undefined ? undefined : pages.get(path);
  if (path === undefined || held === undefined) return undefined;
  const file = path.endsWith("keys") ? "keys" : "log";
  return { file, pages: held, watcher: watchers.get(path)! };
}

/** Begins a sync; what it returns ends it, false if it failed. */
function beginSync(on: Watched): () => boolean {
  const fails = on.watcher.failsSync(on.file);
  if (on.file === "log") on.pages.written(0, SQLITE_LOG_BYTES);
  const begun = on.pages.begin();
  const name = on.file === "keys" ? "key" : "log";
  return () => {
    if (!fails) on.pages.end(begun);
    const isAll = on.file === "keys" || on.pages.isSettled;
    // A round's sync may end when the next has already committed.
    const how = fails ? "sync failed" : isAll ? "synced" : "synced in part";
    on.watcher.at(`${name} ${how}`);
    return !fails;
  };
}

/** More than a log has in a test: SQLite writes it, unseen by us. */
const SQLITE_LOG_BYTES = 4_194_304;

function failure(): Error {
  return Object.assign(new Error("EIO"), { code: "EIO" });
}

Object.assign(fs, {
  openSync(path: string, flags: string, mode?: number): number {
    const isWatched = watchers.has(path);
    if (isWatched && !pages.has(path)) pages.set(path, new Pages(path));
    const fd = openSync(path, flags, mode);
    if (isWatched) open.set(fd, path);
    return fd;
  },

  closeSync(fd: number): void {
    open.delete(fd);
    closeSync(fd);
  },

  writeSync(
    fd: number,
    octets: Uint8Array,
    offset: number,
    length: number,
    position: number,
  ): number {
    const wrote = writeSync(fd, octets, offset, length, position);
    const on = watched(fd);
    if (on === undefined) return wrote;
    on.pages.written(position, wrote);
    // One slot; a stretch is growth, or what a start wrote again.
    if (length === 64) {
      const isBlank = octets.every((octet) => octet === 0);
      on.watcher.at(isBlank ? "key wiped" : "key written");
    }
    return wrote;
  },

  fsyncSync(fd: number): void {
    const on = watched(fd);
    if (on === undefined) return fsyncSync(fd);
    on.pages.end(on.pages.begin());
  },

  fdatasyncSync(fd: number): void {
    const on = watched(fd);
    if (on === undefined) return fdatasyncSync(fd);
    if (!beginSync(on)()) throw failure();
  },

  fdatasync(fd: number, then: (error: Error | null) => void): void {
    const on = watched(fd);
    if (on === undefined) return fdatasync(fd, then);
    const finish = beginSync(on);
    setImmediate(() => then(finish() ? null : failure()));
  },
});
