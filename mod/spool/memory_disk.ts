/**
 * A disk for tests: it has a page cache, forgets on {@link MemoryDisk.crash}
 * what was not synced, and fails when it is told to, as Linux does: after a
 * failed sync the pages count as clean, so that a second sync would lie.
 */
import { type Disk, type DiskEntry, type DiskFile, SPENT } from "./disk.ts";

const PAGE = 4_096;

/** Operations that can be made to fail. */
export type DiskCall =
  | "openNew"
  | "openExisting"
  | "write"
  | "sync"
  | "syncDir"
  | "syncDirs"
  | "rename"
  | "remove"
  | "markUnwritten";

interface Inode {
  cache: Uint8Array;
  durable: Uint8Array;
  readonly dirty: Set<number>;
  writtenMs: number;
}

/** What a call does instead of its job: an errno, or write too little. */
export type Misdeed = "EIO" | "ENOSPC" | "short";

/** See the file's head. */
export class MemoryDisk implements Disk {
  /** Asked before each call; `n` counts the calls of this kind, from 1. */
  misdeed: (call: DiskCall, n: number) => Misdeed | undefined = () => undefined;
  /** Calls so far, by kind. */
  readonly calls = new Map<DiskCall, number>();
  /** Awaited within each sync, to hold it up. */
  syncGate: () => Promise<void> = () => Promise.resolve();
  free: number | undefined = 1e12;
  nowMs = 1_000_000_000_000;
  #names = new Map<string, Inode>();
  #durableNames = new Map<string, Inode>();

