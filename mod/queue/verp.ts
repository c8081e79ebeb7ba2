/**
 * Variable envelope return paths (VERP): a reverse-path for each recipient,
 * `sender+user=domain@home`, so that a bounce says by its own address whom it
 * is about, whatever the server that wrote it put inside. The form and the
 * delimiters are those of Postfix's VERP_README. Pure.
 */
import { isAscii, utf8Length } from "../core/international.ts";
import type { Message, Recipient } from "./message.ts";

/** RFC 5321 §4.5.3.1.1. */
const MAX_LOCAL_PART = 64;
/** RFC 5321 §4.5.3.1.3 less `<>`. */
const MAX_ADDRESS = 254;

/**
 * The reverse-path under which a recipient's copy leaves, and to which its
 * notices go: its own, if the sender asked for that and there is one.
 */
export function reversePathFor(
  message: Pick<Message, "reversePath" | "wishes">,
  recipient: Pick<Recipient, "address" | "original">,
): string {
  const { reversePath, wishes } = message;
  if (wishes.verp === "") return reversePath;
  // What the sender wrote: the name that its list has.
  const written = recipient.original || recipient.address;
  return verpPath(reversePath, written, wishes.verp) ?? reversePath;
}

/**
 * @returns Undefined where the address would be none, or would not find back:
 * a quoted local part, one beyond ASCII, one that our own resolver takes for a
 * route or a path, or a name too long
 */
export function verpPath(
  sender: string,
  recipient: string,
  delimiters: string,
): string | undefined {
  const from = partsOf(sender);
  const to = partsOf(recipient);
  if (!isPlain(from.local) || !isPlain(to.local) || !isAscii(to.local)) {
    return undefined;
  }
  // An address literal is no part of a dot-atom.
  if (to.domain.startsWith("[")) return undefined;
  const local = from.local + delimiters[0] + to.local + delimiters[1] +
    to.domain;
  const path = `${local}@${from.domain}`;
  return utf8Length(local) <= MAX_LOCAL_PART && utf8Length(path) <= MAX_ADDRESS
    ? path
    : undefined;
}

/**
 * Whom a bounce is about that came for this address; undefined if that does
 * not say. It says what its sender made it say: anybody may write to it.
 */
export function failedRecipient(address: string): string | undefined {
  const { local } = partsOf(address);
  const plus = local.indexOf("+");
  const equals = local.lastIndexOf("=");
  if (plus < 1 || equals < plus + 2 || equals === local.length - 1) {
    return undefined;
  }
  return `${local.slice(plus + 1, equals)}@${local.slice(equals + 1)}`;
}

function partsOf(address: string): { local: string; domain: string } {
  const at = address.lastIndexOf("@");
  return { local: address.slice(0, at), domain: address.slice(at + 1) };
}

function isPlain(local: string): boolean {
  for (const character of '"%!/') {
    if (local.includes(character)) return false;
  }
  return true;
}
