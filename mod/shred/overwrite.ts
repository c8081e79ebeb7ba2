/**
 * Overwrites one file in place with fresh random octets, and proves it.
 *
 * The three failures that made shredders of the past worthless are ruled out
 * here, in this order: the file is opened for reading and writing, never
 * truncated, and it is checked that what is open is what the name means, so
 * the same blocks are written; each pass ends with an fdatasync(2) that
 * succeeded, so the octets left the page cache; and nobody may remove or
 * rename the file before {@link overwrite} returns.
 *
 * What is written is the keystream of a key that is thrown away. So reading
 * back makes it again and compares, and no second copy has to be held.
 *
 * What an overwrite in place is worth is the file system's matter: see
 * README.md.
 */
import type { Buffer } from "node:buffer";
import { createCipheriv, randomBytes } from "node:crypto";
import {
  type FileFacts,
  type Files,
  type OverwriteFile,
  type ReadBack,
  STEP_OCTETS,
} from "./files.ts";
import { realFiles } from "./files_io.ts";

/** A sync a few steps, so that one pass never fills a disk's queue at once. */
const STEPS_A_SYNC = 4;

/** What was done. */
export interface Overwritten {
  /** The file's size: so many octets were written in each pass. */
  readonly bytes: number;
  readonly passes: number;
  readonly readBack: ReadBack;
}

/** How far it is. */
export interface OverwriteProgress {
  readonly doing: "writing" | "reading back";
  /** From 1; reading back belongs to the last one. */
  readonly pass: number;
  readonly passes: number;
  /** Octets of this pass that are done. */
  readonly at: number;
  readonly bytes: number;
}

/** How {@link overwrite} goes about it. */
export interface OverwriteOptions {
  /** 1 or more. One is enough on any disk made this century. @default {1} */
  readonly passes?: number;
  readonly onProgress?: (progress: OverwriteProgress) => void;
  /** Awaited after each step: who has more urgent work, lets us wait here. */
  readonly pace?: () => Promise<void>;
  /** Asked at each step; true ends it with an error of kind `stopped`. */
  readonly isStopped?: () => boolean;
  /** @default {realFiles} */
  readonly files?: Files;
}

/**
 * Why a file is not known to be overwritten. Whoever catches it keeps the
 * file. The message says what, where, and what to do.
 *
 * - `unfit`: no regular file, or it cannot be opened; nothing was written
 * - `failed`: the disk refused; the file may be overwritten in part
 * - `differs`: what was read back is not what was written
 * - `changed`: the name meant another file, or the size was another, at the end
 * - `stopped`: {@link OverwriteOptions.isStopped}
 */
export class ShredError extends Error {
  override name = "ShredError";
  readonly kind: "unfit" | "failed" | "differs" | "changed" | "stopped";

  constructor(kind: ShredError["kind"], message: string, cause?: unknown) {
    super(message, { cause });
    this.kind = kind;
  }
}

/**
 * Overwrites the file at `path`; see the file's head. When the promise
 * settles, every descriptor on it is closed.
 *
 * @throws {ShredError} If it is not known to be overwritten
 */
export async function overwrite(
  path: string,
  options: OverwriteOptions = {},
): Promise<Overwritten> {
  const run = new Run(path, options);
  const { bytes, identity } = await run.write();
  const readBack = await run.readBack(bytes, identity);
  return { bytes, passes: run.passes, readBack };
}

/** One file, from the first look to the last. */
class Run {
  readonly passes: number;
  readonly #path: string;
  readonly #files: Files;
  readonly #options: OverwriteOptions;
  #key = randomBytes(32);

  constructor(path: string, options: OverwriteOptions) {
    const { passes = 1 } = options;
    if (!Number.isInteger(passes) || passes < 1) {
      throw new RangeError(`Cannot overwrite ${path}: passes is ${passes}`);
    }
    this.passes = passes;
    this.#path = path;
    this.#files = options.files ?? realFiles;
    this.#options = options;
  }

  /** All passes, each synced. */
  async write(): Promise<{ bytes: number; identity: string }> {
    const file = this.#open();
    try {
      const { sizeBytes: bytes, identity } = this.#fitFacts(file);
      for (let pass = 1; pass <= this.passes; pass++) {
        await this.#writePass(file, pass, bytes);
      }
      this.#mustBe(file.facts(), { bytes, identity });
      return { bytes, identity };
    } finally {
      file.close();
    }
  }

