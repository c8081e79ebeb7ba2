/**
 * Reads a message out of BDAT chunks, RFC 3030 §2: their octets and nothing
 * else, whatever they look like. No dot is stuffed and none ends anything.
 *
 * A bare CR, a bare LF or a NUL spoils a message here as in `data_reader.ts`,
 * across chunks too: what one server takes for text must be text for the next,
 * which may speak DATA only. Only BINARYMIME (RFC 3030 §3) may have them.
 */
import type { Spoilt } from "./data_reader.ts";

const CR = 0x0d;
const LF = 0x0a;

/** One message's octets, from its first BDAT to the end of its last. */
export class ChunkReader {
  readonly #emit: (piece: Uint8Array) => void;
  readonly #isBinary: boolean;
  /** Octets of the chunk under way that are still to come. */
  #left = 0;
  #isLast = false;
  #ended = false;
  #afterCr = false;
  #spoilt: Spoilt | undefined;

  /**
   * @param emit Takes the message's octets, in order, as parts of the pushed
   * ones; nothing more once the message is spoilt
   * @param isBinary Takes any octets
   */
  constructor(emit: (piece: Uint8Array) => void, isBinary: boolean) {
    this.#emit = emit;
    this.#isBinary = isBinary;
  }

  /** True once the last chunk was read. */
  get ended(): boolean {
    return this.#ended;
  }

  /** The first fault found, undefined while there is none. */
  get spoilt(): Spoilt | undefined {
    return this.#spoilt;
  }

  /** True if no octet of the chunk under way is missing. */
  get isBetween(): boolean {
    return this.#left === 0;
  }

  /**
   * Begins a chunk.
   *
   * @throws {RangeError} If another one is under way or was the last: a caller
   * bug
   */
  begin(sizeBytes: number, isLast: boolean): void {
    if (this.#left > 0 || this.#ended) {
      throw new RangeError("Cannot begin chunk: out of place");
    }
    this.#left = sizeBytes;
    this.#isLast = isLast;
    this.#endChunk();
  }

  /**
   * Reads on.
   *
   * @returns How many octets belong to the chunk: less than all of them only
   * if it ended
   */
  push(bytes: Uint8Array): number {
    const used = Math.min(this.#left, bytes.length);
    if (used === 0) return 0;
    const piece = bytes.subarray(0, used);
    if (!this.#isBinary) this.#scan(piece);
    if (this.#spoilt === undefined) this.#emit(piece);
    this.#left -= used;
    this.#endChunk();
    return used;
  }

  #endChunk(): void {
    if (this.#left > 0 || !this.#isLast) return;
    this.#ended = true;
    if (this.#afterCr) this.#spoilt ??= "bare-cr";
  }

  #scan(piece: Uint8Array): void {
    let afterCr = this.#afterCr;
    for (let at = 0; at < piece.length; at++) {
      const octet = piece[at]!;
      if (afterCr !== (octet === LF)) {
        this.#spoilt ??= afterCr ? "bare-cr" : "bare-lf";
      }
      if (octet === 0) this.#spoilt ??= "nul";
      afterCr = octet === CR;
    }
    this.#afterCr = afterCr;
  }
}
