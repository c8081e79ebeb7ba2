/**
 * Encoders for the body of one part: quoted-printable (RFC 2045 §6.7) for
 * text, base64 (§6.8) for everything else. Pure; lines in, octets out.
 *
 * The last CRLF before a boundary belongs to the boundary (RFC 2046 §5.1.1):
 * a line's end is held back until it is known which of the two it is.
 */
import { Buffer } from "node:buffer";
import { endsLine, type LinePiece } from "./line_pieces.ts";
import type { OctetSink } from "./octet_sink.ts";

/** Encodes one body. */
export interface BodyEncoder {
  /** Takes the next piece of a line. */
  push(piece: LinePiece): void;
  /** @param by What follows: a boundary, or nothing any more */
  finish(by: "boundary" | "end"): void;
}

const SPACE = 0x20;
const TAB = 0x09;
const DASH = 0x2d;
const EQUALS = 0x3d;
const FROM = new TextEncoder().encode("From ");
const DOT = 0x2e;
const HEX = "0123456789ABCDEF";
/** §6.7 (5) allows 76, of which the last is for a soft break's `=`. */
const COLUMNS = 75;

/**
 * Quoted-printable. Beyond what must be encoded, at the start of a line: a dot
 * and `From `, for programs that change such lines, and two dashes, so that no
 * line can look like a boundary that was none before.
 */
export class QuotedPrintable implements BodyEncoder {
  readonly #out: OctetSink;
  #column = 0;
  /** A blank that may be the last of its line; 0 for none. */
  #blank = 0;
  #owesBreak = false;

  constructor(out: OctetSink) {
    this.#out = out;
  }

  push(piece: LinePiece): void {
    const { octets } = piece;
    const isEnd = endsLine(piece);
    const length = isEnd ? octets.length - 2 : octets.length;
    this.#breakIfOwed();
    for (let i = 0; i < length; i++) {
      const octet = octets[i]!;
      this.#placeBlank();
      if (octet === SPACE || octet === TAB) {
        this.#blank = octet;
        continue;
      }
      if (octet > 0x20 && octet < 0x7f && octet !== EQUALS) {
        this.#room(1);
        if (this.#column > 0 || !isRisky(octets, i)) {
          this.#out.byte(octet);
          this.#column++;
          continue;
        }
      }
      this.#encode(octet);
    }
    if (isEnd) this.#endLine();
  }

  finish(): void {
    this.#endBlank();
    this.#breakIfOwed();
  }

  #endLine(): void {
    this.#endBlank();
    this.#owesBreak = true;
  }

  #breakIfOwed(): void {
    if (!this.#owesBreak) return;
    this.#owesBreak = false;
    this.#out.text("\r\n");
    this.#column = 0;
  }

  #placeBlank(): void {
    if (this.#blank === 0) return;
    this.#room(1);
    this.#out.byte(this.#blank);
    this.#column++;
    this.#blank = 0;
  }

  /** §6.7 (3): none at the end of a line, where it may get lost. */
  #endBlank(): void {
    if (this.#blank === 0) return;
    this.#encode(this.#blank);
    this.#blank = 0;
  }

  #encode(octet: number): void {
    this.#room(3);
    this.#out.text(`=${HEX[octet >> 4]}${HEX[octet & 15]}`);
    this.#column += 3;
  }

  #room(columns: number): void {
    if (this.#column + columns <= COLUMNS) return;
    this.#out.text("=\r\n");
    this.#column = 0;
  }
}

/** At the start of a line; in doubt, where the piece ends, it is. */
function isRisky(octets: Uint8Array, at: number): boolean {
  switch (octets[at]) {
    case DOT:
      return true;
    case DASH:
      return (octets[at + 1] ?? DASH) === DASH;
    case FROM[0]:
      return FROM.every((octet, i) => (octets[at + i] ?? octet) === octet);
    default:
      return false;
  }
}

const CRLF = new Uint8Array([0x0d, 0x0a]);
/** Octets that make a line of 76 columns. */
const BASE64_LINE = 57;

/** Base64. */
export class Base64Lines implements BodyEncoder {
  readonly #out: OctetSink;
  readonly #line = new Uint8Array(BASE64_LINE);
  #length = 0;
  #owesBreak = false;

  constructor(out: OctetSink) {
    this.#out = out;
  }

  push(piece: LinePiece): void {
    const { octets } = piece;
    const isEnd = endsLine(piece);
    if (this.#owesBreak) this.#add(CRLF);
    this.#add(isEnd ? octets.subarray(0, -2) : octets);
    this.#owesBreak = isEnd;
  }

  finish(by: "boundary" | "end"): void {
    if (this.#owesBreak && by === "end") this.#add(CRLF);
    if (this.#length > 0) this.#flush();
  }

  #add(octets: Uint8Array): void {
    let from = 0;
    while (from < octets.length) {
      const to = Math.min(octets.length, from + BASE64_LINE - this.#length);
      this.#line.set(octets.subarray(from, to), this.#length);
      this.#length += to - from;
      from = to;
      if (this.#length === BASE64_LINE) this.#flush();
    }
  }

  #flush(): void {
    const line = Buffer.from(this.#line.buffer, 0, this.#length);
    this.#out.text(line.toString("base64") + "\r\n");
    this.#length = 0;
  }
}
