/**
 * Preparation of logins and passwords, a part of RFC 8265: NFC, so that a
 * password is the same however a keyboard composes its letters, and no
 * control characters.
 *
 * Not: the mapping of wide and odd spaces (§4.2.2), and SASLprep's
 * compatibility forms (RFC 4013), which RFC 5802 §5.1 names. In ASCII there is
 * no difference.
 */
import { Buffer } from "node:buffer";

/** In octets of UTF-8, as prepared. */
export const MAX_PASSWORD_OCTETS = 1_000;
/** In octets of UTF-8, as prepared. */
export const MAX_LOGIN_OCTETS = 255;

/**
 * A login in the form to be compared, RFC 8265 §3.4; upper and lower case are
 * left to who knows the mailboxes.
 *
 * @returns Undefined if it can be nobody's
 */
export function prepareLogin(text: string): string | undefined {
  const login = text.normalize("NFC");
  return login.length > 0 && Buffer.byteLength(login) <= MAX_LOGIN_OCTETS &&
      !hasControl(login)
    ? login
    : undefined;
}

/**
 * A password in the form to be hashed, RFC 8265 §4.2.
 *
 * @returns Undefined if it can be nobody's; see {@link passwordFault}
 */
export function preparePassword(text: string): string | undefined {
  return passwordFault(text) === undefined ? text.normalize("NFC") : undefined;
}

/**
 * Why a password cannot be used, if so: empty, too long, or with a control
 * character, which most clients cannot send.
 */
export function passwordFault(text: string): string | undefined {
  if (text.length === 0) return "the password is empty";
  if (Buffer.byteLength(text.normalize("NFC")) > MAX_PASSWORD_OCTETS) {
    return `the password has more than ${MAX_PASSWORD_OCTETS} octets`;
  }
  return hasControl(text)
    ? "the password has a control character, such as the end of a line"
    : undefined;
}

function hasControl(text: string): boolean {
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code < 0x20 || code >= 0x7f && code < 0xa0) return true;
  }
  return false;
}
