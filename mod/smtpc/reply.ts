/**
 * Reads SMTP replies (RFC 5321 §4.2) from whatever TCP delivers.
 *
 * The far server is as hostile as any client: lines, their number and what is
 * kept of them are bounded, and their text is made printable before anybody
 * stores, logs or shows it (CVE-2020-8794). Pure; time is the caller's
 * matter. Lenient in one thing: a bare LF ends a line too, because a reply's
 * end decides nothing that content could imitate.
 */

/** Octets of a reply line, its CR included; a longer one is malformed. */
export const MAX_LINE = 2_048;
/** Characters kept of a line's text. */
export const MAX_TEXT = 500;
/** Lines of one reply. */
export const MAX_LINES = 100;

/** One reply, all its lines. */
export interface Reply {
  /** 200 to 599. */
  readonly code: number;
  /** The lines' texts, without code, printable ASCII, cut. At least one. */
  readonly lines: readonly string[];
}

/** What a push completed. */
export interface Reading {
  readonly replies: readonly Reply[];
  /** Set once the bytes are no replies any more; the reader is dead then. */
  readonly malformed?: string;
}

const LF = 0x0a;
const CR = 0x0d;

/** Cuts a byte stream into replies. Holds at most one line and one reply. */
export class ReplyReader {
  readonly #line = new Uint8Array(MAX_LINE);
  #length = 0;
  #code = 0;
  #lines: string[] = [];
  #malformed: string | undefined;

  /** True if the stream stands inside a reply: more must follow. */
  get midReply(): boolean {
    return this.#length > 0 || this.#lines.length > 0;
  }

  /** Takes the next bytes. */
  push(bytes: Uint8Array): Reading {
    const replies: Reply[] = [];
    for (let at = 0; at < bytes.length && this.#malformed === undefined;) {
      const end = bytes.indexOf(LF, at);
      const part = bytes.subarray(at, end < 0 ? bytes.length : end);
      if (this.#length + part.length > MAX_LINE) {
        this.#malformed = `reply line over ${MAX_LINE} octets`;
        break;
      }
      this.#line.set(part, this.#length);
      this.#length += part.length;
      if (end < 0) break;
      at = end + 1;
      const reply = this.#endOfLine();
      if (reply !== undefined) replies.push(reply);
    }
    return this.#malformed === undefined
      ? { replies }
      : { replies, malformed: this.#malformed };
  }

  #endOfLine(): Reply | undefined {
    let length = this.#length;
    this.#length = 0;
    if (length > 0 && this.#line[length - 1] === CR) length--;
    const line = this.#line.subarray(0, length);
    const code = codeOf(line);
    const more = line[3] === 0x2d; // "-"
    if (code === undefined || (length > 3 && !more && line[3] !== 0x20)) {
      this.#malformed = "reply line without a code";
    } else if (this.#lines.length > 0 && code !== this.#code) {
      this.#malformed = "reply lines with different codes"; // §4.2.1
    } else if (this.#lines.length === MAX_LINES) {
      this.#malformed = `reply over ${MAX_LINES} lines`;
    } else {
      this.#code = code;
      this.#lines.push(printable(line.subarray(4)));
      if (more) return undefined;
      const reply = { code, lines: this.#lines };
      this.#lines = [];
      return reply;
    }
    return undefined;
  }
}

/** Three digits, the first 2 to 5 (RFC 5321 §4.2.1), or undefined. */
function codeOf(line: Uint8Array): number | undefined {
  if (line.length < 3) return undefined;
  const [a, b, c] = [line[0]! - 0x30, line[1]! - 0x30, line[2]! - 0x30];
  if (a < 2 || a > 5 || b < 0 || b > 9 || c < 0 || c > 9) return undefined;
  return a * 100 + b * 10 + c;
}

function printable(octets: Uint8Array): string {
  let text = "";
  const end = Math.min(octets.length, MAX_TEXT);
  for (let i = 0; i < end; i++) {
    const octet = octets[i]!;
    text += octet >= 0x20 && octet <= 0x7e ? String.fromCharCode(octet) : "?";
  }
  return text;
}
