/**
 * A file system in memory, for tests: any single call can be made to fail,
 * and it knows what would be left after a crash.
 */
import type { SyncPeer, WholeSync } from "./durability.ts";
import type { Failure, Result } from "./failure.ts";
import type { Entry, MailFile, MailFiles } from "./mail_files.ts";

/** One file. */
export interface FakeFile {
  octets: number[];
  /** True if all octets are on disk. */
  isSynced: boolean;
  /** True if a sync of it failed: no later one may be believed. */
  isLost: boolean;
  isOpen: boolean;
  modifiedMs: number;
}

/** The failure that is injected. */
export const INJECTED: Failure = { kind: "broken", why: "injected" };

/** The process died: whatever was open and in memory is gone. */
export class Killed extends Error {}

/** See the head of this file. */
export class FakeFiles implements MailFiles, SyncPeer {
  readonly files = new Map<string, FakeFile>();
  readonly directories = new Set<string>();
  readonly links = new Set<string>();
  /** Directories whose names changed since they were synced. */
  readonly unsynced = new Set<string>();
  /** Names of all calls so far, in order. */
  readonly calls: string[] = [];
  /** The call, counted from 1, that fails. */
  failAt = 0;
  /** The call, counted from 1, before which the process dies; see {@link Killed}. */
  dieAt = 0;
  /** What it fails with. */
  failWith: Failure = INJECTED;
  /** Names of the calls that always fail. */
  readonly broken = new Set<string>();
  wholeSyncIs: WholeSync = "failed";

  constructor(...directories: string[]) {
    for (const path of directories) this.directories.add(path);
  }

  /** What the next process finds. */
  successor(): FakeFiles {
    const next = new FakeFiles(...this.directories);
    for (const [path, file] of this.files) {
      next.files.set(path, {
        ...file,
        octets: [...file.octets],
        isOpen: false,
      });
    }
    for (const path of this.unsynced) next.unsynced.add(path);
    return next;
  }

  /** Files right below a directory, by name. */
  within(directory: string): Map<string, FakeFile> {
    const found = new Map<string, FakeFile>();
    for (const [path, file] of this.files) {
      if (parentOf(path) === directory) found.set(nameOf(path), file);
    }
    return found;
  }

  create(path: string): Result<MailFile> {
    const failure = this.#call("create") ?? this.#needs(parentOf(path));
    if (failure) return { ok: false, failure };
    if (this.files.has(path)) return refused("exists");
    const file: FakeFile = {
      octets: [],
      isSynced: false,
      isLost: false,
      isOpen: true,
      modifiedMs: Date.now(),
    };
    this.files.set(path, file);
    this.unsynced.add(parentOf(path));
    return { ok: true, value: this.#opened(file) };
  }

  kind(path: string): Result<"directory" | "missing" | "other"> {
    const failure = this.#call("kind");
    if (failure) return { ok: false, failure };
    if (this.directories.has(path)) return { ok: true, value: "directory" };
    const isThere = this.files.has(path) || this.links.has(path);
    return { ok: true, value: isThere ? "other" : "missing" };
  }

  makeDirectory(path: string): Failure | undefined {
    const failure = this.#call("makeDirectory") ??
      this.#needs(parentOf(path));
    if (failure) return failure;
    this.directories.add(path);
    this.unsynced.add(parentOf(path));
    return undefined;
  }

  rename(from: string, to: string): Failure | undefined {
    const failure = this.#call("rename") ?? this.#needs(parentOf(to));
    if (failure) return failure;
    const file = this.files.get(from);
    if (file === undefined) return { kind: "missing", why: from };
    if (this.files.has(to)) throw new Error(`${to} was overwritten`);
    this.files.delete(from);
    this.files.set(to, file);
    this.unsynced.add(parentOf(from)).add(parentOf(to));
    return undefined;
  }

  remove(path: string): Failure | undefined {
    const failure = this.#call("remove");
    if (failure) return failure;
    if (!this.files.delete(path)) return { kind: "missing", why: path };
    return undefined;
  }

  async syncDirectory(path: string): Promise<Failure | undefined> {
    await Promise.resolve();
    return this.syncDirectoryHere(path);
  }

  syncDirectoryHere(path: string): Failure | undefined {
    const failure = this.#call("syncDirectory");
    if (!failure) this.unsynced.delete(path);
    return failure;
  }

  async list(
    path: string,
    each: (entry: Entry) => void,
  ): Promise<Failure | undefined> {
    const failure = this.#call("list") ?? this.#needs(path);
    if (failure) return failure;
    for (const name of this.within(path).keys()) {
      each({ name, isFile: true });
      await Promise.resolve();
    }
    return undefined;
  }

  modifiedMs(path: string): Result<number> {
    const failure = this.#call("modifiedMs");
    if (failure) return { ok: false, failure };
    const file = this.files.get(path);
    if (file === undefined) return refused("missing");
    return { ok: true, value: file.modifiedMs };
  }

  /** The whole file system, as the sync role would. */
  async sync(): Promise<WholeSync> {
    const failure = this.#call("wholeSync");
    await Promise.resolve();
    if (failure) return this.wholeSyncIs;
    for (const file of this.files.values()) {
      if (!file.isLost) file.isSynced = true;
    }
    this.unsynced.clear();
    return "synced";
  }

  #opened(file: FakeFile): MailFile {
    const syncHere = () => {
      if (!file.isOpen) throw new Error("synced after close");
      if (file.isLost) throw new Error("a failed sync was tried again");
      const failure = this.#call("sync");
      if (failure) file.isLost = true;
      else file.isSynced = true;
      return failure;
    };
    return {
      write: (octets) => {
        if (!file.isOpen) throw new Error("written after close");
        const failure = this.#call("write");
        const half = octets.subarray(0, octets.length >> 1);
        for (const octet of failure ? half : octets) file.octets.push(octet);
        file.isSynced = false;
        return failure;
      },
      sync: async () => {
        await Promise.resolve();
        return syncHere();
      },
      syncHere,
      close: () => {
        if (!file.isOpen) throw new Error("closed twice");
        file.isOpen = false;
      },
    };
  }

  #call(name: string): Failure | undefined {
    this.calls.push(name);
    const isDead = this.dieAt > 0 && this.calls.length >= this.dieAt;
    if (isDead) throw new Killed(name);
    const isHit = this.calls.length === this.failAt || this.broken.has(name);
    return isHit ? this.failWith : undefined;
  }

  #needs(directory: string): Failure | undefined {
    return this.directories.has(directory)
      ? undefined
      : { kind: "missing", why: directory };
  }
}

function refused(kind: Failure["kind"]): { ok: false; failure: Failure } {
  return { ok: false, failure: { kind, why: kind } };
}

function parentOf(path: string): string {
  return path.slice(0, path.lastIndexOf("/"));
}

function nameOf(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}
