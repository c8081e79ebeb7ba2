/**
 * Hostile text made harmless for a notice: printable, one line, folded, and
 * ASCII but for what an international notice may say.
 * What remote hosts say and what senders call themselves ends up in a message
 * that we sign with our name, so nothing here may end a line or a header.
 */

/** Longest escaped text; a line holds 998 octets (RFC 5321 §4.5.3.1.6). */
const MAX_TEXT = 800;

/** How much of a text is shown as it is. */
export interface TextOptions {
  /** True if characters beyond ASCII may stay what they are: RFC 6533 §4. */
  readonly isGlobal?: boolean;
}

/**
 * Makes a text printable: every run of white space and control characters is
 * one space, every other character beyond ASCII is `\x{HEX}` (the form of
 * RFC 6533 §3) unless it may stay, and about 800 octets are kept.
 */
export function printable(text: string, options: TextOptions = {}): string {
  let out = "";
  let octets = 0;
  let isSpace = true; // nothing starts with a space
  for (const character of text) {
    const code = character.codePointAt(0)!;
    if (octets > MAX_TEXT) return out + "...";
    if (code <= 0x20 || (code >= 0x7f && code <= 0xa0)) {
      if (!isSpace) out += " ";
      octets++;
      isSpace = true;
      continue;
    }
    isSpace = false;
    const isPlain = code < 0x7f || (options.isGlobal === true && isSafe(code));
    const shown = isPlain ? character : escaped(code);
    out += shown;
    octets += code < 0x7f ? 1 : isPlain ? 4 : shown.length;
  }
  return out.trimEnd();
}

/** Not a half of a pair, and none that ends a line or turns the text round. */
function isSafe(code: number): boolean {
  return !(code >= 0xd800 && code <= 0xdfff) &&
    !(code >= 0x200e && code <= 0x200f) &&
    !(code >= 0x2028 && code <= 0x202e) &&
    !(code >= 0x2066 && code <= 0x2069);
}

function escaped(code: number): string {
  return `\\x{${code.toString(16).toUpperCase().padStart(2, "0")}}`;
}

/**
 * One header field, folded at spaces so that lines stay under 78 octets where
 * they can (RFC 5322 §2.2.3). Ends in CRLF.
 */
export function field(
  name: string,
  value: string,
  options: TextOptions = {},
): string {
  let line = `${name}:`;
  let out = "";
  for (const word of printable(value, options).split(" ")) {
    if (line.length + 1 + word.length > 77 && line !== `${name}:`) {
      out += line + "\r\n";
      line = "";
    }
    line += " " + word;
  }
  return out + line + "\r\n";
}

/** Plain text wrapped at 72 octets, every line indented. Ends in CRLF. */
export function paragraph(
  text: string,
  options: TextOptions & { readonly indent?: string } = {},
): string {
  const indent = options.indent ?? "";
  let line = indent;
  let out = "";
  for (const word of printable(text, options).split(" ")) {
    if (line.length + word.length > 72 && line !== indent) {
      out += line.trimEnd() + "\r\n";
      line = indent;
    }
    line += word + " ";
  }
  return out + line.trimEnd() + "\r\n";
}

/** True if a text has characters beyond ASCII. */
export function isInternational(text: string): boolean {
  for (let i = 0; i < text.length; i++) {
    if (text.charCodeAt(i) > 0x7e) return true;
  }
  return false;
}

/**
 * An address as a DSN field states it (RFC 3464 §2.3.2): `rfc822`, or, with
 * characters beyond ASCII, `utf-8` in one of the forms of RFC 6533 §3, which
 * {@link printable} makes of it where it is written.
 */
export function typedAddress(address: string): string {
  if (!isInternational(address)) return `rfc822; ${address}`;
  let escapedAddress = "";
  for (const character of address) {
    // What the grammar leaves no other way to write.
    escapedAddress += " +=\\".includes(character)
      ? escaped(character.codePointAt(0)!)
      : character;
  }
  return `utf-8; ${escapedAddress}`;
}

const DAYS = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];
const MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split(" ");

/** A date as RFC 5322 §3.3 writes it, in UTC. */
export function mailDate(ms: number): string {
  const date = new Date(ms);
  const two = (n: number) => String(n).padStart(2, "0");
  return `${DAYS[date.getUTCDay()]}, ${date.getUTCDate()} ` +
    `${MONTHS[date.getUTCMonth()]} ${date.getUTCFullYear()} ` +
    `${two(date.getUTCHours())}:${two(date.getUTCMinutes())}:` +
    `${two(date.getUTCSeconds())} +0000`;
}

/** For a part that is not, or may not be, ASCII only. */
export const EIGHT_BIT = "Content-Transfer-Encoding: 8bit\r\n";
