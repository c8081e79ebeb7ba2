/**
 * The spool's directory as Deno gives it, and the one place where the
 * spool catches what a disk throws.
 */
import { statfsSync } from "node:fs";
import type { Disk, DiskEntry, DiskFile, Fault } from "./disk.ts";

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

function faultOf(error: unknown): Fault {
  const code = error instanceof Error && "code" in error && error.code;
  // No code: not the system's word but our own bug, a lacking right included.
  if (typeof code !== "string") throw error;
  return NO_ROOM.includes(code) ? "full" : "failed";
}

/** The real directory. */
export class DenoDisk implements Disk {
  readonly #dir: string;

  /** @param dir Absolute, existing */
  constructor(dir: string) {
    this.#dir = dir;
  }

  list(): DiskEntry[] {
    const entries: DiskEntry[] = [];
    for (const { name } of Deno.readDirSync(this.#dir)) {
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
    // The group reads; the manifest's umask lets it.
    return new DenoFile(path, {
      read: true,
      write: true,
      createNew: true,
      mode: 0o640,
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

  async syncDir(): Promise<void> {
    const dir = await Deno.open(this.#dir, { read: true });
    try {
      await dir.sync();
    } finally {
      dir.close();
    }
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
    return `${this.#dir}/${name}`;
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
