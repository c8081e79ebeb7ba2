/**
 * Finds tens of thousands of patterns in a file of any size, in one pass: Wu
 * and Manber's algorithm (1994) with blocks of three octets. Where no pattern
 * can end it skips nearly a whole pattern's length, so that half a gigabyte
 * takes a second or two.
 *
 * It shares no code with the server: it is to find what the server overlooks.
 */
import { Buffer } from "node:buffer";

/** Octets to look for. */
export interface Pattern<T> {
  readonly octets: Uint8Array;
  /** Told with every hit. */
  readonly means: T;
}

/** One place where a pattern stands. */
export interface Hit<T> {
  readonly means: T;
  /** Of its first octet. */
  readonly offset: number;
  /** Behind its last octet. */
  readonly end: number;
}

/** Shorter patterns would let it skip too little. */
const LEAST_OCTETS = 8;
const BLOCK = 3;
const READ_OCTETS = 4_194_304;

/** A set of patterns, ready to be looked for. */
export class PatternSearch<T> {
  /** By the three octets before a window's end: how far to go on. */
  readonly #skips: Uint8Array;
  /** By a hash over a window: the patterns that begin with it. */
  readonly #candidates = new Map<number, Pattern<T>[]>();
  readonly #window: number;
  readonly #longest: number;

  /** @throws {RangeError} If there is none, or one is too short */
  constructor(patterns: readonly Pattern<T>[]) {
    const lengths = patterns.map(({ octets }) => octets.length);
    this.#window = lengths.reduce((a, b) => Math.min(a, b), 255);
    this.#longest = lengths.reduce((a, b) => Math.max(a, b), 0);
    if (patterns.length === 0 || this.#window < LEAST_OCTETS) {
      throw new RangeError(
        `Cannot search for ${patterns.length} patterns of ` +
          `${this.#window} octets`,
      );
    }
    this.#skips = new Uint8Array(1 << 24).fill(this.#window - BLOCK + 1);
    for (const pattern of patterns) this.#add(pattern);
  }

  /** Every hit in `octets`; `offset` is that of its first octet. */
  find(octets: Uint8Array, offset = 0): Hit<T>[] {
    const hits: Hit<T>[] = [];
    const skips = this.#skips;
    for (let end = this.#window; end <= octets.length;) {
      const skip = skips[blockBefore(octets, end)]!;
      if (skip > 0) {
        end += skip;
        continue;
      }
      const at = end - this.#window;
      for (const one of this.#candidatesAt(octets, at)) {
        if (standsAt(octets, at, one.octets)) {
          const from = offset + at;
          const to = from + one.octets.length;
          hits.push({ means: one.means, offset: from, end: to });
        }
      }
      end++;
    }
    return hits;
  }

  /** Every hit in a file or a block device. */
  findInFile(path: string): Hit<T>[] {
    using file = Deno.openSync(path);
    const overlap = this.#longest - 1;
    const buffer = new Uint8Array(overlap + READ_OCTETS);
    const hits: Hit<T>[] = [];
    let held = 0;
    for (let offset = 0;;) {
      const got = file.readSync(buffer.subarray(held));
      if (got === null) return hits;
      const filled = buffer.subarray(0, held + got);
      const keep = Math.min(overlap, filled.length);
      for (const hit of this.find(filled, offset - held)) {
        // What lies wholly in the overlap was found the last time.
        if (hit.end > offset) hits.push(hit);
      }
      offset += got;
      buffer.copyWithin(0, filled.length - keep, filled.length);
      held = keep;
    }
  }

  #add(pattern: Pattern<T>): void {
    for (let end = BLOCK; end <= this.#window; end++) {
      const block = blockBefore(pattern.octets, end);
      const skip = this.#window - end;
      this.#skips[block] = Math.min(this.#skips[block]!, skip);
    }
    const hash = windowHash(pattern.octets, 0, this.#window);
    const others = this.#candidates.get(hash);
    if (others === undefined) this.#candidates.set(hash, [pattern]);
    else others.push(pattern);
  }

  #candidatesAt(octets: Uint8Array, at: number): readonly Pattern<T>[] {
    return this.#candidates.get(windowHash(octets, at, this.#window)) ?? [];
  }
}

/**
 * The forms in which octets may lie on a disk: as they are, as hexadecimal
 * digits, as base64 wherever its groups of three begin.
 */
export function formsOf(octets: Uint8Array): Uint8Array[] {
  const bytes = Buffer.from(octets);
  const hex = bytes.toString("hex");
  const base64 = [0, 1, 2].flatMap((before) => {
    const shifted = Buffer.concat([Buffer.alloc(before), bytes]);
    // The first and last digits also depend on the octets beside ours.
    const from = Math.ceil(before * 8 / 6);
    const to = Math.floor(shifted.length * 8 / 6);
    const text = shifted.toString("base64").slice(from, to);
    const urlText = text.replaceAll("+", "-").replaceAll("/", "_");
    return urlText === text ? [text] : [text, urlText];
  });
  const texts = [hex, hex.toUpperCase(), ...base64];
  return [
    octets,
    ...texts.map((text) => Uint8Array.from(Buffer.from(text, "latin1"))),
  ];
}

function blockBefore(octets: Uint8Array, end: number): number {
  return octets[end - 3]! | octets[end - 2]! << 8 | octets[end - 1]! << 16;
}

function windowHash(octets: Uint8Array, at: number, length: number): number {
  let hash = 0x811c9dc5;
  for (let i = at; i < at + length; i++) {
    hash = Math.imul(hash ^ octets[i]!, 0x01000193);
  }
  return hash;
}

function standsAt(octets: Uint8Array, at: number, want: Uint8Array): boolean {
  if (at + want.length > octets.length) return false;
  for (let i = 0; i < want.length; i++) {
    if (octets[at + i] !== want[i]) return false;
  }
  return true;
}
