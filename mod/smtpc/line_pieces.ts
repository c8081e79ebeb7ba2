/**
 * Cuts octets into lines, their CRLF included. A line longer than
 * {@link LINE_PIECE} comes in pieces of that size, wherever the input was cut;
 * so memory is constant, and a line that fits is always whole. Pure.
 */

/** No line of a message may be longer than 1,000 octets, RFC 5321 §4.5.3.1.6. */
export const LINE_PIECE = 4_096;

const CR = 0x0d;
const LF = 0x0a;

/** A line, or a piece of a long one; valid during the call only. */
export interface LinePiece {
  readonly octets: Uint8Array;
  readonly isStart: boolean;
  /** True if the line ends here. */
  readonly isEnd: boolean;
}

/** Cuts one message. Feed it chunks, then {@link end}. */
export class LinePieces {
  readonly #take: (piece: LinePiece) => void;
  readonly #held = new Uint8Array(LINE_PIECE);
  #length = 0;
  #isStart = true;

  constructor(take: (piece: LinePiece) => void) {
    this.#take = take;
  }

  /** Takes the next octets. */
  push(chunk: Uint8Array): void {
    let from = 0;
    while (from < chunk.length) {
      const at = chunk.indexOf(LF, from);
      const to = at < 0 ? chunk.length : at + 1;
      const room = LINE_PIECE - this.#length;
      if (this.#length === 0 && at >= 0 && to - from <= room) {
        this.#give(chunk.subarray(from, to), true); // whole, and not copied
        from = to;
        continue;
      }
      const next = Math.min(to, from + room);
      this.#held.set(chunk.subarray(from, next), this.#length);
      this.#length += next - from;
      from = next;
      if (at >= 0 && next === to) this.#flush(true);
      else if (this.#length === LINE_PIECE) this.#flush(false);
    }
  }

  /** Gives what is left: a last line without an end. */
  end(): void {
    if (this.#length > 0) this.#flush(true);
  }

  #flush(isEnd: boolean): void {
    // A CR stays with its LF.
    const holdsBack = !isEnd && this.#held[this.#length - 1] === CR;
    const length = holdsBack ? this.#length - 1 : this.#length;
    this.#length = 0;
    this.#give(this.#held.subarray(0, length), isEnd);
    if (holdsBack) this.#held[this.#length++] = CR;
  }

  #give(octets: Uint8Array, isEnd: boolean): void {
    const isStart = this.#isStart;
    this.#isStart = isEnd;
    this.#take({ octets, isStart, isEnd });
  }
}

/** True if the piece ends its line with CRLF. */
export function endsLine({ octets, isEnd }: LinePiece): boolean {
  return isEnd && octets.at(-1) === LF;
}
