/**
 * Addresses beyond ASCII, RFC 6531: what octets say, in one form.
 *
 * Every address has one spelling here: a local part in NFC, a domain in
 * A-labels. What cannot be seen, or changes how its neighbours look, is in no
 * address, even where Unicode means it well (joiners, variation selectors):
 * two addresses that look alike must not differ in it.
 */
import { domainToASCII } from "node:url";

/**
 * Controls, format and direction characters, fillers, blanks other than
 * U+0020, private and non-characters; U+FFFD also stands for what is no UTF-8.
 */
const UNSEEN =
  /[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Zl}\p{Zp}\p{Noncharacter_Code_Point}\p{Default_Ignorable_Code_Point}\ufffd]|(?! )\p{Zs}/u;

const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
const encoder = new TextEncoder();

/** Octets as UTF-16 units: how a line off the wire is held. */
export function octetText(text: string): string {
  if (isAscii(text)) return text;
  return String.fromCharCode(...encoder.encode(text));
}

/** Octets that a text has in UTF-8. */
export function utf8Length(text: string): number {
  return isAscii(text) ? text.length : encoder.encode(text).length;
}

/** True if no octet or character is above 127. */
export function isAscii(text: string): boolean {
  for (let i = 0; i < text.length; i++) {
    if (text.charCodeAt(i) > 0x7f) return false;
  }
  return true;
}

/** True if nothing in a text is unseen, see the file's header. */
export function isSeen(text: string): boolean {
  return !UNSEEN.test(text);
}

/**
 * Reads UTF-8 that a person is meant to see.
 *
 * @param octets Octets as UTF-16 units
 * @returns Undefined if the octets are no UTF-8 (overlong forms and surrogates
 * are none) or hold what is unseen
 */
export function seenText(octets: string): string | undefined {
  const bytes = new Uint8Array(octets.length);
  for (let i = 0; i < octets.length; i++) bytes[i] = octets.charCodeAt(i);
  const text = decoder.decode(bytes);
  return isSeen(text) ? text : undefined;
}

/** True if a text begins with a mark that would join what stands before it. */
export function beginsWithMark(text: string): boolean {
  return /^\p{M}/u.test(text);
}

/**
 * The A-labels of a domain, RFC 5890 §2.3.2.1, by UTS 46.
 *
 * A label that begins with `xn--` must be one that a U-label has: there is one
 * rule for both spellings, so each domain has one of each.
 *
 * @param octets Octets as UTF-16 units, at most a few hundred
 * @returns In lower case, hyphens and lengths not checked; undefined if it is
 * no domain
 */
export function aLabels(octets: string): string | undefined {
  const text = seenText(octets);
  if (text === undefined) return undefined;
  const ascii = domainToASCII(text);
  return ascii === "" ? undefined : ascii;
}

/** True if some label of a domain in lower case claims to be an A-label. */
export function claimsALabel(domain: string): boolean {
  return domain.startsWith("xn--") || domain.includes(".xn--");
}