  list(): DiskEntry[] {
    return [...this.#names].map(([name, inode]) => ({
      name,
      isPlain: true,
      sizeBytes: inode.cache.length,
      writtenMs: inode.writtenMs,
    }));
  }

  openNew(name: string): DiskFile {
    this.#call("openNew");
    if (this.#names.has(name)) throw errno("EEXIST");
    const inode = {
      cache: new Uint8Array(0),
      durable: new Uint8Array(0),
      dirty: new Set<number>(),
      writtenMs: this.nowMs,
    };
    this.#names.set(name, inode);
    return this.#file(inode);
  }

  openExisting(name: string): DiskFile {
    this.#call("openExisting");
    return this.#file(this.#get(name));
  }

  markUnwritten(name: string): void {
    this.#call("markUnwritten");
    this.#get(name).writtenMs = 0;
  }

  rename(from: string, to: string): void {
    this.#call("rename");
    const inode = this.#get(from);
    this.#names.delete(from);
    this.#names.set(to, inode);
  }

  remove(name: string): void {
    this.#call("remove");
    this.#get(name);
    this.#names.delete(name);
  }

  async syncDir(): Promise<void> {
    await this.syncGate();
    this.#call("syncDir");
    this.#durableNames = new Map(this.#names);
  }

  async syncDirs(): Promise<void> {
    await this.syncGate();
    this.#call("syncDirs");
    this.#durableNames = new Map(this.#names);
  }

  freeBytes(): number | undefined {
    return this.free;
  }

  /** Puts a file there, synced, as an earlier life would have left it. */
  put(name: string, octets: Uint8Array, writtenMs = this.nowMs): void {
    const inode = {
      cache: octets.slice(),
      durable: octets.slice(),
      dirty: new Set<number>(),
      writtenMs,
    };
    this.#names.set(name, inode);
    this.#durableNames.set(name, inode);
  }

  names(): string[] {
    return [...this.#names.keys()].sort();
  }

  /**
   * The disk after a power cut: synced names and octets, and of the unsynced
   * pages whatever `survives` says: a torn one ends in garbage, as a drive may
   * leave it that lost power in the midst of a write.
   */
  crash(survives: () => "whole" | "torn" | "not"): MemoryDisk {
    const after = new MemoryDisk();
    after.nowMs = this.nowMs;
    for (const [name, inode] of this.#durableNames) {
      const octets = inode.durable.slice();
      for (const page of inode.dirty) {
        const what = survives();
        if (what === "not" || page * PAGE >= octets.length) continue;
        // Only blocks that the synced length reaches.
        const page0 = page * PAGE;
        const part = inode.cache.subarray(page0, page0 + PAGE);
        octets.set(part.subarray(0, octets.length - page0), page0);
        if (what === "torn") octets.fill(0xee, page0 + PAGE / 2, page0 + PAGE);
      }
      after.put(name, octets, inode.writtenMs);
    }
    return after;
  }

  /**
   * The disk after its process was killed: everything that was written is
   * seen, and what was not synced may still be lost, see {@link crash}.
   */
  kill(): MemoryDisk {
    const after = new MemoryDisk();
    after.nowMs = this.nowMs;
    const copies = new Map<Inode, Inode>();
    const copyOf = (inode: Inode) => {
      const copy = copies.get(inode) ?? {
        cache: inode.cache.slice(),
        durable: inode.durable.slice(),
        dirty: new Set(inode.dirty),
        writtenMs: inode.writtenMs,
      };
      copies.set(inode, copy);
      return copy;
    };
    for (const [name, inode] of this.#names) {
      after.#names.set(name, copyOf(inode));
    }
    for (const [name, inode] of this.#durableNames) {
      after.#durableNames.set(name, copyOf(inode));
    }
    return after;
  }

  /** Writes what the processes see into a real directory, for the reader. */
  dump(dir: string): void {
    for (const [name, inode] of this.#names) {
      if (name.startsWith(SPENT)) continue;
      Deno.writeFileSync(`${dir}/${name}`, inode.cache);
    }
  }

  #get(name: string): Inode {
    const inode = this.#names.get(name);
    if (inode === undefined) throw errno("ENOENT");
    return inode;
  }

  #call(call: DiskCall): Misdeed | undefined {
    const n = (this.calls.get(call) ?? 0) + 1;
    this.calls.set(call, n);
    const misdeed = this.misdeed(call, n);
    if (misdeed === "EIO" || misdeed === "ENOSPC") throw errno(misdeed);
    return misdeed;
  }

  #file(inode: Inode): DiskFile {
    let isOpen = true;
    const mustBeOpen = () => {
      if (!isOpen) throw new TypeError("Cannot use file: it is closed");
    };
    // Only what was there when it began.
    const beginSync = () => {
      mustBeOpen();
      const pages = [...inode.dirty];
      const seen = inode.cache.slice();
      return () => {
        for (const page of pages) inode.dirty.delete(page);
        this.#call("sync");
        const durable = new Uint8Array(seen.length);
        durable.set(inode.durable.subarray(0, seen.length));
        for (const page of pages) {
          const end = (page + 1) * PAGE;
          durable.set(seen.subarray(page * PAGE, end), page * PAGE);
        }
        inode.durable = durable;
      };
    };
    return {
      writeAt: (octets, offset) => {
        mustBeOpen();
        const isShort = this.#call("write") === "short";
        const length = isShort ? Math.ceil(octets.length / 3) : octets.length;
        this.#write(inode, octets.subarray(0, length), offset);
        return length;
      },
      readAt: (into, offset) => {
        mustBeOpen();
        const from = inode.cache.subarray(offset, offset + into.length);
        into.set(from);
        return from.length;
      },
      syncData: async () => {
        const finish = beginSync();
        await this.syncGate();
        finish();
      },
      syncDataHere: () => beginSync()(),
      close: () => {
        mustBeOpen();
        isOpen = false;
      },
    };
  }

  #write(inode: Inode, octets: Uint8Array, offset: number): void {
    const end = offset + octets.length;
    if (end > inode.cache.length) {
      const larger = new Uint8Array(end);
      larger.set(inode.cache);
      inode.cache = larger;
    }
    inode.cache.set(octets, offset);
    inode.writtenMs = this.nowMs;
    for (let page = Math.floor(offset / PAGE); page * PAGE < end; page++) {
      inode.dirty.add(page);
    }
  }
}

function errno(code: string): Error {
  return Object.assign(new Error(code), { code });
}
