/** What people and clients write for a mailbox, and the mailbox it means. */
import { domainToASCII } from "node:url";
import { isAscii } from "../core/international.ts";
import { type Mailbox, mailbox } from "../core/shapes.ts";

/** `user@domain`: the one name of a mailbox. */
export { addressOfMailbox as nameOf } from "../core/shapes.ts";

/**
 * Reads `user@domain`; capitals are folded.
 *
 * @returns Undefined if it can be no mailbox: both parts become directories,
 * and `user` must keep to a-z, 0-9, `.`, `_`, `-`
 */
export function parseMailbox(text: string): Mailbox | undefined {
  const at = text.lastIndexOf("@");
  if (at < 0) return undefined;
  const read = mailbox.safeParse({
    user: fold(text.slice(0, at)),
    domain: fold(text.slice(at + 1)),
  });
  return read.success && !text.includes("..") ? read.data : undefined;
}

/**
 * The mailbox that a login means.
 *
 * A login without a domain means `defaultDomain`; a domain in letters of any
 * script means its A-labels (RFC 5890), as everywhere in this server.
 *
 * @param login As {@link prepareLogin} gave it
 */
export function mailboxOfLogin(
  login: string,
  defaultDomain: string,
): Mailbox | undefined {
  const at = login.lastIndexOf("@");
  if (at < 0) return parseMailbox(`${login}@${defaultDomain}`);
  const domain = login.slice(at + 1);
  return parseMailbox(
    `${login.slice(0, at)}@${isAscii(domain) ? domain : domainToASCII(domain)}`,
  );
}

function fold(text: string): string {
  return text.replace(/[A-Z]/g, (letter) => letter.toLowerCase());
}
