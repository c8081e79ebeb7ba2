/**
 * Names as values: their labels, what lies below what, their order, their
 * octets. All take and give the one spelling that `message.ts` describes.
 */
import type { Name } from "./message.ts";

/** Longest name on the wire, with its last zero (RFC 1035 §2.3.4). */
export const MAX_NAME_OCTETS = 255;
/** Longest label (RFC 1035 §2.3.4). */
export const MAX_LABEL_OCTETS = 63;

/** The labels from left to right; none of the root. */
export function labelsOf(name: Name): string[] {
  return name === "" ? [] : name.split(".");
}

/** How many labels a name has; 0 is the root. */
export function labelCount(name: Name): number {
  if (name === "") return 0;
  let count = 1;
  for (let i = 0; i < name.length; i++) {
    if (name.charCodeAt(i) === 0x2e) count++;
  }
  return count;
}

/** The name without its first label; undefined of the root. */
export function parentOf(name: Name): Name | undefined {
  if (name === "") return undefined;
  const dot = name.indexOf(".");
  return dot === -1 ? "" : name.slice(dot + 1);
}

/** True if `name` is `ancestor` or lies below it. */
export function isWithin(name: Name, ancestor: Name): boolean {
  if (ancestor === "" || name === ancestor) return true;
  return isBelow(name, ancestor);
}

/** True if `name` lies below `ancestor` and is not the same. */
export function isBelow(name: Name, ancestor: Name): boolean {
  if (ancestor === "") return name !== "";
  const at = name.length - ancestor.length - 1;
  return at > 0 && name.charCodeAt(at) === 0x2e && name.endsWith(ancestor);
}

/** Canonical order, RFC 4034 §6.1: negative if `a` comes before `b`. */
export function compareNames(a: Name, b: Name): number {
  if (a === b) return 0;
  const left = labelsOf(a).reverse();
  const right = labelsOf(b).reverse();
  const common = Math.min(left.length, right.length);
  for (let i = 0; i < common; i++) {
    const one = unescaped(left[i]!);
    const other = unescaped(right[i]!);
    if (one !== other) return one < other ? -1 : 1;
  }
  return left.length - right.length;
}

/** A label with each octet as one character (U+0000 to U+00FF). */
function unescaped(label: string): string {
  if (!label.includes("\\")) return label;
  let text = "";
  for (let i = 0; i < label.length; i++) {
    if (label[i] !== "\\") text += label[i];
    else {
      text += String.fromCharCode(Number(label.slice(i + 1, i + 4)));
      i += 3;
    }
  }
  return text;
}

/**
 * A name's octets, uncompressed, with the last zero: the canonical form of
 * RFC 4034 §6.2, because names are in lower case already.
 *
 * @throws {RangeError} If it is no name: an empty or over-long label, over 255
 * octets, an escape that is none
 */
export function nameOctets(name: Name): Uint8Array<ArrayBuffer> {
  const octets = new Uint8Array(MAX_NAME_OCTETS);
  return octets.slice(0, writeName(name, octets, 0));
}

/**
 * Writes a name's octets at `at`.
 *
 * @returns The offset behind it
 * @throws {RangeError} As {@link nameOctets}, or if there is no room
 */
export function writeName(name: Name, into: Uint8Array, at: number): number {
  const start = at;
  if (name !== "") {
    let length = at++;
    for (let i = 0; i < name.length; i++) {
      let octet = name.charCodeAt(i);
      if (octet === 0x2e) {
        closeLabel(into, length, at);
        length = at++;
        continue;
      }
      if (octet === 0x5c) {
        octet = /^[0-9]{3}$/.test(name.slice(i + 1, i + 4))
          ? Number(name.slice(i + 1, i + 4))
          : 256;
        i += 3;
      }
      if (octet > 255) throw new RangeError("Cannot write name: bad octet");
      if (at >= into.length) throw new RangeError("Cannot write name: no room");
      into[at++] = octet;
    }
    closeLabel(into, length, at);
  }
  if (at >= into.length) throw new RangeError("Cannot write name: no room");
  into[at++] = 0;
  if (at - start > MAX_NAME_OCTETS) {
    throw new RangeError("Cannot write name: over 255 octets");
  }
  return at;
}

function closeLabel(into: Uint8Array, length: number, at: number): void {
  const octets = at - length - 1;
  if (octets < 1 || octets > MAX_LABEL_OCTETS) {
    throw new RangeError(`Cannot write name: label of ${octets} octets`);
  }
  into[length] = octets;
}

/** What fits into 255 octets. */
const MAX_LABELS = 127;

/** A name read out of a message. */
export interface ReadName {
  readonly name: Name;
  /** Offset behind it, not following pointers. */
  readonly end: number;
}

/**
 * Reads a name with its compression pointers (RFC 1035 §4.1.4).
 *
 * Each pointer must lead before the place where the labels that it ends
 * began, so every jump goes back and none can loop; and there are no more of
 * them than a name can have labels, so that a chain of bare pointers is no
 * work either.
 *
 * @param whole The message from its header on; nothing at or behind `limit`
 * is read before the first jump
 * @returns undefined if there is no well-formed name
 */
export function readName(
  whole: Uint8Array,
  at: number,
  limit: number = whole.length,
): ReadName | undefined {
  let text = "";
  let octets = 1;
  let end = -1;
  let runStart = at;
  let jumps = 0;
  for (;;) {
    if (at >= limit) return undefined;
    const length = whole[at]!;
    if (length === 0) {
      return { name: text, end: end === -1 ? at + 1 : end };
    }
    if (length >= 0xc0) {
      if (at + 1 >= limit) return undefined;
      const target = ((length & 0x3f) << 8) | whole[at + 1]!;
      if (end === -1) end = at + 2;
      if (target >= runStart || ++jumps > MAX_LABELS) return undefined;
      at = runStart = target;
      limit = whole.length;
      continue;
    }
    if (length > MAX_LABEL_OCTETS || at + 1 + length > limit) return undefined;
    octets += 1 + length;
    if (octets > MAX_NAME_OCTETS) return undefined;
    if (text !== "") text += ".";
    for (let i = at + 1; i <= at + length; i++) text += SPELLING[whole[i]!];
    at += 1 + length;
  }
}

/** How each octet stands in a {@link Name}. */
const SPELLING: readonly string[] = Array.from({ length: 256 }, (_, octet) => {
  const char = String.fromCharCode(octet);
  return /[A-Za-z0-9_*/-]/.test(char)
    ? char.toLowerCase()
    : `\\${String(octet).padStart(3, "0")}`;
});

/**
 * A name as people write it, brought into the one spelling: `Example.`,
 * `a\.b.test`, `a\046b.test`.
 *
 * @returns undefined if it is no name
 */
export function parseName(text: string): Name | undefined {
  if (text === "." || text === "") return "";
  let name = "";
  for (let i = 0; i < text.length; i++) {
    let octet = text.charCodeAt(i);
    if (octet === 0x2e) {
      if (i < text.length - 1) name += ".";
      continue;
    }
    if (octet === 0x5c) {
      const digits = text.slice(i + 1, i + 4);
      if (/^[0-9]{3}$/.test(digits)) {
        octet = Number(digits);
        i += 3;
      } else {
        octet = text.charCodeAt(++i);
      }
    }
    // NaN is the end of the text after a backslash.
    if (!(octet <= 255)) return undefined;
    name += SPELLING[octet]!;
  }
  return isName(name) ? name : undefined;
}

/** True if a name has octets that {@link nameOctets} can write. */
export function isName(name: string): boolean {
  try {
    nameOctets(name);
    return true;
  } catch {
    return false;
  }
}
