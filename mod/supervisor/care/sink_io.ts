/**
 * Where a backup goes: a directory, a tar archive, or standard output. Under a
 * name that ends in `.part` until all of it is on the disk, so that what has
 * the right name is whole.
 */
import { createHash } from "node:crypto";
import { dirname } from "node:path";
import type { Accounts } from "../accounts.ts";
import { isThere, syncPath, writeAll } from "../replace_file.ts";
import {
  type BackupEntry,
  type BackupHeader,
  groupName,
  line,
  MANIFEST,
  ownerName,
} from "./manifest.ts";
import type { PlainFile } from "./plain_file.ts";
import { BLOCK, headerOf, padding, type TarEntry } from "./tar.ts";
import { CareError } from "./words.ts";

/** What of an entry is known before its octets are. */
type Facts = Omit<TarEntry, "mtimeS"> & { readonly mtimeS?: number };

/** Takes octets to their place. */
interface Place {
  directory(facts: Facts): Promise<void>;
  /** Begins a file; its octets follow, `size` of them. */
  file(facts: Facts): Promise<void>;
  write(octets: Uint8Array): Promise<void>;
  endFile(): Promise<void>;
  /** Everything is written: makes it last, and gives it its name. */
  finish(): Promise<void>;
  /** Takes away what was written. */
  abandon(): void;
}

/** Writes a backup. */
export class BackupWriter {
  readonly #place: Place;
  readonly #accounts: Accounts | null;
  readonly #manifest: string;
  readonly #lines: Deno.FsFile;
  readonly #sum = createHash("sha256");
  readonly #turn: () => Promise<void>;
  #entries = 0;
  #bytes = 0;

  /**
   * @param target A directory, a name that ends in `.tar`, or `-`
   * @param scratch A directory of root's for the manifest in the making
   */
  constructor(options: {
    target: string;
    scratch: string;
    accounts: Accounts | null;
    header: BackupHeader;
    /** Before each file; ends the whole by an error. */
    turn?: () => Promise<void>;
  }) {
    const { target } = options;
    this.#turn = options.turn ?? (() => Promise.resolve());
    this.#accounts = options.accounts;
    this.#place = target === "-"
      ? new TarPlace(Deno.stdout)
      : target.endsWith(".tar")
      ? new TarFile(target)
      : new DirectoryPlace(target);
    this.#manifest = `${options.scratch}/manifest`;
    this.#lines = Deno.openSync(this.#manifest, {
      createNew: true,
      write: true,
      read: true,
      mode: 0o600,
    });
    this.#put(options.header);
  }

  /** Octets so far. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Entries so far. */
  get entries(): number {
    return this.#entries;
  }

  /** Adds a directory. */
  async directory(path: string, info: Deno.FileInfo): Promise<void> {
    const facts = {
      path,
      kind: "directory" as const,
      size: 0,
      mode: (info.mode ?? 0) & 0o7777,
      uid: info.uid ?? 0,
      gid: info.gid ?? 0,
    };
    await this.#place.directory(facts);
    this.#entry(facts, "");
  }

  /** Adds a file. */
  async file(path: string, file: PlainFile): Promise<void> {
    await this.#turn();
    const { size, mode, uid, gid } = file;
    const facts = { path, kind: "file" as const, size, mode, uid, gid };
    await this.#place.file({ ...facts, mtimeS: file.mtimeMs / 1_000 });
    const hash = createHash("sha256");
    let left = size;
    for (const chunk of file.chunks()) {
      hash.update(chunk);
      await this.#place.write(chunk);
      left -= chunk.length;
    }
    if (left > 0) throw new CareError(`${path} grew shorter while it was read`);
    await this.#place.endFile();
    this.#bytes += size;
    this.#entry(facts, hash.digest("hex"));
  }

  /** Adds the manifest, and gives the whole its name. */
  async finish(messages: number): Promise<void> {
    const entries = this.#entries;
    const sha256 = this.#sum.digest("hex");
    this.#put({ end: true, entries, bytes: this.#bytes, messages, sha256 });
    this.#lines.syncSync();
    const { size } = this.#lines.statSync();
    await this.#place.file({
      path: MANIFEST,
      kind: "file",
      size,
      mode: 0o600,
      uid: 0,
      gid: 0,
    });
    this.#lines.seekSync(0, Deno.SeekMode.Start);
    const buffer = new Uint8Array(65_536);
    for (let got; (got = this.#lines.readSync(buffer)) !== null;) {
      await this.#place.write(buffer.subarray(0, got));
    }
    await this.#place.endFile();
    this.#lines.close();
    await this.#place.finish();
  }

  /** It is not to be. */
  abandon(): void {
    this.#place.abandon();
  }

  #entry(facts: Facts, sha256: string): void {
    const { path, kind, size, mode, uid, gid } = facts;
    const entry: BackupEntry = {
      path,
      kind,
      size,
      mode,
      owner: ownerName(uid, this.#accounts),
      group: groupName(gid, this.#accounts),
      sha256,
    };
    this.#put(entry);
    this.#entries++;
  }

  #put(value: unknown): void {
    const octets = new TextEncoder().encode(line(value));
    if (!("end" in (value as object))) this.#sum.update(octets);
    writeAll(this.#lines, octets);
  }
}

