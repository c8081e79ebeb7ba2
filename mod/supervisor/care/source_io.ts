/**
 * Reads a backup, entry by entry, from a directory, a tar archive or standard
 * input. Each file's octets are summed up on their way, and compared with the
 * manifest at the end: an entry that was given out is only good when
 * {@link readBackup} returns.
 */
import { createHash } from "node:crypto";
import {
  BadBackup,
  isPlainPath,
  MANIFEST,
  type Manifest,
  parseManifest,
} from "./manifest.ts";
import { openLinked } from "./plain_file.ts";
import { BadTar, BLOCK, longName, padding, readHeader } from "./tar.ts";

/** Octets, in pieces that are used again. */
export type Octets = AsyncIterable<Uint8Array>;

/** Told of what a backup holds. */
export interface BackupVisitor {
  /** Must read all octets. */
  file(path: string, octets: Octets): Promise<void>;
}

/** Looks at all and keeps nothing. */
export const JUST_LOOKING: BackupVisitor = {
  async file(_path, octets) {
    for await (const _ of octets);
  },
};

/** Most octets of a manifest. */
const MOST_MANIFEST = 2 ** 29;

/**
 * Reads all of a backup.
 *
 * @throws {BadBackup} If it is not whole, or not what its manifest says
 */
export async function readBackup(
  source: string,
  visitor: BackupVisitor,
  say: (text: string) => void = () => {},
): Promise<Manifest> {
  const reading = new Reading(visitor, say);
  if (source === "-") await readTar(streamOf(Deno.stdin), reading);
  else if (Deno.statSync(source).isDirectory) {
    await readDirectory(source, reading);
  } else {
    using file = Deno.openSync(source);
    await readTar(streamOf(file), reading);
  }
  return reading.end();
}

/** Sums up what comes, and compares. */
class Reading {
  readonly #visitor: BackupVisitor;
  readonly #say: (text: string) => void;
  readonly #sums = new Map<string, string>();
  #manifest: Manifest | undefined;
  #bytes = 0;
  #toldMs = Date.now();

  constructor(visitor: BackupVisitor, say: (text: string) => void) {
    this.#visitor = visitor;
    this.#say = say;
  }

  /** The manifest, if it is there already. */
  get manifest(): Manifest | undefined {
    return this.#manifest;
  }

  async take(path: string, octets: Octets): Promise<void> {
    if (path === MANIFEST) {
      this.#manifest = parseManifest(await textOf(octets));
      return;
    }
    if (!isPlainPath(path) || this.#sums.has(path)) {
      throw new BadBackup(
        `it holds ${JSON.stringify(path)}, or holds it twice`,
      );
    }
    const hash = createHash("sha256");
    await this.#visitor.file(path, this.#summed(octets, hash));
    this.#sums.set(path, hash.digest("hex"));
  }

  end(): Manifest {
    const manifest = this.#manifest;
    if (manifest === undefined) {
      throw new BadBackup("it is not whole: it has no manifest");
    }
    for (const { path, kind, sha256 } of manifest.entries.values()) {
      if (kind === "directory") continue;
      const sum = this.#sums.get(path);
      if (sum === undefined) throw new BadBackup(`${path} is missing in it`);
      if (sum !== sha256) throw new BadBackup(`${path} is damaged in it`);
    }
    for (const path of this.#sums.keys()) {
      if (!manifest.entries.has(path)) {
        throw new BadBackup(`it holds ${path}, which its manifest has not`);
      }
    }
    return manifest;
  }

  async *#summed(octets: Octets, hash: ReturnType<typeof createHash>) {
    for await (const chunk of octets) {
      hash.update(chunk);
      this.#bytes += chunk.length;
      if (Date.now() > this.#toldMs + 2_000) {
        this.#toldMs = Date.now();
        this.#say(`read: ${Math.round(this.#bytes / 1_048_576)} MiB`);
      }
      yield chunk;
    }
  }
}

async function textOf(octets: Octets): Promise<string> {
  const decoder = new TextDecoder();
  const parts: string[] = [];
  let length = 0;
  for await (const chunk of octets) {
    length += chunk.length;
    if (length > MOST_MANIFEST) throw new BadBackup("its manifest is too long");
    parts.push(decoder.decode(chunk, { stream: true }));
  }
  return parts.join("");
}

async function readDirectory(dir: string, reading: Reading): Promise<void> {
  const take = async (path: string) => {
    // Whoever keeps many backups may give files that are the same several names.
    using file = openLinked(`${dir}/${path}`);
    await reading.take(path, asyncOf(file.chunks()));
  };
  try {
    Deno.lstatSync(`${dir}/${MANIFEST}`);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    throw new BadBackup("it is no backup, or not whole: it has no manifest");
  }
  await take(MANIFEST);
  for (const { path, kind } of reading.manifest!.entries.values()) {
    if (kind === "file") await take(path);
  }
}

async function* asyncOf(chunks: Iterable<Uint8Array>) {
  yield* chunks;
}

/** Octets by count. */
interface Stream {
  /** Up to so many; null at the end. */
  read(most: number): Promise<Uint8Array | null>;
}

function streamOf(
  from: { read(into: Uint8Array): Promise<number | null> },
): Stream {
  const buffer = new Uint8Array(262_144);
  return {
    async read(most) {
      const into = buffer.subarray(0, Math.min(most, buffer.length));
      const got = await from.read(into);
      return got === null ? null : into.subarray(0, got);
    },
  };
}

async function readTar(stream: Stream, reading: Reading): Promise<void> {
  let name: string | undefined;
  try {
    for (;;) {
      const header = readHeader(await whole(stream, BLOCK));
      if (header.kind === "end") return;
      const body = bodyOf(stream, header.size);
      if (header.kind === "long-name") {
        if (header.size > 8_192) throw new BadBackup("a name is too long");
        name = longName(await joined(body));
        continue;
      }
      if (header.kind === "file") {
        await reading.take(name ?? header.path, body);
      } else {
        if (header.kind === "directory") checkPath(name ?? header.path);
        for await (const _ of body);
      }
      name = undefined;
    }
  } catch (error) {
    throw error instanceof BadTar ? new BadBackup(error.message) : error;
  }
}

// A repacking has "." itself, too.
function checkPath(path: string): void {
  if (path === "." || path === "" || isPlainPath(path)) return;
  throw new BadBackup(`it holds ${JSON.stringify(path)}`);
}

async function* bodyOf(
  stream: Stream,
  size: number,
): AsyncGenerator<Uint8Array> {
  for (let left = size; left > 0;) {
    const chunk = await stream.read(left);
    if (chunk === null) throw cutShort();
    left -= chunk.length;
    yield chunk;
  }
  await whole(stream, padding(size));
}

async function joined(body: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const parts: Uint8Array<ArrayBuffer>[] = [];
  for await (const chunk of body) parts.push(new Uint8Array(chunk));
  return new Uint8Array(await new Blob(parts).arrayBuffer());
}

async function whole(stream: Stream, size: number): Promise<Uint8Array> {
  const all = new Uint8Array(size);
  for (let at = 0; at < size;) {
    const chunk = await stream.read(size - at);
    if (chunk === null) throw cutShort();
    all.set(chunk, at);
    at += chunk.length;
  }
  return all;
}

function cutShort(): BadBackup {
  return new BadBackup("it is not whole: it ends too early");
}
