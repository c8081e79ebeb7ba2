/**
 * Seals a message as it streams by, in constant memory, under a new random
 * key. See `format.ts` for the form.
 */
import { countRead } from "../core/read_buffers.ts";
import { createCipheriv, randomBytes } from "node:crypto";
import {
  CHUNK_OCTETS,
  chunkNonce,
  CIPHER,
  encodeHeader,
  HEADER_OCTETS,
  KEY_OCTETS,
  RECORD_ID_OCTETS,
  recordLength,
  TAG_OCTETS,
} from "./format.ts";

/** Smallest buffer for a message's first octets; most messages are small. */
const FIRST_BUFFER = 4_096;

/**
 * Seals one message.
 *
 * Holds at most one chunk of plaintext: the last chunk is sealed differently,
 * so a full one waits until more comes or the message ends. What
 * {@link Sealer.push} and {@link Sealer.finish} give out, in order, is the
 * record: one piece a chunk, the header with the first.
 */
export class Sealer {
  readonly #key = randomBytes(KEY_OCTETS);
  readonly #header = encodeHeader(randomBytes(RECORD_ID_OCTETS));
  readonly #put: (piece: Uint8Array) => void;
  #buffer = new Uint8Array(0);
  #held = 0;
  #chunks = 0;
  #sizeBytes = 0;
  #state: "open" | "finished" | "forgotten" = "open";

  /**
   * @param put Takes the record's octets in order; each piece is its own.
   * What it throws passes through `push` and `finish`, after which only
   * `forget` may be called
   */
  constructor(put: (piece: Uint8Array) => void) {
    this.#put = put;
  }

  /** Octets of the message so far. */
  get sizeBytes(): number {
    return this.#sizeBytes;
  }

  /** Octets of the record if the message ended now. */
  get length(): number {
    return recordLength(this.#sizeBytes);
  }

  /** Takes the message's next octets; they are the caller's again afterwards. */
  push(plaintext: Uint8Array): void {
    this.#mustBe("open");
    for (let at = 0; at < plaintext.length;) {
      if (this.#held === CHUNK_OCTETS) this.#seal(false);
      const part = plaintext.subarray(at, at + CHUNK_OCTETS - this.#held);
      this.#makeRoom(this.#held + part.length);
      this.#buffer.set(part, this.#held);
      this.#held += part.length;
      this.#sizeBytes += part.length;
      at += part.length;
    }
  }

  /** Completes the record. */
  finish(): void {
    this.#mustBe("open");
    this.#seal(true);
    this.#state = "finished";
    this.#buffer = new Uint8Array(0);
  }

  /** Gives the key out as base64 and forgets it. Once, after `finish`. */
  takeKey(): string {
    this.#mustBe("finished");
    const key = this.#key.toString("base64");
    this.forget();
    return key;
  }

  /** Overwrites the key and the held plaintext: the record stays unreadable. */
  forget(): void {
    this.#key.fill(0);
    this.#buffer.fill(0);
    this.#state = "forgotten";
  }

  #mustBe(state: "open" | "finished"): void {
    if (this.#state !== state) {
      throw new RangeError(`Cannot use sealer: it is ${this.#state}`);
    }
  }

  #makeRoom(octets: number): void {
    if (octets <= this.#buffer.length) return;
    const size = Math.max(FIRST_BUFFER, octets, this.#buffer.length * 2);
    const larger = new Uint8Array(Math.min(CHUNK_OCTETS, size));
    larger.set(this.#buffer.subarray(0, this.#held));
    this.#buffer.fill(0);
    this.#buffer = larger;
  }

  #seal(isLast: boolean): void {
    const plaintext = this.#buffer.subarray(0, this.#held);
    const nonce = chunkNonce(this.#chunks, isLast);
    const cipher = createCipheriv(CIPHER, this.#key, nonce, {
      authTagLength: TAG_OCTETS,
    });
    cipher.setAAD(this.#header, { plaintextLength: plaintext.length });
    const sealed = cipher.update(plaintext);
    cipher.final();
    const before = this.#chunks === 0 ? HEADER_OCTETS : 0;
    const piece = new Uint8Array(before + sealed.length + TAG_OCTETS);
    countRead(piece.length);
    if (before > 0) piece.set(this.#header);
    piece.set(sealed, before);
    piece.set(cipher.getAuthTag(), before + sealed.length);
    this.#put(piece);
    plaintext.fill(0);
    this.#held = 0;
    this.#chunks++;
  }
}
