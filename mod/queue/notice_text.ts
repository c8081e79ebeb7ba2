/**
 * Hostile text made harmless for a notice: printable ASCII, one line, folded.
 * What remote hosts say and what senders call themselves ends up in a message
 * that we sign with our name, so nothing here may end a line or a header.
 */

/** Longest escaped text; a line holds 998 octets (RFC 5321 §4.5.3.1.6). */
const MAX_TEXT = 800;

/**
 * Escapes to printable ASCII: every run of white space and control characters
 * is one space, every other character beyond ASCII is `\x{HEX}` (the form of
 * RFC 6533 §3), and at most 800 octets are kept.
 */
export function printable(text: string): string {
  let out = "";
  let isSpace = true; // nothing starts with a space
  for (const character of text) {
    const code = character.codePointAt(0)!;
    if (out.length > MAX_TEXT) return out.slice(0, MAX_TEXT) + "...";
    if (code <= 0x20 || (code >= 0x7f && code <= 0xa0)) {
      if (!isSpace) out += " ";
      isSpace = true;
      continue;
    }
    isSpace = false;
    out += code < 0x7f
      ? character
      : `\\x{${code.toString(16).toUpperCase().padStart(2, "0")}}`;
  }
  return out.trimEnd();
}

/**
 * One header field, folded at spaces so that lines stay under 78 octets where
 * they can (RFC 5322 §2.2.3). Ends in CRLF.
 */
export function field(name: string, value: string): string {
  let line = `${name}:`;
  let out = "";
  for (const word of printable(value).split(" ")) {
    if (line.length + 1 + word.length > 77 && line !== `${name}:`) {
      out += line + "\r\n";
      line = "";
    }
    line += " " + word;
  }
  return out + line + "\r\n";
}

/** Plain text wrapped at 72 octets, every line indented. Ends in CRLF. */
export function paragraph(text: string, indent = ""): string {
  let line = indent;
  let out = "";
  for (const word of printable(text).split(" ")) {
    if (line.length + word.length > 72 && line !== indent) {
      out += line.trimEnd() + "\r\n";
      line = indent;
    }
    line += word + " ";
  }
  return out + line.trimEnd() + "\r\n";
}

/**
 * An address as a DSN field states it (RFC 3464 §2.3.2): `rfc822`, or, with
 * characters beyond ASCII, `utf-8` in the escaped form of RFC 6533 §3.
 */
export function typedAddress(address: string): string {
  for (let i = 0; i < address.length; i++) {
    if (address.charCodeAt(i) > 0x7e) return `utf-8; ${printable(address)}`;
  }
  return `rfc822; ${printable(address)}`;
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
