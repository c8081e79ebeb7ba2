/**
 * Composes a delivery status notification: RFC 3464 inside RFC 6522, returning
 * the original or its header block (RFC 6522 §4), as RFC 3461 §6 has it. Pure.
 *
 * The original's octets are not here: the spool puts them between `head` and
 * `tail`. All foreign text passes `notice_text.ts`.
 *
 * A message that needed SMTPUTF8 gets the types of RFC 6533. Only a reverse-path
 * beyond ASCII makes the notice itself need SMTPUTF8.
 *
 * Not: delay notices.
 */
import { isIP } from "node:net";
import type { NoticeAction } from "./message.ts";
import {
  field,
  mailDate,
  paragraph,
  printable,
  typedAddress,
} from "./notice_text.ts";

/** One recipient that the sender is told of. */
export interface Reported {
  readonly action: NoticeAction;
  /** The address that was tried. */
  readonly address: string;
  /** What the sender wrote, if an alias changed it; else empty. */
  readonly original: string;
  /** RFC 3461 §4.2: what the sender says was written first; or empty. */
  readonly orcpt: string;
  readonly code: number;
  /** RFC 3463 code for `Status`. */
  readonly enhanced: string;
  readonly text: string;
  /** The host that said so; empty if it was us. */
  readonly host: string;
}

/** What a notice is made from. */
export interface NoticeFacts {
  /** Our name. */
  readonly hostname: string;
  /** Queue id of the notice, for its Message-ID. */
  readonly noticeId: string;
  /** Queue id of the message. */
  readonly queueId: string;
  /** The reverse-path of that message; never empty (RFC 5321 §4.5.5). */
  readonly reversePath: string;
  /** RFC 3461 §4.4: what the sender calls that message; or empty. */
  readonly envid: string;
  readonly arrivedMs: number;
  readonly nowMs: number;
  readonly is8bit: boolean;
  /** True if that message needed SMTPUTF8. */
  readonly isGlobal: boolean;
  /** What of the original stands between head and tail. */
  readonly quotes: "message" | "header" | "nothing";
  /** Random, so that no quoted line can be the delimiter: 32 hex digits. */
  readonly boundary: string;
  /** All failed, or none. */
  readonly reported: readonly Reported[];
}

/** A notice, but for what it quotes. */
export interface Notice {
  readonly head: string;
  readonly tail: string;
  /** Recipients it speaks of: the first so many of `reported`, 1 or more. */
  readonly told: number;
}

/** The spool takes 65,536; the frame around all of it stays under 256 KiB. */
const MAX_HEAD = 60_000;

/**
 * Composes the notice.
 *
 * A notice that would be too long speaks of the first recipients only, and
 * says so in `told`: the rest is another notice's.
 *
 * @throws {RangeError} If nobody is reported or the reverse-path is empty: a
 * notice about a notice is how mail loops begin
 */
export function composeNotice(facts: NoticeFacts): Notice {
  if (facts.reported.length === 0 || facts.reversePath === "") {
    throw new RangeError("Cannot compose notice: nobody to tell, or of");
  }
  const opening = header(facts) + opener(facts);
  const closing = quoteOpener(facts);
  let human = "";
  let status = statusHead(facts);
  let told = 0;
  for (const one of facts.reported) {
    const said = humanPart(one, facts);
    const group = statusGroup(one, facts);
    const length = opening.length + human.length + status.length +
      closing.length + said.length + group.length;
    if (told > 0 && length > MAX_HEAD) break;
    human += said;
    status += group;
    told++;
  }
  const head = opening + human + status + closing;
  return { head, tail: `\r\n--${facts.boundary}--\r\n`, told };
}

function isFailure({ reported }: NoticeFacts): boolean {
  return reported[0]!.action === "failed";
}

function header(facts: NoticeFacts): string {
  const subject = isFailure(facts)
    ? "Your message could not be delivered"
    : "Your message was delivered";
  const to = field("To", `<${facts.reversePath}>`, { isGlobal: true });
  return field("From", `Mail delivery <mailer-daemon@${facts.hostname}>`) + to +
    field("Date", mailDate(facts.nowMs)) +
    field("Message-ID", `<${facts.noticeId}@${facts.hostname}>`) +
    field("Subject", subject) +
    field("Auto-Submitted", "auto-replied") + // RFC 3834 §5
    field("MIME-Version", "1.0") +
    "Content-Type: multipart/report; report-type=delivery-status;\r\n" +
    ` boundary="${facts.boundary}"\r\n` +
    (facts.is8bit || facts.isGlobal ? EIGHT_BIT : "") +
    "\r\n";
}

