/**
 * Decodes the encoded words of a header field's text (RFC 2047), in one pass
 * and without a pattern: what is none, or is broken, stays as it is.
 */

/** RFC 2047 §2 has 75; many write longer ones. Beyond this it is text. */
const MAX_ENCODED = 1_000;

/** An encoded word, and where it ends. */
interface Found {
  readonly charset: string;
  readonly octets: Uint8Array;
  readonly end: number;
}

/** The text that a field's body stands for. */
export function decodeEncodedWords(text: string): string {
  let decoded = "";
  // Octets of encoded words in a row: a character may be cut between two.
  let run: Uint8Array[] = [];
  let charset = "";
  const flush = () => {
    if (run.length > 0) decoded += inCharset(charset, run);
    run = [];
  };
  let at = 0;
  while (at < text.length) {
    const found = text[at] === "=" && text[at + 1] === "?"
      ? encodedWordAt(text, at)
      : undefined;
    if (found !== undefined) {
      if (found.charset !== charset) flush();
      charset = found.charset;
      run.push(found.octets);
      at = found.end;
      continue;
    }
    // RFC 2047 §6.2: space between two encoded words is not shown.
    const next = run.length === 0 ? at : skipSpace(text, at);
    if (next > at && encodedWordAt(text, next) !== undefined) {
      at = next;
      continue;
    }
    flush();
    decoded += text[at];
    at++;
  }
  flush();
  return decoded;
}

function skipSpace(text: string, at: number): number {
  let next = at;
  while (text[next] === " " || text[next] === "\t") next++;
  return next;
}

/** RFC 2047 §2: `=?charset?encoding?encoded-text?=`. */
function encodedWordAt(text: string, at: number): Found | undefined {
  if (text[at] !== "=" || text[at + 1] !== "?") return undefined;
  const last = Math.min(text.length, at + MAX_ENCODED);
  const first = indexBefore(text, "?", { from: at + 2, last });
  if (first === undefined || text[first + 2] !== "?") return undefined;
  const end = indexBefore(text, "?", { from: first + 3, last });
  if (end === undefined || text[end + 1] !== "=") return undefined;
  const octets = octetsOf(text[first + 1]!, text.slice(first + 3, end));
  // RFC 2231 §5: a language may stand behind the charset.
  const [charset = ""] = text.slice(at + 2, first).toLowerCase().split("*", 1);
  return octets && { charset, octets, end: end + 2 };
}

/** Where a character is; undefined if a space or `last` comes first. */
function indexBefore(
  text: string,
  wanted: string,
  { from, last }: { from: number; last: number },
): number | undefined {
  for (let at = from; at < last; at++) {
    if (text[at] === wanted) return at;
    if (text[at] === " " || text[at] === "\t") return undefined;
  }
  return undefined;
}

function octetsOf(encoding: string, text: string): Uint8Array | undefined {
  switch (encoding) {
    case "B":
    case "b":
      return base64(text);
    case "Q":
    case "q":
      return quoted(text);
    default:
      return undefined;
  }
}

function base64(text: string): Uint8Array | undefined {
  try {
    return Uint8Array.from(atob(text), (char) => char.charCodeAt(0));
  } catch {
    return undefined;
  }
}

/** RFC 2047 §4.2. */
function quoted(text: string): Uint8Array {
  const octets: number[] = [];
  for (let at = 0; at < text.length; at++) {
    const hex = text[at] === "=" ? hexAt(text, at + 1) : undefined;
    if (hex !== undefined) {
      octets.push(hex);
      at += 2;
    } else octets.push(text[at] === "_" ? 0x20 : text.charCodeAt(at) & 0xff);
  }
  return new Uint8Array(octets);
}

function hexAt(text: string, at: number): number | undefined {
  const high = hexDigit(text.charCodeAt(at));
  const low = hexDigit(text.charCodeAt(at + 1));
  return high < 0 || low < 0 ? undefined : high * 16 + low;
}

function hexDigit(code: number): number {
  if (code >= 0x30 && code <= 0x39) return code - 0x30;
  const letter = code | 0x20;
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x57 : -1;
}

function inCharset(charset: string, run: readonly Uint8Array[]): string {
  let decoder: TextDecoder;
  try {
    decoder = new TextDecoder(charset);
  } catch {
    // A charset that nobody knows: its ASCII letters are still some.
    decoder = new TextDecoder("latin1");
  }
  return run.map((octets) => decoder.decode(octets, { stream: true })).join(
    "",
  ) +
    decoder.decode();
}