/** A directory of root's alone. */
class DirectoryPlace implements Place {
  readonly #target: string;
  readonly #part: string;
  #file: Deno.FsFile | undefined;

  constructor(target: string) {
    this.#target = target.endsWith("/") ? target.slice(0, -1) : target;
    this.#part = `${this.#target}.part`;
    refuseThere(this.#target);
    removeTree(this.#part);
    Deno.mkdirSync(this.#part, { mode: 0o700 });
  }

  directory({ path }: Facts): Promise<void> {
    Deno.mkdirSync(`${this.#part}/${path}`, { recursive: true, mode: 0o700 });
    return Promise.resolve();
  }

  file({ path }: Facts): Promise<void> {
    const to = `${this.#part}/${path}`;
    Deno.mkdirSync(dirname(to), { recursive: true, mode: 0o700 });
    this.#file = Deno.openSync(to, {
      createNew: true,
      write: true,
      mode: 0o600,
    });
    return Promise.resolve();
  }

  write(octets: Uint8Array): Promise<void> {
    writeAll(this.#file!, octets);
    return Promise.resolve();
  }

  endFile(): Promise<void> {
    this.#file!.syncSync();
    this.#file!.close();
    return Promise.resolve();
  }

  finish(): Promise<void> {
    syncTree(this.#part);
    Deno.renameSync(this.#part, this.#target);
    syncPath(dirname(this.#target));
    return Promise.resolve();
  }

  abandon(): void {
    removeTree(this.#part);
  }
}

/** What takes octets one after another. */
interface Stream {
  write(octets: Uint8Array): Promise<number>;
}

/** A tar archive to a stream. */
class TarPlace implements Place {
  readonly #to: Stream;
  #size = 0;

  constructor(to: Stream) {
    this.#to = to;
  }

  directory(facts: Facts): Promise<void> {
    return this.write(headerOf({ mtimeS: 0, ...facts }));
  }

  file(facts: Facts): Promise<void> {
    this.#size = facts.size;
    return this.write(headerOf({ mtimeS: Date.now() / 1_000, ...facts }));
  }

  async write(octets: Uint8Array): Promise<void> {
    for (let at = 0; at < octets.length;) {
      at += await this.#to.write(octets.subarray(at));
    }
  }

  endFile(): Promise<void> {
    return this.write(new Uint8Array(padding(this.#size)));
  }

  finish(): Promise<void> {
    return this.write(new Uint8Array(2 * BLOCK));
  }

  abandon(): void {
    // Without its end it is not whole, and whoever reads it is told.
  }
}

/** A tar archive in a file of root's alone. */
class TarFile extends TarPlace {
  readonly #target: string;
  readonly #file: Deno.FsFile;

  constructor(target: string) {
    refuseThere(target);
    removeTree(`${target}.part`);
    const file = Deno.openSync(`${target}.part`, {
      createNew: true,
      write: true,
      mode: 0o600,
    });
    super(file);
    this.#target = target;
    this.#file = file;
  }

  override async finish(): Promise<void> {
    await super.finish();
    this.#file.syncSync();
    this.#file.close();
    Deno.renameSync(`${this.#target}.part`, this.#target);
    syncPath(dirname(this.#target));
  }

  override abandon(): void {
    removeTree(`${this.#target}.part`);
  }
}

function refuseThere(target: string): void {
  if (!isThere(target)) return;
  throw new CareError(`${target} is there already: give another name`);
}

/** Removes a tree, if it is there. */
export function removeTree(path: string): void {
  if (isThere(path)) Deno.removeSync(path, { recursive: true });
}

/** Syncs every directory of a tree, the inner ones first. */
export function syncTree(dir: string): void {
  for (const { name, isDirectory } of Deno.readDirSync(dir)) {
    if (isDirectory) syncTree(`${dir}/${name}`);
  }
  syncPath(dir);
}
