/**
 * Mail addresses as RFC 5321 §4.1.2 spells them in MAIL and RCPT: one strict
 * parser with one answer. Everything after the last unquoted `@` is the
 * domain, comments and folding do not exist, and each octet is read once.
 *
 * RFC 6531 §3.3 adds UTF-8 where the caller allows it; `international.ts` says
 * which, and what its one spelling is. A `%` or `!` in a local part is a
 * character like others: nothing is ever routed by it.
 *
 * Not: address literals other than IPv4 and IPv6 (the grammar's
 * General-address-literal has no registered tag).
 */
import {
  aLabels,
  beginsWithMark,
  claimsALabel,
  isAscii,
  octetText,
  seenText,
  utf8Length,
} from "./international.ts";

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
 *   equivalent) and in NFC, the domain in lower case and A-labels
 * - `postmaster`: `<postmaster>` without a domain, in any case, §4.5.1
 */
export type Path =
  | { readonly kind: "null" }
  | { readonly kind: "address"; readonly address: string }
  | { readonly kind: "postmaster" };

/** Why a text is no path. `not-ascii`, where UTF-8 is not allowed, wins. */
export type PathFault = "syntax" | "too-long" | "not-ascii";

/** How to read a path. */
export interface PathOptions {
  /** Where it starts; 0 if not said. */
  readonly at?: number;
  /** UTF-8 is allowed, RFC 6531 §3.3; not if not said. */
  readonly utf8?: boolean;
}

/** A path and where the text goes on after its `>`; or why there is none. */
export type PathReading =
  | {
    readonly ok: true;
    readonly path: Path;
    readonly end: number;
    /** The path was not written in ASCII alone. */
    readonly eightBit: boolean;
  }
  | { readonly ok: false; readonly fault: PathFault };

/**
 * Reads a Reverse-path or Forward-path.
 *
 * Source routes are checked and dropped: `<@a,@b:u@d>` is `u@d`, as RFC 5321
 * §4.1.1.3 and appendix C ask.
 *
 * @param text Octets as UTF-16 units, so 0x80 and more is 8-bit
 */
export function readPath(
  text: string,
  { at = 0, utf8 = false }: PathOptions = {},
): PathReading {
  const scanner = new Scanner(text, { at, utf8 });
  const path = scanner.path();
  const end = scanner.at;
  if (path === undefined) {
    if (!utf8 && !isAscii(text.slice(at))) {
      return { ok: false, fault: "not-ascii" };
    }
    return { ok: false, fault: scanner.tooLong ? "too-long" : "syntax" };
  }
  // Checked last: the fault that names the cause is the more useful one.
  const isLong = end - at > MAX_PATH ||
    (path.kind === "address" && utf8Length(path.address) > MAX_PATH - 2);
  if (isLong) return { ok: false, fault: "too-long" };
  const eightBit = utf8 && !isAscii(text.slice(at, end));
  return { ok: true, path, end, eightBit };
}

/**
 * Reads a bare `local-part@domain`, nothing before or after it.
 *
 * @param text Characters, not octets; beyond ASCII as in RFC 6531
 * @returns The address in the form of {@link Path}, undefined if it is none
 */
export function parseAddress(text: string): string | undefined {
  if (text.length > MAX_PATH) return undefined;
  const octets = octetText(text);
  const scanner = new Scanner(octets, { at: 0, utf8: true });
  const mailbox = scanner.mailbox();
  return mailbox !== undefined && scanner.at === octets.length &&
      octets.length <= MAX_PATH - 2 && utf8Length(mailbox) <= MAX_PATH - 2
    ? mailbox
    : undefined;
}

/**
 * Reads a bare domain name, in ASCII, nothing before or after it.
 *
 * @returns In lower case, undefined if it is none
 */
export function parseDomain(text: string): string | undefined {
  const scanner = new Scanner(text, { at: 0, utf8: false });
  const domain = scanner.domain();
  return scanner.at === text.length ? domain : undefined;
}

/** One pass over a text; a rule returns undefined where it does not match. */
class Scanner {
  readonly #text: string;
  readonly #utf8: boolean;
  at: number;
  tooLong = false;