const EIGHT_BIT = "Content-Transfer-Encoding: 8bit\r\n";

function opener(facts: NoticeFacts): string {
  const some = facts.reported.length === 1
    ? "this recipient"
    : "these recipients";
  const news = isFailure(facts)
    ? `Your message could not be delivered to ${some}, and will not be tried ` +
      "again. Nobody needs to act on our side; what each one's server said " +
      "stands below its address."
    : "You asked to be told what becomes of your message. Here is what became " +
      `of it for ${some}:`;
  return `--${facts.boundary}\r\n` +
    `Content-Type: text/plain; charset=${
      facts.isGlobal ? `utf-8\r\n${EIGHT_BIT}` : "us-ascii\r\n"
    }\r\n` +
    paragraph(`This is the mail server at ${facts.hostname}.`) + "\r\n" +
    paragraph(news) + "\r\n";
}

function humanPart(one: Reported, { isGlobal }: NoticeFacts): string {
  const via = one.original === "" ? "" : ` (you wrote to ${one.original})`;
  return paragraph(`<${one.address}>${via}`, { isGlobal }) +
    paragraph(wordsOf(one), { indent: "    " }) + "\r\n";
}

function wordsOf({ action, host, code, enhanced, text }: Reported): string {
  switch (action) {
    case "failed": {
      const who = host === "" ? "Our server says" : `${host} said`;
      return `${who}: ${code} ${enhanced} ${text}`;
    }
    case "delivered":
      return "It is in this mailbox.";
    case "relayed":
      return `${host} has taken it, and cannot tell what becomes of it there.`;
    case "expanded":
      return "It was passed on to the addresses behind this one.";
  }
}

function statusHead(facts: NoticeFacts): string {
  return `--${facts.boundary}\r\n` +
    (facts.isGlobal
      ? `Content-Type: message/global-delivery-status\r\n${EIGHT_BIT}`
      : "Content-Type: message/delivery-status\r\n") +
    "\r\n" +
    (facts.envid === "" ? "" : field("Original-Envelope-Id", facts.envid)) +
    field("Reporting-MTA", `dns; ${facts.hostname}`) +
    field("X-Bulkhead-Queue-ID", facts.queueId) +
    field("Arrival-Date", mailDate(facts.arrivedMs));
}

/** The fields of one recipient, RFC 3464 §2.3, after an empty line. */
function statusGroup(one: Reported, { isGlobal }: NoticeFacts): string {
  const original = one.orcpt !== ""
    ? one.orcpt
    : one.original === ""
    ? ""
    : typedAddress(one.original);
  const { host, code, enhanced, text } = one;
  // What another server said: of a success of our own there is nothing to say.
  const isSaid = one.action === "failed" || one.action === "relayed";
  return "\r\n" +
    (original === ""
      ? ""
      : field("Original-Recipient", original, { isGlobal })) +
    field("Final-Recipient", typedAddress(one.address), { isGlobal }) +
    field("Action", one.action) +
    field("Status", printable(enhanced)) +
    (host === "" ? "" : field("Remote-MTA", `dns; ${mtaName(host)}`)) +
    (isSaid
      ? field("Diagnostic-Code", `smtp; ${code} ${enhanced} ${text}`)
      : "");
}

/** An address stands for a host as a literal, RFC 5321 §4.1.3. */
function mtaName(host: string): string {
  switch (isIP(host)) {
    case 4:
      return `[${host}]`;
    case 6:
      return `[IPv6:${host}]`;
    default:
      return host;
  }
}

function quoteOpener(facts: NoticeFacts): string {
  const global = facts.isGlobal;
  const type = facts.quotes === "message"
    ? `message/${global ? "global" : "rfc822"}`
    : global
    ? "message/global-headers"
    : "text/rfc822-headers";
  return `\r\n--${facts.boundary}\r\n` +
    `Content-Type: ${type}\r\n` +
    (facts.is8bit || global ? EIGHT_BIT : "") +
    "\r\n" +
    (facts.quotes === "nothing"
      ? "X-Bulkhead-Note: the header could not be read back\r\n"
      : "");
}
