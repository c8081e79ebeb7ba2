/**
 * Wrong passwords of late, by login and network: a mail program that goes on
 * trying an old password makes no new guess by it, and is not to lock its
 * owner's other devices out.
 *
 * Kept as HMACs under a key of this process: they say nothing to who reads
 * them, and compare with nothing but themselves.
 */
import { Buffer } from "node:buffer";
import { randomBytes } from "node:crypto";
import { hmac } from "../login/scram_keys.ts";

/** Guesses kept of one name. */
const MAX_GUESSES = 8;
const MAX_NAMES = 20_000;
const DIGEST_OCTETS = 12;

/** See the file's header. */
export class RecentGuesses {
  readonly #key = randomBytes(32);
  /** In the order of their last new guess. */
  readonly #guesses = new Map<string, readonly string[]>();

  /** Takes note of a wrong password; false if it was there already. */
  isNew(name: string, password: string): boolean {
    const digest = Buffer.from(hmac(this.#key, `${name}\0${password}`))
      .toString("base64url", 0, DIGEST_OCTETS);
    const before = this.#guesses.get(name) ?? [];
    if (before.includes(digest)) return false;
    this.#guesses.delete(name);
    this.#guesses.set(name, [...before, digest].slice(-MAX_GUESSES));
    if (this.#guesses.size > MAX_NAMES) {
      const oldest = this.#guesses.keys().next().value;
      if (oldest !== undefined) this.#guesses.delete(oldest);
    }
    return true;
  }
}
