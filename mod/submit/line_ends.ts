/**
 * A local program's line ends become those of the mail: LF and CRLF are CRLF,
 * and so is a CR that stands alone, for what goes out never has one (RFC 5321
 * §2.3.8). NUL is left out (RFC 5322 §4: none may be generated).
 */
const NUL = 0x00;
const LF = 0x0a;
const CR = 0x0d;

/** Converts one message while it streams by. */
export class LineEnds {
  readonly #emit: (piece: Uint8Array) => void;
  #lastIsCr = false;
  #isEmpty = true;
  #endsLine = true;
  /** An octet above 127 came by. */
  has8Bit = false;

  /** @param emit Takes the octets, in order; they do not change afterwards */
  constructor(emit: (piece: Uint8Array) => void) {
    this.#emit = emit;
  }

  /** Reads on, in any cut. */
  push(bytes: Uint8Array): void {
    const out = new Uint8Array(2 * bytes.length + 2);
    let to = 0;
    for (const octet of bytes) {
      if (this.#lastIsCr) {
        this.#lastIsCr = false;
        out[to++] = CR;
        out[to++] = LF;
        if (octet === LF) continue;
      }
      if (octet === CR) this.#lastIsCr = true;
      else if (octet === LF) {
        out[to++] = CR;
        out[to++] = LF;
      } else if (octet !== NUL) {
        out[to++] = octet;
        if (octet > 0x7f) this.has8Bit = true;
      }
    }
    this.#send(out.subarray(0, to));
  }

  /** The message is complete: its last line gets its end. */
  end(): void {
    const owesEnd = this.#lastIsCr || (!this.#isEmpty && !this.#endsLine);
    this.#lastIsCr = false;
    if (owesEnd) this.#send(new Uint8Array([CR, LF]));
  }

  #send(piece: Uint8Array): void {
    if (piece.length === 0) return;
    this.#isEmpty = false;
    this.#endsLine = piece[piece.length - 1] === LF;
    this.#emit(piece);
  }
}
