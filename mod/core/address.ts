/**
 * Mail addresses as RFC 5321 §4.1.2 spells them in MAIL and RCPT: one strict
 * parser with one answer. Everything after the last unquoted `@` is the
 * domain, comments and folding do not exist, and each octet is read once.
 *
 * Not: RFC 6531 (SMTPUTF8). Address literals other than IPv4 and IPv6 (the
 * grammar's General-address-literal has no registered tag) are refused.
 */

/** Limits in octets, RFC 5321 §4.5.3.1.1 to §4.5.3.1.3. */
export const MAX_LOCAL_PART = 64;
export const MAX_DOMAIN = 255;
/** With `<>` and a source route. */
export const MAX_PATH = 256;

/**
 * What a path holds.
 *
 * - `null`: `<>`, RFC 5321 §4.5.5
 * - `address`: as `mod/core/shapes.ts` has it: the local part's case kept and
 *   its quoting reduced to the necessary (§4.1.2: all quoted forms are
 *   equivalent), the domain in lower case
 * - `postmaster`: `<postmaster>` without a domain, in any case, §4.5.1
 */
export type Path =
  | { readonly kind: "null" }
  | { readonly kind: "address"; readonly address: string }
  | { readonly kind: "postmaster" };

/** Why a text is no path. `not-ascii` wins over `syntax`. */
export type PathFault = "syntax" | "too-long" | "not-ascii";

/** A path and where the text goes on after its `>`; or why there is none. */
export type PathReading =
  | { readonly ok: true; readonly path: Path; readonly end: number }
  | { readonly ok: false; readonly fault: PathFault };

/**
 * Reads a Reverse-path or Forward-path that starts at `at`.
 *
 * Source routes are checked and dropped: `<@a,@b:u@d>` is `u@d`, as RFC 5321
 * §4.1.1.3 and appendix C ask.
 *
 * @param text Octets as UTF-16 units, so 0x80 and more is 8-bit
 */
export function readPath(text: string, at = 0): PathReading {
  const scanner = new Scanner(text, at);
  const path = scanner.path();
  const end = scanner.at;
  if (path === undefined) {
    if (hasEightBit(text, at)) return { ok: false, fault: "not-ascii" };
    return { ok: false, fault: scanner.tooLong ? "too-long" : "syntax" };
  }
  // Checked last: the fault that names the cause is the more useful one.
  if (end - at > MAX_PATH) return { ok: false, fault: "too-long" };
  return { ok: true, path, end };
}

/**
 * Reads a bare `local-part@domain`, nothing before or after it.
 *
 * @returns The address in the form of {@link Path}, undefined if it is none
 */
export function parseAddress(text: string): string | undefined {
  const scanner = new Scanner(text, 0);
  const mailbox = scanner.mailbox();
  return scanner.at === text.length && text.length <= MAX_PATH - 2
    ? mailbox
    : undefined;
}

/** One pass over a text; a rule returns undefined where it does not match. */
class Scanner {
  readonly #text: string;
  at: number;
  tooLong = false;

  constructor(text: string, at: number) {
    this.#text = text;
    this.at = at;
  }

