/**
 * Reads the two header fields that say how a part is to be read:
 * Content-Type (RFC 2045 §5.1) and Content-Transfer-Encoding (§6.1). Pure;
 * linear in the field's length, which the caller bounds.
 */

/** What Content-Type says, as far as anybody here asks. */
export interface ContentType {
  /** In lower case. */
  readonly type: string;
  readonly subtype: string;
  /** Undefined if there is none that can be used. */
  readonly boundary: string | undefined;
}

/** `other` is one we do not know, or more than one. */
export type Encoding =
  | "none"
  | "7bit"
  | "8bit"
  | "binary"
  | "quoted-printable"
  | "base64"
  | "other";

/** RFC 2046 §5.1.1 allows 70; longer ones are in use. */
const MAX_BOUNDARY = 200;

/**
 * Parses the field's value, folds and comments included.
 *
 * @returns Undefined if it is none: read as text/plain then, RFC 2045 §5.2
 */
export function parseContentType(value: string): ContentType | undefined {
  const tokens = tokensOf(value);
  const [type, slash, subtype] = tokens;
  if (
    type?.kind !== "word" || slash?.text !== "/" || subtype?.kind !== "word"
  ) return undefined;
  const boundaries: string[] = [];
  for (let i = 3; i + 3 < tokens.length; i++) {
    const [semicolon, name, equals, given] = tokens.slice(i, i + 4);
    if (semicolon!.text !== ";" || semicolon!.kind !== "special") continue;
    if (name!.kind !== "word" || equals!.text !== "=") continue;
    if (name!.text.toLowerCase() !== "boundary") continue;
    // Unquoted, a boundary may have what no token may: up to the next `;`.
    // What follows a quoted one makes two of it, or none.
    const whole = rest(tokens, i);
    const isOdd = given!.kind === "quoted" && whole !== given!.text;
    boundaries.push(isOdd ? "" : whole);
  }
  const [boundary] = boundaries;
  const only = boundaries.length === 1 ? withoutBlanks(boundary!) : "";
  return {
    type: type.text.toLowerCase(),
    subtype: subtype.text.toLowerCase(),
    boundary: isBoundary(only) ? only : undefined,
  };
}

/** The text without blanks, and ends of lines, at its end. ASCII ones only. */
export function withoutBlanks(text: string): string {
  let length = text.length;
  while (length > 0 && " \t\r\n".includes(text[length - 1]!)) length--;
  return text.slice(0, length);
}

function rest(tokens: readonly Token[], at: number): string {
  let text = "";
  for (let i = at + 3; i < tokens.length; i++) {
    const { kind, text: next } = tokens[i]!;
    if (kind === "special" && next === ";") break;
    text += next;
  }
  return text;
}

function isBoundary(text: string): boolean {
  if (text === "" || text.length > MAX_BOUNDARY) return false;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code < 0x20 || code > 0x7e) return false;
  }
  return true;
}

/** Parses the values of all such fields of one header. */
export function parseEncoding(values: readonly string[]): Encoding {
  if (values.length === 0) return "none";
  const said = new Set(values.map(oneEncoding));
  return said.size === 1 ? [...said][0]! : "other";
}

function oneEncoding(value: string): Encoding {
  const [first, ...more] = tokensOf(value);
  if (first?.kind !== "word") return "other";
  if (more.some(({ text }) => text !== ";")) return "other";
  const name = first.text.toLowerCase();
  switch (name) {
    case "7bit":
    case "8bit":
    case "binary":
    case "quoted-printable":
    case "base64":
      return name;
    default:
      return "other";
  }
}

interface Token {
  readonly kind: "word" | "quoted" | "special";
  readonly text: string;
}

const SPECIALS = "/;=,:<>@[]?";

/** RFC 5322 §3.2: words, quoted strings, specials; blanks and comments go. */
function tokensOf(value: string): Token[] {
  const tokens: Token[] = [];
  let at = 0;
  while (at < value.length) {
    const char = value[at]!;
    if (" \t\r\n".includes(char)) at++;
    else if (char === "(") at = afterComment(value, at);
    else if (char === '"') {
      const [text, next] = quoted(value, at);
      tokens.push({ kind: "quoted", text });
      at = next;
    } else if (SPECIALS.includes(char)) {
      tokens.push({ kind: "special", text: char });
      at++;
    } else {
      const from = at;
      while (
        at < value.length && !` \t\r\n("${SPECIALS}`.includes(value[at]!)
      ) {
        at++;
      }
      tokens.push({ kind: "word", text: value.slice(from, at) });
    }
  }
  return tokens;
}

function afterComment(value: string, from: number): number {
  let depth = 0;
  for (let at = from; at < value.length; at++) {
    const char = value[at]!;
    if (char === "\\") at++;
    else if (char === "(") depth++;
    else if (char === ")" && --depth === 0) return at + 1;
  }
  return value.length;
}

function quoted(value: string, from: number): [string, number] {
  let text = "";
  for (let at = from + 1; at < value.length; at++) {
    const char = value[at]!;
    if (char === '"') return [text, at + 1];
    if (char === "\r" || char === "\n") continue; // a fold
    text += char === "\\" ? value[++at] ?? "" : char;
  }
  return [text, value.length];
}
