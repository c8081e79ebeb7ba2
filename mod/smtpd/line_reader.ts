/**
 * Cuts what a client sends into command lines (RFC 5321 §2.3.8, §4.5.3.1.4).
 *
 * A line ends at CRLF and nowhere else. A line with a bare CR, a bare LF or a
 * NUL in it, or one that is too long, is reported once, as early as it is
 * known, and then skipped up to its real CRLF: what stands behind a bare LF
 * never runs as a command of its own.
 */

/** Longest command line in octets with its CRLF; RFC 5321 asks for 512. */
export const MAX_COMMAND_LINE = 2_048;
/** Octets of a faulty line that are skipped before the client is cut off. */
export const MAX_SKIPPED = 65_536;

/** Why a line is no line. */
export type LineFault = "bare-lf" | "bare-cr" | "nul" | "too-long";

/** What the next octets are. */
export type Line =
  /** A command line without its CRLF, octets as UTF-16 units. */
  | { readonly is: "line"; readonly text: string }
  /** A faulty line; the rest of it is skipped. */
  | { readonly is: "fault"; readonly fault: LineFault }
  /** A faulty line that does not end. Nothing more can be read. */
  | { readonly is: "flood" };

const CR = 0x0d;
const LF = 0x0a;
const NOTHING = new Uint8Array(0);

/** Reads command lines from octets in any cut. */
export class LineReader {
  #held: Uint8Array = NOTHING;
  #at = 0;
  /** Octets skipped of the faulty line under way; undefined outside one. */
  #skipped: number | undefined;
  #skippedCr = false;
  readonly #maxLine: number;

  /** @param maxLine Longest line in octets with its CRLF */
  constructor(maxLine: number = MAX_COMMAND_LINE) {
    this.#maxLine = maxLine;
  }

  /** Octets that wait to be read. The caller bounds them by not pushing. */
  get pending(): number {
    return this.#held.length - this.#at;
  }

  /** Takes more octets; they must not change afterwards. */
  push(bytes: Uint8Array): void {
    if (this.pending === 0) {
      this.#held = bytes;
    } else {
      const joined = new Uint8Array(this.pending + bytes.length);
      joined.set(this.#held.subarray(this.#at));
      joined.set(bytes, this.pending);
      this.#held = joined;
    }
    this.#at = 0;
  }

  /** Hands out everything that waits, and forgets it. */
  takeRest(): Uint8Array {
    const rest = this.#held.subarray(this.#at);
    this.#held = NOTHING;
    this.#at = 0;
    return rest;
  }

  /** The next line or fault, undefined if more octets are needed. */
  next(): Line | undefined {
    if (this.#skipped !== undefined && !this.#skip(this.#skipped)) {
      return this.#skipped > MAX_SKIPPED ? { is: "flood" } : undefined;
    }
    const lf = this.#held.indexOf(LF, this.#at);
    const end = lf < 0 ? this.#held.length : lf + 1;
    if (end - this.#at > this.#maxLine) return this.#fault("too-long");
    if (lf < 0) return undefined;
    if (lf === this.#at || this.#held[lf - 1] !== CR) {
      return this.#fault("bare-lf");
    }
    const octets = this.#held.subarray(this.#at, lf - 1);
    if (octets.includes(CR)) return this.#fault("bare-cr");
    if (octets.includes(0)) return this.#fault("nul");
    this.#at = end;
    this.#release();
    return { is: "line", text: String.fromCharCode(...octets) };
  }

  /**
   * The lines that {@link next} is going to hand out, up to `count` of them
   * and to the first that is not whole or not as it should be. Takes none.
   */
  *ahead(count: number): Generator<string> {
    if (this.#skipped !== undefined) return;
    let at = this.#at;
    for (let n = 0; n < count; n++) {
      const lf = this.#held.indexOf(LF, at);
      if (lf <= at || lf + 1 - at > this.#maxLine) return;
      const octets = this.#held.subarray(at, lf - 1);
      if (this.#held[lf - 1] !== CR || octets.includes(CR)) return;
      if (octets.includes(0)) return;
      yield String.fromCharCode(...octets);
      at = lf + 1;
    }
  }

  #fault(fault: LineFault): Line {
    this.#skipped = 0;
    this.#skippedCr = false;
    return { is: "fault", fault };
  }

  /** Skips to the CRLF of a faulty line; true when it is behind us. */
  #skip(before: number): boolean {
    let at = this.#at;
    for (; at < this.#held.length; at++) {
      const octet = this.#held[at]!;
      if (octet === LF && this.#skippedCr) {
        this.#at = at + 1;
        this.#skipped = undefined;
        this.#release();
        return true;
      }
      this.#skippedCr = octet === CR;
    }
    this.#skipped = before + this.pending;
    this.#at = at;
    this.#release();
    return false;
  }

  /** A parked client holds no buffer. */
  #release(): void {
    if (this.pending === 0) this.takeRest();
  }
}