  /** Compares the whole file with what the last pass wrote. */
  async readBack(bytes: number, identity: string): Promise<ReadBack> {
    const back = this.#try(
      "open for reading back",
      0,
      () => this.#files.openBack(this.#path),
    );
    try {
      this.#mustBe(back.facts(), { bytes, identity });
      for (let at = 0; at < bytes;) {
        const octets = this.#try("read back", at, () => back.readAt(at));
        this.#compare(octets, at, bytes);
        at += Math.min(STEP_OCTETS, bytes - at);
        await this.#step("reading back", this.passes, at, bytes);
      }
      this.#mustBe(this.#try("look", 0, () => this.#files.look(this.#path)), {
        bytes,
        identity,
      });
      return back.from;
    } finally {
      back.close();
    }
  }

  #open(): OverwriteFile {
    try {
      return this.#files.open(this.#path);
    } catch (error) {
      throw this.#error(
        "unfit",
        `it cannot be opened for writing: ${saying(error)}`,
        "nothing was written: check the name and the rights",
        error,
      );
    }
  }

  #fitFacts(file: OverwriteFile): FileFacts {
    const open = this.#try("look at", 0, () => file.facts());
    const named = this.#try("look at", 0, () => this.#files.look(this.#path));
    if (open.isRegular && open.identity === named.identity) return open;
    throw this.#error(
      "unfit",
      open.isRegular
        ? "the name means another file than the one that opened"
        : "it is no regular file",
      "nothing was written: name the file itself, no link to it",
    );
  }

  async #writePass(
    file: OverwriteFile,
    pass: number,
    bytes: number,
  ): Promise<void> {
    this.#key = randomBytes(32);
    for (let at = 0, steps = 1; at < bytes; steps++) {
      const octets = this.#octets(at, bytes);
      this.#writeFully(file, octets, at);
      at += octets.length;
      if (steps % STEPS_A_SYNC === 0) await this.#sync(file, at);
      await this.#step("writing", pass, at, bytes);
    }
    // Also if the last step was just synced: a pass ends with one of its own.
    await this.#sync(file, bytes);
  }

  #writeFully(file: OverwriteFile, octets: Uint8Array, at: number): void {
    for (let done = 0; done < octets.length;) {
      const rest = octets.subarray(done);
      const wrote = this.#try(
        "write",
        at + done,
        () => file.writeAt(rest, at + done),
      );
      if (!(wrote > 0)) {
        throw this.#failed("write", at + done, "the system wrote nothing");
      }
      done += wrote;
    }
  }

  async #sync(file: OverwriteFile, upTo: number): Promise<void> {
    try {
      await file.syncData();
    } catch (error) {
      // Never again on this file: the kernel calls the pages clean now.
      throw this.#failed("sync", upTo, saying(error), error);
    }
  }

  #compare(octets: Uint8Array, at: number, bytes: number): void {
    const wanted = this.#octets(at, bytes);
    if (octets.length !== wanted.length) {
      const why = `got ${octets.length} octets instead of ${wanted.length}`;
      throw this.#failed("read back", at, why);
    }
    if (wanted.equals(octets)) return;
    throw this.#error(
      "differs",
      `what was read back at octet ${at} is not what was written`,
      "the disk does not keep what it is given: copy what you need from it " +
        "and replace it",
    );
  }

  /** The keystream of the step at `at`: its number is the nonce. */
  #octets(at: number, bytes: number): Buffer {
    const iv = new Uint8Array(16);
    new DataView(iv.buffer).setUint32(12, at / STEP_OCTETS);
    return createCipheriv("chacha20", this.#key, iv)
      .update(ZEROS.subarray(0, Math.min(STEP_OCTETS, bytes - at)));
  }

  async #step(
    doing: OverwriteProgress["doing"],
    pass: number,
    at: number,
    bytes: number,
  ): Promise<void> {
    const { onProgress, isStopped, pace = nextTurn } = this.#options;
    onProgress?.({ doing, pass, passes: this.passes, at, bytes });
    await pace();
    if (isStopped?.() !== true) return;
    throw this.#error("stopped", `stopped while ${doing}`, "begin again");
  }

  #mustBe(facts: FileFacts, was: { bytes: number; identity: string }): void {
    const isSame = facts.isRegular && facts.identity === was.identity;
    if (isSame && facts.sizeBytes === was.bytes) return;
    throw this.#error(
      "changed",
      isSame
        ? `its size became ${facts.sizeBytes} octets and was ${was.bytes}`
        : "its name came to mean another file meanwhile",
      "see that nobody else uses it, and begin again",
    );
  }

  #try<T>(doing: string, at: number, operation: () => T): T {
    try {
      return operation();
    } catch (error) {
      throw this.#failed(doing, at, saying(error), error);
    }
  }

  #failed(
    doing: string,
    at: number,
    why: string,
    cause?: unknown,
  ): ShredError {
    return this.#error(
      "failed",
      `cannot ${doing} at octet ${at}: ${why}`,
      "the file is kept, and its old content may still be in it: look at " +
        "the disk and the kernel's log, and begin again",
      cause,
    );
  }

  #error(
    kind: ShredError["kind"],
    what: string,
    todo: string,
    cause?: unknown,
  ): ShredError {
    return new ShredError(
      kind,
      `Cannot overwrite ${this.#path}: ${what}; ${todo}`,
      cause,
    );
  }
}

const ZEROS = new Uint8Array(STEP_OCTETS);

function saying(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 0));
}
