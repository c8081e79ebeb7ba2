/**
 * Composes a delivery status notification: RFC 3464 inside RFC 6522, returning
 * the original or its header block (RFC 6522 §4), as RFC 3461 §6 has it. Pure.
 *
 * The original's octets are not here: the spool puts them between `head` and
 * `tail`. All foreign text passes `notice_text.ts`; what is for people stands
 * in `notice_words.ts`, what is for programs in `notice_status.ts`.
 *
 * A message that needed SMTPUTF8 gets the types of RFC 6533. Only a reverse-path
 * beyond ASCII makes the notice itself need SMTPUTF8.
 */
import { type News, newsOf, type NoticeFacts } from "./notice_facts.ts";
import { statusGroup, statusHead } from "./notice_status.ts";
import { EIGHT_BIT, field, mailDate } from "./notice_text.ts";
import { closingWords, openingWords, wordsOf } from "./notice_words.ts";

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
  const opening = header(facts) + openingPart(facts);
  const quote = quoteOpener(facts);
  let human = "";
  let status = statusHead(facts);
  let told = 0;
  for (const one of facts.reported) {
    const said = wordsOf(one, facts);
    const group = statusGroup(one, facts);
    const length = opening.length + human.length + status.length +
      quote.length + said.length + group.length;
    if (told > 0 && length > MAX_HEAD) break;
    human += said;
    status += group;
    told++;
  }
  human += closingWords(facts, told);
  const head = opening + human + status + quote;
  return { head, tail: `\r\n--${facts.boundary}--\r\n`, told };
}

const SUBJECTS: Readonly<Record<News, string>> = {
  failure: "Your message could not be delivered",
  delay: "Your message is delayed",
  success: "Your message was delivered",
};

function subject(facts: NoticeFacts): string {
  const news = newsOf(facts);
  // What others were given may yet fail.
  return news !== "success" ||
      facts.reported.every(({ action }) => action === "delivered")
    ? SUBJECTS[news]
    : "Your message was passed on";
}

function header(facts: NoticeFacts): string {
  return field("From", `Mail delivery <mailer-daemon@${facts.hostname}>`) +
    field("To", `<${facts.reversePath}>`, { isGlobal: true }) +
    field("Date", mailDate(facts.nowMs)) +
    field("Message-ID", `<${facts.noticeId}@${facts.hostname}>`) +
    field("Subject", subject(facts)) +
    field("Auto-Submitted", "auto-replied") + // RFC 3834 §5
    field("MIME-Version", "1.0") +
    "Content-Type: multipart/report; report-type=delivery-status;\r\n" +
    ` boundary="${facts.boundary}"\r\n` +
    (facts.is8bit || facts.isGlobal ? EIGHT_BIT : "") +
    "\r\n";
}

function openingPart(facts: NoticeFacts): string {
  const charset = facts.isGlobal ? `utf-8\r\n${EIGHT_BIT}` : "us-ascii\r\n";
  return `--${facts.boundary}\r\n` +
    `Content-Type: text/plain; charset=${charset}\r\n` +
    openingWords(facts);
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
