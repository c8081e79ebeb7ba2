/**
 * Preparation of logins and passwords, so that both are the same however a
 * keyboard composes their letters.
 *
 * A password is prepared by SASLprep (RFC 4013), which RFC 5802 §5.1 demands:
 * in SCRAM the client does so, and the server only sees what became of it.
 * A `²` is a `2` then. A login is a mailbox's name, and gets no more than NFC
 * (RFC 8265 §3.4).
 *
 * Not: SASLprep's rules for right-to-left text, and what it prohibits beyond
 * control characters. They would refuse passwords that work.
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
 * A password in the form to be hashed, RFC 4013 §2.
 *
 * @returns Undefined if it can be nobody's; see {@link passwordFault}
 */
export function preparePassword(text: string): string | undefined {
  const prepared = saslPrepared(text);
  return faultOf(prepared) === undefined ? prepared : undefined;
}

/**
 * Why a password cannot be used, if so: empty, too long, or with a control
 * character, which most clients cannot send.
 */
export function passwordFault(text: string): string | undefined {
  return faultOf(saslPrepared(text));
}

function faultOf(prepared: string): string | undefined {
  if (prepared.length === 0) return "the password is empty";
  if (Buffer.byteLength(prepared) > MAX_PASSWORD_OCTETS) {
    return `the password has more than ${MAX_PASSWORD_OCTETS} octets`;
  }
  return hasControl(prepared)
    ? "the password has a control character, such as the end of a line"
    : undefined;
}

/** RFC 4013 §2.1 and §2.2. */
function saslPrepared(text: string): string {
  let mapped = "";
  for (const char of text) {
    const code = char.codePointAt(0)!;
    if (isOddSpace(code)) mapped += " ";
    else if (!isMappedToNothing(code)) mapped += char;
  }
  return mapped.normalize("NFKC");
}

/** RFC 3454, table C.1.2. */
function isOddSpace(code: number): boolean {
  return code === 0xa0 || code === 0x1680 ||
    code >= 0x2000 && code <= 0x200b ||
    code === 0x202f || code === 0x205f || code === 0x3000;
}

/** RFC 3454, table B.1. */
function isMappedToNothing(code: number): boolean {
  return code === 0xad || code === 0x34f || code === 0x1806 ||
    code >= 0x180b && code <= 0x180d ||
    code === 0x200c || code === 0x200d || code === 0x2060 ||
    code >= 0xfe00 && code <= 0xfe0f || code === 0xfeff;
}

function hasControl(text: string): boolean {
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code < 0x20 || code >= 0x7f && code < 0xa0) return true;
  }
  return false;
}
