/**
 * The spool's directory as Deno gives it, and the one place where the
 * spool catches what a disk throws.
 */
import { statfsSync } from "node:fs";
import {
  type Disk,
  type DiskEntry,
  type DiskFile,
  type Fault,
  SPENT,
} from "./disk.ts";

/** What an attempt gave: a result or a fault. */
export type Attempt<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly fault: Fault };

// EMFILE and ENFILE too: the disk is sound, there is just no room for more.
const NO_ROOM = ["ENOSPC", "EDQUOT", "EMFILE", "ENFILE", "EFBIG"];

/** Does it, and turns a failure of the system into a value. Bugs pass. */
export function attempt<T>(operation: () => T): Attempt<T> {
  try {
    return { ok: true, value: operation() };
  } catch (error) {
    return { ok: false, fault: faultOf(error) };
  }
}

/** As {@link attempt}, for what takes time. */
export async function attemptAsync<T>(
  operation: () => Promise<T>,
): Promise<Attempt<T>> {
  try {
    return { ok: true, value: await operation() };
  } catch (error) {
    return { ok: false, fault: faultOf(error) };
  }
}

/** Writes all octets, however few at a time the disk takes. */
export function writeFully(
  file: DiskFile,
  octets: Uint8Array,
  offset: number,
): Fault | undefined {
  for (let at = 0; at < octets.length;) {
    const rest = octets.subarray(at);
    const wrote = attempt(() => file.writeAt(rest, offset + at));
    if (!wrote.ok) return wrote.fault;
    // Nothing written and no error is no state to loop in.
    if (wrote.value === 0) return "failed";
    at += wrote.value;
  }
  return undefined;
}

/** Reads so many octets as `into` takes; `failed` if the file ends before. */
export function readFully(
  file: DiskFile,
  into: Uint8Array,
  offset: number,
): Fault | undefined {
  for (let at = 0; at < into.length;) {
    const rest = into.subarray(at);
    const got = attempt(() => file.readAt(rest, offset + at));
    if (!got.ok) return got.fault;
    if (got.value === 0) return "failed";
    at += got.value;
  }
  return undefined;
}

function faultOf(error: unknown): Fault {
  const code = error instanceof Error && "code" in error && error.code;
  // No code: not the system's word but our own bug, a lacking right included.
  if (typeof code !== "string") throw error;
  return NO_ROOM.includes(code) ? "full" : "failed";
}

/** The real directories. */
export class DenoDisk implements Disk {
  readonly #dir: string;
  readonly #spentDir: string;

  /** @param dir Absolute, existing, on one file system with `spentDir` */
  constructor(dir: string, spentDir: string) {
    this.#dir = dir;
    this.#spentDir = spentDir;
  }

  list(): DiskEntry[] {
    const entries: DiskEntry[] = [];
    const names = [
      ...namesIn(this.#dir),
      ...namesIn(this.#spentDir).map((name) => SPENT + name),
    ];
    for (const name of names) {
      const info = Deno.lstatSync(this.#path(name));
      entries.push({
        name,
        isPlain: info.isFile && (info.nlink ?? 1) === 1,
        sizeBytes: info.size,
        writtenMs: info.mtime?.getTime() ?? 0,
      });
    }
    return entries;
  }

  openNew(name: string): DiskFile {
    const path = this.#path(name);
    // The manifest's umask lets it. Others cannot enter the directory; of
    // those in the group, who can, the last digit does not speak.
    return new DenoFile(path, {
      read: true,
      write: true,
      createNew: true,
      mode: 0o646,
    });
  }

  openExisting(name: string): DiskFile {
    return new DenoFile(this.#path(name), { read: true, write: true });
  }

  markUnwritten(name: string): void {
    Deno.utimeSync(this.#path(name), 0, 0);
  }

  rename(from: string, to: string): void {
    Deno.renameSync(this.#path(from), this.#path(to));
  }

  remove(name: string): void {
    Deno.removeSync(this.#path(name));
  }

  syncDir(): Promise<void> {
    return syncDirectory(this.#dir);
  }

  async syncDirs(): Promise<void> {
    await syncDirectory(this.#dir);
    await syncDirectory(this.#spentDir);
  }

  freeBytes(): number | undefined {
    try {
      const { bavail, bsize } = statfsSync(this.#dir);
      return bavail * bsize;
    } catch (error) {
      // Needs --allow-sys=statfs; without it ENOSPC is the only warning.
      if (error instanceof Deno.errors.NotCapable) return undefined;
      throw error;
    }
  }

  #path(name: string): string {
    return name.startsWith(SPENT)
      ? `${this.#spentDir}/${name.slice(SPENT.length)}`
      : `${this.#dir}/${name}`;
  }
}

function namesIn(dir: string): string[] {
  return Array.from(Deno.readDirSync(dir), ({ name }) => name);
}

async function syncDirectory(path: string): Promise<void> {
  const dir = await Deno.open(path, { read: true });
  try {
    await dir.sync();
  } finally {
    dir.close();
  }
}

class DenoFile implements DiskFile {
  readonly #file: Deno.FsFile;
  // A file of its own, because a sync that runs in its thread holds the
  // resource and a write in the meantime could find it busy. fdatasync(2)
  // covers the inode, whoever wrote; both are open before the first write, so
  // no write-back error passes unseen.
  readonly #syncFile: Deno.FsFile;
  #position = 0;
  #syncs = 0;
  #closed = false;

  constructor(path: string, options: Deno.OpenOptions) {
    this.#file = Deno.openSync(path, options);
    try {
      this.#syncFile = Deno.openSync(path, { read: true });
    } catch (error) {
      this.#file.close();
      throw error;
    }
  }

  writeAt(octets: Uint8Array, offset: number): number {
    this.#seek(offset);
    const written = this.#file.writeSync(octets);
    this.#position = offset + written;
    return written;
  }

  readAt(into: Uint8Array, offset: number): number {
    this.#seek(offset);
    const got = this.#file.readSync(into) ?? 0;
    this.#position = offset + got;
    return got;
  }

  async syncData(): Promise<void> {
    this.#syncs++;
    try {
      await this.#syncFile.syncData();
    } finally {
      this.#syncs--;
      if (this.#closed && this.#syncs === 0) this.#syncFile.close();
    }
  }

  syncDataHere(): void {
    this.#file.syncDataSync();
  }

  close(): void {
    this.#closed = true;
    this.#file.close();
    if (this.#syncs === 0) this.#syncFile.close();
  }

  #seek(offset: number): void {
    if (offset === this.#position) return;
    this.#file.seekSync(offset, Deno.SeekMode.Start);
    this.#position = offset;
  }
}