  path(): Path | undefined {
    if (!this.#take("<")) return undefined;
    if (this.#take(">")) return { kind: "null" };
    if (this.#peek() === AT && !this.#sourceRoute()) return undefined;
    const start = this.at;
    const address = this.mailbox();
    if (address === undefined) {
      const word = this.#text.slice(start, this.at).toLowerCase();
      return word === "postmaster" && this.#take(">")
        ? { kind: "postmaster" }
        : undefined;
    }
    return this.#take(">") ? { kind: "address", address } : undefined;
  }

  /** Mailbox = Local-part "@" ( Domain / address-literal ) */
  mailbox(): string | undefined {
    const start = this.at;
    const local = this.#peek() === QUOTE ? this.#quoted() : this.#dotString();
    if (local === undefined) return undefined;
    if (this.at - start > MAX_LOCAL_PART) {
      this.tooLong = true;
      return undefined;
    }
    if (!this.#take("@")) return undefined;
    const domain = this.#peek() === OPEN ? this.#literal() : this.#domain();
    return domain === undefined ? undefined : `${local}@${domain}`;
  }

  /** A-d-l ":" = At-domain *( "," At-domain ) ":" */
  #sourceRoute(): boolean {
    do {
      if (!this.#take("@")) return false;
      const domain = this.#peek() === OPEN ? this.#literal() : this.#domain();
      if (domain === undefined) return false;
    } while (this.#take(","));
    return this.#take(":");
  }

  /** Dot-string = Atom *("." Atom) */
  #dotString(): string | undefined {
    const start = this.at;
    do {
      const atom = this.at;
      while (isAtext(this.#peek())) this.at++;
      if (this.at === atom) return undefined;
    } while (this.#take("."));
    return this.#text.slice(start, this.at);
  }

  /** Quoted-string, returned with the least quoting that says the same. */
  #quoted(): string | undefined {
    this.at++;
    let said = "";
    for (;;) {
      let c = this.#peek();
      if (c === QUOTE) break;
      if (c === BACKSLASH) {
        this.at++;
        c = this.#peek();
      }
      // qtextSMTP and quoted-pairSMTP: no control character in any spelling.
      if (!(c >= 0x20 && c <= 0x7e)) return undefined;
      // A hostile length must not build a string: it is refused anyway.
      if (said.length > MAX_PATH) return this.#long();
      said += String.fromCharCode(c);
      this.at++;
    }
    this.at++;
    return isDotString(said) ? said : `"${said.replace(/["\\]/g, "\\$&")}"`;
  }

  /** Domain = sub-domain *("." sub-domain), in lower case. */
  #domain(): string | undefined {
    const start = this.at;
    do {
      const label = this.at;
      while (isLetDigHyphen(this.#peek())) this.at++;
      if (this.at === label) return undefined;
      if (this.#text.charCodeAt(label) === HYPHEN) return undefined;
      if (this.#text.charCodeAt(this.at - 1) === HYPHEN) return undefined;
      if (this.at - label > 63) return this.#long();
    } while (this.#take("."));
    if (this.at - start > MAX_DOMAIN) return this.#long();
    return this.#text.slice(start, this.at).toLowerCase();
  }

  /** address-literal, of IPv4 or `IPv6:`, in lower case. */
  #literal(): string | undefined {
    const start = this.at;
    // "[IPv6:" and the 45 characters of the longest IPv6 address.
    const close = this.#text.slice(start, start + 53).indexOf("]");
    if (close < 0) return undefined;
    const inner = this.#text.slice(start + 1, start + close).toLowerCase();
    const good = inner.startsWith("ipv6:")
      ? isIpv6(inner.slice(5))
      : isIpv4(inner);
    if (!good) return undefined;
    this.at = start + close + 1;
    return `[${inner}]`;
  }

  #long(): undefined {
    this.tooLong = true;
    return undefined;
  }

  /** The next code unit; NaN at the end, which no class contains. */
  #peek(): number {
    return this.#text.charCodeAt(this.at);
  }

  #take(character: string): boolean {
    if (this.#text[this.at] !== character) return false;
    this.at++;
    return true;
  }
}

const AT = 0x40;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPEN = 0x5b;
const HYPHEN = 0x2d;

/** RFC 5322 §3.2.3 atext, as a table over ASCII. */
const ATEXT: readonly boolean[] = Array.from(
  { length: 128 },
  (_, c) => /[A-Za-z0-9!#$%&'*+\-/=?^_`{|}~]/.test(String.fromCharCode(c)),
);

function isAtext(c: number): boolean {
  return ATEXT[c] === true;
}

function isLetDigHyphen(c: number): boolean {
  return isDigit(c) || (c >= 0x41 && c <= 0x5a) || (c >= 0x61 && c <= 0x7a) ||
    c === HYPHEN;
}

function isDigit(c: number): boolean {
  return c >= 0x30 && c <= 0x39;
}

function isDotString(text: string): boolean {
  let dotAllowed = false;
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i);
    if (isAtext(c)) dotAllowed = true;
    else if (c === 0x2e && dotAllowed) dotAllowed = false;
    else return false;
  }
  return dotAllowed;
}

function hasEightBit(text: string, from: number): boolean {
  for (let i = from; i < text.length; i++) {
    if (text.charCodeAt(i) > 0x7f) return true;
  }
  return false;
}

/** True for four decimal numbers up to 255 (RFC 5321 §4.1.3). */
export function isIpv4(text: string): boolean {
  if (text.length > 15) return false;
  const parts = text.split(".");
  return parts.length === 4 &&
    parts.every((part) =>
      part.length >= 1 && part.length <= 3 &&
      [...part].every((c) => isDigit(c.charCodeAt(0))) && Number(part) <= 255
    );
}

/** True for an IPv6 address in any form of RFC 4291 §2.2, without a zone. */
export function isIpv6(text: string): boolean {
  return expandIpv6(text) !== undefined;
}

/**
 * The eight 16-bit groups of an IPv6 address, undefined if it is none.
 *
 * @param text RFC 4291 §2.2 form, dotted IPv4 tail allowed, no zone
 */
export function expandIpv6(text: string): number[] | undefined {
  if (text.length > 45) return undefined;
  const gap = text.indexOf("::");
  if (gap < 0) {
    const groups = ipv6Groups(text);
    return groups?.length === 8 ? groups : undefined;
  }
  const head = gap === 0 ? [] : ipv6Groups(text.slice(0, gap), false);
  const rest = text.slice(gap + 2);
  const tail = rest === "" ? [] : ipv6Groups(rest);
  if (head === undefined || tail === undefined) return undefined;
  const zeros = 8 - head.length - tail.length;
  if (zeros < 1) return undefined;
  return [...head, ...new Array<number>(zeros).fill(0), ...tail];
}

function ipv6Groups(text: string, ipv4Last = true): number[] | undefined {
  const groups: number[] = [];
  const parts = text.split(":");
  for (const [i, part] of parts.entries()) {
    if (ipv4Last && i === parts.length - 1 && isIpv4(part)) {
      const [a, b, c, d] = part.split(".").map(Number);
      groups.push(a! * 256 + b!, c! * 256 + d!);
      continue;
    }
    if (!/^[0-9a-fA-F]{1,4}$/.test(part)) return undefined;
    groups.push(parseInt(part, 16));
  }
  return groups;
}
