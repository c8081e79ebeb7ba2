/**
 * What a message may be found by, beside its id: its addresses and the words
 * of its subject, as keyed digests (HMAC-SHA-256, 8 octets of it). The key is
 * of this installation alone, made once, in a file that only the queue's user
 * can read: a copy of the database without it tells nobody a word.
 */
import { Buffer } from "node:buffer";
import { createHash, type Hash } from "node:crypto";
import fs from "node:fs";
import type { Event } from "./event.ts";

const KEY_BYTES = 32;
/** So few that two terms of one installation are hardly ever the same. */
const TERM_BYTES = 8;
/** Addresses whose digests are remembered: most mail is of and for a few. */
const MAX_KNOWN = 1_000;

/** Name of the key's file beside the history's database. */
export function termKeyPath(dir: string): string {
  return `${dir}/words.key`;
}

/** Makes terms. */
export class Terms {
  readonly #inner: Hash;
  readonly #outer: Hash;
  readonly #known = new Map<string, Buffer>();

  /** @param key See {@link openTermKey} */
  constructor(key: Uint8Array) {
    this.#inner = keyed(key, 0x36);
    this.#outer = keyed(key, 0x5c);
  }

  /** The term of an address, in whatever case it was written. */
  ofAddress(address: string): Buffer {
    const known = this.#known.get(address);
    if (known !== undefined) return known;
    const term = this.#digest(`a:${address.toLowerCase()}`);
    if (this.#known.size >= MAX_KNOWN) this.#known.clear();
    this.#known.set(address, term);
    return term;
  }

  /** The term of a word, see `core/subject_words.ts`. */
  ofWord(word: string): Buffer {
    return this.#digest(`w:${word}`);
  }

  /** Terms of what happened to a message, each once, one behind the other. */
  ofStory(story: readonly Event[]): Buffer {
    const addresses = new Set<string>();
    const words = new Set<string>();
    for (const { recipient, taken, words: more } of story) {
      if (recipient !== "") addresses.add(recipient);
      if (taken !== undefined && taken.sender !== "") {
        addresses.add(taken.sender);
      }
      for (const address of taken?.recipients ?? []) addresses.add(address);
      for (const word of more ?? []) words.add(word);
    }
    return Buffer.concat([
      ...[...addresses].map((address) => this.ofAddress(address)),
      ...[...words].map((word) => this.ofWord(word)),
    ]);
  }

  // HMAC, RFC 2104 §2, with the key's share of it done once: half the time.
  #digest(text: string): Buffer {
    const inner = this.#inner.copy().update(text).digest();
    return this.#outer.copy().update(inner).digest().subarray(0, TERM_BYTES);
  }
}

/** SHA-256 that has read the key's block. */
function keyed(key: Uint8Array, pad: number): Hash {
  const block = new Uint8Array(64).fill(pad);
  for (const [i, octet] of key.entries()) block[i]! ^= octet;
  return createHash("sha256").update(block);
}

/** What {@link Terms.ofStory} joined. */
export function* eachTerm(joined: Uint8Array): Generator<Uint8Array> {
  for (let at = 0; at + TERM_BYTES <= joined.length; at += TERM_BYTES) {
    yield joined.subarray(at, at + TERM_BYTES);
  }
}

/**
 * The installation's key; made if there is none, or none that is whole. What
 * was found by an earlier one is found no more.
 *
 * @throws {Error} If the disk says no
 */
export function openTermKey(dir: string): Uint8Array {
  const found = readTermKey(dir);
  if (found !== undefined) return found;
  const key = crypto.getRandomValues(new Uint8Array(KEY_BYTES));
  const path = termKeyPath(dir);
  const fresh = `${path}.new`;
  fs.rmSync(fresh, { force: true });
  const fd = fs.openSync(fresh, "wx", 0o600);
  try {
    fs.writeSync(fd, key);
    fs.fsyncSync(fd);
  } finally {
    fs.closeSync(fd);
  }
  fs.renameSync(fresh, path);
  return key;
}

/** The same for who only looks; undefined if there is none. */
export function readTermKey(dir: string): Uint8Array | undefined {
  try {
    const key = fs.readFileSync(termKeyPath(dir));
    return key.length === KEY_BYTES ? key : undefined;
  } catch (error) {
    if ((error as { code?: unknown }).code === "ENOENT") return undefined;
    throw error;
  }
}
