/** How texts of dialogs stand for octets. Pure. */

/**
 * Octets, as UTF-16 units, of a text with `\r \n \t \0 \\ \{ \xNN` and
 * repetitions `{text*COUNT}`, in which `{n}` is the count so far, from 1; and
 * `{64:text}`, which is text in base64.
 * Other characters are UTF-8.
 *
 * @throws {SyntaxError}
 */
export function unescape(text: string): string {
  let octets = "";
  for (let at = 0; at < text.length;) {
    const c = text[at]!;
    if (c === "\\") {
      const [octet, length] = escape(text, at);
      octets += octet;
      at += length;
      continue;
    }
    const encoded = text.startsWith("{64:", at) ? text.indexOf("}", at) : -1;
    if (encoded >= 0) {
      octets += btoa(unescape(text.slice(at + 4, encoded)));
      at = encoded + 1;
      continue;
    }
    const repeated = c === "{" ? repetition(text, at) : undefined;
    if (repeated !== undefined) {
      for (let n = 1; n <= repeated.count; n++) {
        octets += unescape(repeated.text.replaceAll("{n}", String(n)));
      }
      at = repeated.end;
      continue;
    }
    const point = String.fromCodePoint(text.codePointAt(at)!);
    octets += String.fromCharCode(...new TextEncoder().encode(point));
    at += point.length;
  }
  return octets;
}

const ESCAPES = new Map([
  ["r", "\r"],
  ["n", "\n"],
  ["t", "\t"],
  ["0", "\0"],
  ["\\", "\\"],
  ["{", "{"],
]);

function escape(text: string, at: number): [octet: string, length: number] {
  const kind = text[at + 1] ?? "";
  const simple = ESCAPES.get(kind);
  if (simple !== undefined) return [simple, 2];
  const hex = text.slice(at + 2, at + 4);
  if (kind !== "x" || !/^[0-9a-fA-F]{2}$/.test(hex)) {
    throw new SyntaxError(`unknown escape \\${kind}`);
  }
  return [String.fromCharCode(parseInt(hex, 16)), 4];
}

/** The repetition that begins at a `{`; undefined if it is a mere brace. */
function repetition(
  text: string,
  at: number,
): { text: string; count: number; end: number } | undefined {
  let close = at + 1;
  for (; close < text.length && text[close] !== "}"; close++) {
    if (text[close] === "\\") close++;
    else if (text.startsWith("{n}", close)) close += 2;
    else if (text[close] === "{") return undefined;
  }
  const inner = text.slice(at + 1, close);
  const star = inner.lastIndexOf("*");
  const count = inner.slice(star + 1);
  if (star < 0 || !/^\d{1,7}$/.test(count)) return undefined;
  return { text: inner.slice(0, star), count: Number(count), end: close + 1 };
}
