/**
 * Ends a message at a line with a single dot, as `sendmail` without `-i` does.
 * No dot is doubled there, so none is taken away.
 */
const LF = 0x0a;
const CR = 0x0d;
const DOT = 0x2e;

/** Reads one message. */
export class DotLine {
  readonly #emit: (piece: Uint8Array) => void;
  /** Octets of a line that may be the last one: `.` or `.` and CR. */
  #held: number[] = [];
  #isLineStart = true;
  /** The dot was read; what follows is no part of the message. */
  ended = false;

  /** @param emit Takes the message's octets */
  constructor(emit: (piece: Uint8Array) => void) {
    this.#emit = emit;
  }

  /** Reads on, in any cut. */
  push(bytes: Uint8Array): void {
    let from = 0;
    for (let i = 0; i < bytes.length && !this.ended; i++) {
      const octet = bytes[i]!;
      if (this.#held.length === 0) {
        if (this.#isLineStart && octet === DOT) {
          this.#send(bytes.subarray(from, i));
          this.#held = [DOT];
          from = i + 1;
        }
      } else if (octet === LF) {
        this.ended = true;
        this.#held = [];
        return;
      } else if (octet === CR && this.#held.length === 1) {
        this.#held.push(CR);
        from = i + 1;
      } else {
        this.#send(new Uint8Array(this.#held));
        this.#held = [];
        from = i;
      }
      this.#isLineStart = octet === LF;
    }
    this.#send(bytes.subarray(from));
  }

  /** Nothing more comes. A dot without its line end is one, too. */
  end(): void {
    if (this.#held.length > 0) this.ended = true;
    this.#held = [];
  }

  #send(piece: Uint8Array): void {
    if (piece.length > 0) this.#emit(piece);
  }
}
