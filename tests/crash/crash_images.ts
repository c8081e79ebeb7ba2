/**
 * What a recorded disk may hold after a power cut: all that a completed flush
 * covered, and of what was written since then all, nothing, or any part, for
 * a drive writes from its cache in whatever order it likes.
 */
import { Buffer } from "node:buffer";
import type { DeviceEvent } from "./recorder_worker.ts";

/** The unit that a drive writes whole. */
const SECTOR = 512;
/** Of the writes that reach the disk at all, one in so many is torn. */
const TORN_ONE_IN = 4;
/** What is compared and written at a time. */
const BLOCK = 4_096;
const STEP = 256 * BLOCK;

/**
 * What becomes of the writes after the last flush: `all` of them reach the
 * disk, `none`, or `some`, at random, some of those in part.
 */
export type Tail = "all" | "none" | "some";

/** Builds images, at ever later events. */
export class CrashImages {
  readonly #events: readonly DeviceEvent[];
  /** All that is certain at {@link CrashImages.#flushed}. */
  readonly #certain: Uint8Array;
  readonly #image: Uint8Array;
  /** Events that the last flush covers, and itself. */
  #flushed = 0;

  /** @param first The disk before the first event; becomes ours */
  constructor(first: Uint8Array, events: readonly DeviceEvent[]) {
    this.#events = events;
    this.#certain = first;
    this.#image = new Uint8Array(first.length);
  }

  /**
   * The disk when the power was cut after `count` events. Valid until the
   * next call.
   *
   * @param count Not less than at the call before
   * @param random Uniform in [0, 1)
   */
  at(count: number, tail: Tail, random: () => number): Uint8Array {
    this.#advance(count);
    this.#image.set(this.#certain);
    if (tail === "none") return this.#image;
    for (const { offset, octets } of this.#events.slice(this.#flushed, count)) {
      if (octets === undefined) continue;
      if (tail === "all") this.#image.set(octets, offset);
      else if (random() < 0.5) this.#put(offset, octets, random);
    }
    return this.#image;
  }

  #advance(count: number): void {
    if (count < this.#flushed) throw new RangeError("Cannot go back in time");
    for (let at = count - 1; at >= this.#flushed; at--) {
      if (this.#events[at]!.octets !== undefined) continue;
      for (const { offset, octets } of this.#events.slice(this.#flushed, at)) {
        if (octets !== undefined) this.#certain.set(octets, offset);
      }
      this.#flushed = at + 1;
      return;
    }
  }

  #put(offset: number, octets: Uint8Array, random: () => number): void {
    const isTorn = random() * TORN_ONE_IN < 1;
    for (let at = 0; at < octets.length; at += SECTOR) {
      if (isTorn && random() < 0.5) continue;
      this.#image.set(octets.subarray(at, at + SECTOR), offset + at);
    }
  }
}

/**
 * Makes a file equal to an image, writing only the blocks that differ: what
 * a recovery changed is undone, and the file stays sparse.
 */
export function writeImage(path: string, image: Uint8Array): void {
  using file = Deno.openSync(path, { read: true, write: true });
  const there = new Uint8Array(STEP);
  for (let from = 0; from < image.length; from += STEP) {
    const want = image.subarray(from, from + STEP);
    file.seekSync(from, Deno.SeekMode.Start);
    readFully(file, there.subarray(0, want.length));
    for (let at = 0; at < want.length; at += BLOCK) {
      const block = want.subarray(at, at + BLOCK);
      if (isEqual(there.subarray(at, at + block.length), block)) continue;
      file.seekSync(from + at, Deno.SeekMode.Start);
      if (file.writeSync(block) !== block.length) {
        throw new Error(`Cannot write a block of ${path}`);
      }
    }
  }
}

function readFully(file: Deno.FsFile, into: Uint8Array): void {
  for (let at = 0; at < into.length;) {
    const got = file.readSync(into.subarray(at));
    if (got === null) throw new Error("The image is too short");
    at += got;
  }
}

function isEqual(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0;
}

/** Numbers in [0, 1) that are the same for the same seed (mulberry32). */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
