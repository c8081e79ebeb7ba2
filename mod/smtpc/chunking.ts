/**
 * Content to wire for a BINARYMIME message (RFC 3030 §2): the command BDAT with
 * all of it as the last chunk, octet for octet. Pure. The only way on which a
 * bare CR or LF, or a NUL, ever leaves us.
 */

const NOTHING = new Uint8Array(0);

/** Has the form of a `Stuffer`. Feed it chunks, then {@link end}. */
export class Chunker {
  readonly #mustBe: number | undefined;
  #octets = 0;
  #hasEnded = false;
  readonly eightBit = true;

  /** @param mustBe Octets of an earlier reading */
  constructor(mustBe?: number) {
    this.#mustBe = mustBe;
  }

  /** Set if there are more or fewer octets than BDAT has said. */
  get fault(): "another size" | undefined {
    if (this.#mustBe === undefined) return undefined;
    return this.#octets > this.#mustBe ||
        (this.#hasEnded && this.#octets < this.#mustBe)
      ? "another size"
      : undefined;
  }

  /** The command, known when all was read once. */
  get before(): Uint8Array {
    return new TextEncoder().encode(`BDAT ${this.#octets} LAST\r\n`);
  }

  /** One for the reading that goes out behind {@link before}. */
  again(): Chunker {
    return new Chunker(this.#octets);
  }

  /** Returns the next octets for the wire. */
  push(chunk: Uint8Array): Uint8Array {
    this.#octets += chunk.length;
    return chunk.slice();
  }

  /** Nothing follows a last chunk. */
  end(): Uint8Array {
    this.#hasEnded = true;
    return NOTHING;
  }
}
