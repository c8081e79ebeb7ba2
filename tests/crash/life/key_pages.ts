/**
 * What a power cut leaves of a key file. The file itself is real; this keeps
 * beside it which of its pages a sync has covered, as Linux does: after a
 * failed sync the pages count as clean, and a second sync would lie.
 *
 * It stands in the way of `node:fs`, because that is the one place through
 * which `keys_io.ts` writes; the program itself knows nothing of it.
 */
import fs from "node:fs";

const PAGE = 4_096;

/** One key file that a life of the queue writes. */
class KeyPages {
  durable: Uint8Array;
  readonly #path: string;
  #dirty = new Set<number>();

  constructor(path: string, heir?: KeyPages) {
    this.#path = path;
    this.durable = heir?.durable ?? (fs.existsSync(path)
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

  end({ pages, seen }: { pages: Set<number>; seen: Uint8Array }): void {
    const durable = new Uint8Array(seen.length);
    durable.set(this.durable.subarray(0, seen.length));
    for (const page of pages) {
      const part = seen.subarray(page * PAGE, (page + 1) * PAGE);
      durable.set(part, page * PAGE);
    }
    this.durable = durable;
  }
}

/** Told what happens to a key file; may make a sync fail. */
export interface KeyWatcher {
  at(step: string): void;
  /** True if the sync that begins now shall fail. */
  failsSync(): boolean;
}

const watchers = new Map<string, KeyWatcher>();
const pages = new Map<string, KeyPages>();
const open = new Map<number, string>();

/** From here on, key files in `dir` are watched. */
export function watchKeys(dir: string, watcher: KeyWatcher): void {
  watchers.set(`${dir}/keys`, watcher);
}

/**
 * The key file in `to` is a copy of the one in `from`, as its writer's death
 * leaves it: what was not synced still is not.
 */
export function inheritKeys(from: string, to: string): void {
  const heir = pages.get(`${from}/keys`);
  if (heir === undefined) return;
  pages.set(`${to}/keys`, new KeyPages(`${to}/keys`, heir));
}

/** The key file as a power cut would leave it now. */
export function durableKeys(dir: string): Uint8Array {
  return pages.get(`${dir}/keys`)?.durable ?? new Uint8Array(0);
}

const { openSync, closeSync, writeSync, fsyncSync } = fs;

function known(fd: number): { path: string; page: KeyPages } | undefined {
  const path = open.get(fd);
  const page = path === undefined ? undefined : pages.get(path);
  return path === undefined || page === undefined ? undefined : { path, page };
}

Object.assign(fs, {
  openSync(path: string, flags: string, mode?: number): number {
    const isWatched = watchers.has(path);
    if (isWatched && !pages.has(path)) pages.set(path, new KeyPages(path));
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
    const file = known(fd);
    if (file === undefined) return wrote;
    file.page.written(position, wrote);
    // One slot; a stretch is growth, or what a start wrote again.
    if (length === 64) {
      const isBlank = octets.every((octet) => octet === 0);
      watchers.get(file.path)!.at(isBlank ? "key wiped" : "key written");
    }
    return wrote;
  },

  fsyncSync(fd: number): void {
    const file = known(fd);
    if (file === undefined) return fsyncSync(fd);
    file.page.end(file.page.begin());
  },

  fdatasyncSync(fd: number): void {
    fs.fsyncSync(fd);
  },

  fdatasync(fd: number, then: (error: Error | null) => void): void {
    const file = known(fd);
    if (file === undefined) throw new RangeError("Cannot sync: not a key file");
    const watcher = watchers.get(file.path)!;
    const fails = watcher.failsSync();
    const begun = file.page.begin();
    setImmediate(() => {
      if (fails) {
        watcher.at("key sync failed");
        return then(Object.assign(new Error("EIO"), { code: "EIO" }));
      }
      file.page.end(begun);
      watcher.at("key synced");
      then(null);
    });
  },
});
