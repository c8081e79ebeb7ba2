/**
 * Addresses as the resolver compares them.
 *
 * The local part is hostile text. Here it becomes the key of a look-up, and
 * never anything else: no address is rewritten into another one.
 */

/** An address in the form that look-ups use. */
export interface Looked {
  /**
   * The local part without quotes and escapes, A-Z folded. RFC 5321 §2.4
   * lets the destination host decide on case, and that is us.
   */
  readonly localPart: string;
  /** In lower case. */
  readonly domain: string;
}

/** Octets that a local part may have, RFC 5321 §4.5.3.1.1. */
const MAX_LOCAL_PART = 64;

const encoder = new TextEncoder();

/** Folds A-Z only: U+212A is no `k` of ours, whatever `toLowerCase` says. */
export function fold(text: string): string {
  return text.replace(/[A-Z]/g, (letter) => letter.toLowerCase());
}

/** The domain of an address, in lower case. */
export function domainOf(address: string): string {
  return fold(address.slice(address.lastIndexOf("@") + 1));
}

/**
 * Reads an address for a look-up; undefined if its local part can be no name
 * of ours, whatever the tables say:
 *
 * - a route in disguise: `%`, `!` or `@` in the local part (RFC 5321 §3.6.1
 *   and §F.2). Even a catch-all takes none, so that nobody mistakes this
 *   server for a relay, and no server behind an alias ever sees one;
 * - what would be a path: `/`, a leading dot, `..`, control characters;
 * - empty, over 64 octets, or a quoted string that does not end.
 */
export function lookedUp(address: string): Looked | undefined {
  const written = address.slice(0, address.lastIndexOf("@"));
  const localPart = unquoted(written);
  return localPart === undefined || !isPossible(localPart)
    ? undefined
    : { localPart: fold(localPart), domain: domainOf(address) };
}

/**
 * True for a local part that another server may read as a route: `a%b`,
 * `b!a`, `a@b`. For strangers we hand none on, not even to a relay domain:
 * the host behind us trusts us more than them.
 */
export function isRouted(address: string): boolean {
  const written = address.slice(0, address.lastIndexOf("@"));
  const localPart = unquoted(written);
  return localPart === undefined || hasRoute(localPart);
}

/**
 * The local part before its extension, or undefined if it has none: cut at
 * the first character that is a delimiter, as Postfix does, but never so
 * that nothing is left.
 */
export function withoutExtension(
  localPart: string,
  delimiters: string,
): string | undefined {
  for (let at = 1; at < localPart.length; at++) {
    if (delimiters.includes(localPart[at]!)) return localPart.slice(0, at);
  }
  return undefined;
}

/** What a quoted string says, RFC 5321 §4.1.2; anything else stays as it is. */
function unquoted(written: string): string | undefined {
  if (!written.startsWith('"')) return written;
  let said = "";
  for (let at = 1; at < written.length; at++) {
    const char = written[at]!;
    if (char === '"') return at === written.length - 1 ? said : undefined;
    if (char !== "\\") said += char;
    else if (++at < written.length) said += written[at];
  }
  return undefined;
}

function isPossible(localPart: string): boolean {
  if (localPart.length === 0 || localPart.length > MAX_LOCAL_PART) return false;
  if (encoder.encode(localPart).length > MAX_LOCAL_PART) return false;
  if (localPart.startsWith(".") || localPart.includes("..")) return false;
  for (const char of localPart) {
    if (char < " " || char === "\x7f" || char === "/") return false;
  }
  return !hasRoute(localPart);
}

function hasRoute(localPart: string): boolean {
  return localPart.includes("%") || localPart.includes("!") ||
    localPart.includes("@");
}