  constructor(text: string, { at, utf8 }: Required<PathOptions>) {
    this.#text = text;
    this.#utf8 = utf8;
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
    const said = this.#peek() === QUOTE ? this.#quoted() : this.#dotString();
    if (said === undefined) return undefined;
    if (this.at - start > MAX_LOCAL_PART) return this.#long();
    const local = localPart(said);
    if (local === undefined) return undefined;
    // NFC makes a few characters longer.
    if (utf8Length(local) > MAX_LOCAL_PART) return this.#long();
    if (!this.#take("@")) return undefined;
    const domain = this.#peek() === OPEN ? this.#literal() : this.domain();
    return domain === undefined ? undefined : `${local}@${domain}`;
  }

  /** A-d-l ":" = At-domain *( "," At-domain ) ":" */
  #sourceRoute(): boolean {
    const start = this.at;
    do {
      // Thousands of domains must not each be read: the path is refused.
      if (this.at - start > MAX_PATH) {
        this.tooLong = true;
        return false;
      }
      if (!this.#take("@")) return false;
      const domain = this.#peek() === OPEN ? this.#literal() : this.domain();
      if (domain === undefined) return false;
    } while (this.#take(","));
    return this.#take(":");
  }

  /** Dot-string = Atom *("." Atom) */
  #dotString(): string | undefined {
    const start = this.at;
    do {
      const atom = this.at;
      while (isAtext(this.#peek()) || this.#isUtf8()) this.at++;
      if (this.at === atom) return undefined;
    } while (this.#take("."));
    return this.#text.slice(start, this.at);
  }

  /** Quoted-string; returns what it says. */
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
      if (!(c >= 0x20 && c <= 0x7e) && !this.#isUtf8()) return undefined;
      // A hostile length must not build a string: it is refused anyway.
      if (said.length > MAX_PATH) return this.#long();
      said += String.fromCharCode(c);
      this.at++;
    }
    this.at++;
    return said;
  }

  /** Domain = sub-domain *("." sub-domain), in lower case and A-labels. */
  domain(): string | undefined {
    const start = this.at;
    do {
      const label = this.at;
      while (isLetDigHyphen(this.#peek()) || this.#isUtf8()) this.at++;
      if (this.at === label) return undefined;
      if (this.#text.charCodeAt(label) === HYPHEN) return undefined;
      if (this.#text.charCodeAt(this.at - 1) === HYPHEN) return undefined;
      const written = this.#text.slice(label, this.at);
      if (written.length > MAX_LABEL && isAscii(written)) return this.#long();
      if (this.at - start > MAX_DOMAIN) return this.#long();
    } while (this.#take("."));
    const domain = this.#text.slice(start, this.at);
    const lower = isAscii(domain) ? domain.toLowerCase() : undefined;
    if (lower !== undefined && !claimsALabel(lower)) return lower;
    const labels = aLabels(domain);
    if (labels === undefined) return undefined;
    if (labels.length > MAX_DOMAIN) return this.#long();
    return isDomain(labels) ? labels : undefined;
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

  #isUtf8(): boolean {
    return this.#utf8 && this.#peek() > 0x7f;
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

const MAX_LABEL = 63;

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

/** What octets say as a local part, with the least quoting that says it. */
function localPart(octets: string): string | undefined {
  const said = isAscii(octets) ? octets : seenText(octets)?.normalize("NFC");
  if (said === undefined || beginsWithMark(said)) return undefined;
  return isDotString(said) ? said : `"${said.replace(/["\\]/g, "\\$&")}"`;
}

function isDotString(text: string): boolean {
  let dotAllowed = false;
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i);
    if (isAtext(c) || c > 0x7f) dotAllowed = true;
    else if (c === 0x2e && dotAllowed) dotAllowed = false;
    else return false;
  }
  return dotAllowed;
}

/** What UTS 46 made of a domain may hold dots and blanks that it had not. */
function isDomain(text: string): boolean {
  return text.split(".").every((label) => {
    for (let i = 0; i < label.length; i++) {
      if (!isLetDigHyphen(label.charCodeAt(i))) return false;
    }
    return label !== "" && label.length <= MAX_LABEL &&
      !label.startsWith("-") && !label.endsWith("-");
  });
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
