/**
 * Composes a delivery status notification: RFC 3464 inside RFC 6522, returning
 * the original's header block (RFC 6522 §4). Pure.
 *
 * The original's octets are not here: the spool puts its header block between
 * `head` and `tail`. All foreign text passes `notice_text.ts`.
 *
 * Not: RFC 3461 (NOTIFY, RET, ENVID), which the server does not offer yet.
 */
import {
  field,
  mailDate,
  paragraph,
  printable,
  typedAddress,
} from "./notice_text.ts";

/** One recipient that failed for good. */
export interface Failed {
  /** The address that was tried. */
  readonly address: string;
  /** What the sender wrote, if an alias changed it; else empty. */
  readonly original: string;
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
  /** Queue id of the message that failed. */
  readonly queueId: string;
  /** The reverse-path of that message; never empty (RFC 5321 §4.5.5). */
  readonly reversePath: string;
  readonly arrivedMs: number;
  readonly nowMs: number;
  readonly is8bit: boolean;
  /** False if the original's header block cannot be had. */
  readonly quotes: boolean;
  /** Random, so that no quoted line can be the delimiter: 32 hex digits. */
  readonly boundary: string;
  readonly failed: readonly Failed[];
}

/** A notice, but for the quoted header block. */
export interface Notice {
  readonly head: string;
  readonly tail: string;
  /** Recipients it speaks of: the first so many of `failed`, 1 or more. */
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
 * @throws {RangeError} If nobody failed or the reverse-path is empty: a notice
 * about a notice is how mail loops begin
 */
export function composeNotice(facts: NoticeFacts): Notice {
  if (facts.failed.length === 0 || facts.reversePath === "") {
    throw new RangeError("Cannot compose notice: nobody to tell, or of");
  }
  const opening = header(facts) + opener(facts);
  const closing = quoteOpener(facts);
  let human = "";
  let status = statusHead(facts);
  let told = 0;
  for (const failed of facts.failed) {
    const said = humanPart(failed);
    const group = statusGroup(failed);
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

function header(facts: NoticeFacts): string {
  return field("From", `Mail delivery <mailer-daemon@${facts.hostname}>`) +
    field("To", mailboxOf(facts.reversePath)) +
    field("Date", mailDate(facts.nowMs)) +
    field("Message-ID", `<${facts.noticeId}@${facts.hostname}>`) +
    field("Subject", "Your message could not be delivered") +
    field("Auto-Submitted", "auto-replied") + // RFC 3834 §5
    field("MIME-Version", "1.0") +
    "Content-Type: multipart/report; report-type=delivery-status;\r\n" +
    ` boundary="${facts.boundary}"\r\n` +
    (facts.is8bit ? field("Content-Transfer-Encoding", "8bit") : "") +
    "\r\n";
}

/** The reverse-path as a header may hold it. */
function mailboxOf(path: string): string {
  for (let i = 0; i < path.length; i++) {
    const code = path.charCodeAt(i);
    // A header with 8-bit octets needs RFC 6532, which we do not offer.
    if (code < 0x20 || code > 0x7e) return "undisclosed-recipients:;";
  }
  return `<${path}>`;
}

function opener(facts: NoticeFacts): string {
  return `--${facts.boundary}\r\n` +
    "Content-Type: text/plain; charset=us-ascii\r\n\r\n" +
    paragraph(`This is the mail server at ${facts.hostname}.`) + "\r\n" +
    paragraph(
      `Your message could not be delivered to ${
        facts.failed.length === 1 ? "this recipient" : "these recipients"
      }, and will not be tried again. Nobody needs to act on our side; ` +
        "what each one's server said stands below its address.",
    ) + "\r\n";
}

function humanPart(failed: Failed): string {
  const via = failed.original === ""
    ? ""
    : ` (you wrote to ${failed.original})`;
  const who = failed.host === "" ? "Our server says" : `${failed.host} said`;
  return paragraph(`<${failed.address}>${via}`) +
    paragraph(
      `${who}: ${failed.code} ${failed.enhanced} ${failed.text}`,
      "    ",
    ) + "\r\n";
}

function statusHead(facts: NoticeFacts): string {
  return `--${facts.boundary}\r\n` +
    "Content-Type: message/delivery-status\r\n\r\n" +
    field("Reporting-MTA", `dns; ${facts.hostname}`) +
    field("X-Bulkhead-Queue-ID", facts.queueId) +
    field("Arrival-Date", mailDate(facts.arrivedMs));
}

/** The fields of one recipient, RFC 3464 §2.3, after an empty line. */
function statusGroup(failed: Failed): string {
  const original = failed.original === ""
    ? ""
    : field("Original-Recipient", typedAddress(failed.original));
  const remote = failed.host === ""
    ? ""
    : field("Remote-MTA", `dns; ${failed.host}`);
  return "\r\n" + original +
    field("Final-Recipient", typedAddress(failed.address)) +
    field("Action", "failed") +
    field("Status", printable(failed.enhanced)) +
    remote +
    field(
      "Diagnostic-Code",
      `smtp; ${failed.code} ${failed.enhanced} ${failed.text}`,
    );
}

function quoteOpener(facts: NoticeFacts): string {
  return `\r\n--${facts.boundary}\r\n` +
    "Content-Type: text/rfc822-headers\r\n" +
    (facts.is8bit ? "Content-Transfer-Encoding: 8bit\r\n" : "") +
    "\r\n" +
    (facts.quotes
      ? ""
      : "X-Bulkhead-Note: the header could not be read back\r\n");
}
