/**
 * What a notice says to people: which host said what and how it was reached,
 * what the sender can do, and what happens next. Pure.
 */
import { adviceFor } from "./notice_advice.ts";
import { newsOf, type NoticeFacts, type Reported } from "./notice_facts.ts";
import { mailDate, paragraph } from "./notice_text.ts";

/** Who writes, and what it is about. */
export function openingWords(facts: NoticeFacts): string {
  return paragraph(`This is the mail server at ${facts.hostname}.`) + "\r\n" +
    paragraph(newsIn(facts)) + "\r\n";
}

function newsIn(facts: NoticeFacts): string {
  const message = `Your message of ${mailDate(facts.arrivedMs)}`;
  const some = facts.reported.length === 1
    ? "this recipient"
    : "these recipients";
  switch (newsOf(facts)) {
    case "failure":
      return `${message} could not be delivered to ${some}, and will not be ` +
        "tried again. What happened stands below each address.";
    case "delay":
      return `${message} could not be delivered to ${some} yet. You need not ` +
        `do anything: it is tried again until ${mailDate(facts.retryUntilMs)}` +
        ". If that fails you will be told; else you will hear no more of it.";
    case "success":
      return `${message}: you asked to be told what becomes of it. Here is ` +
        `what became of it for ${some}:`;
  }
}

/** What is to be said of one recipient. */
export function wordsOf(one: Reported, facts: NoticeFacts): string {
  const { isGlobal } = facts;
  const via = one.original === "" ? "" : ` (you wrote to ${one.original})`;
  const indented = (text: string) =>
    paragraph(text, { indent: "    ", isGlobal });
  return paragraph(`<${one.address}>${via}`, { isGlobal }) +
    indented(accountIn(one)) +
    (one.action === "failed"
      ? indented(
        `What you can do: ${adviceFor(one.enhanced, keepersOf(one, facts))}`,
      )
      : "") +
    "\r\n";
}

function accountIn({ action, account, host }: Reported): string {
  switch (action) {
    case "failed":
    case "delayed":
      return account;
    case "delivered":
      return "It is in this mailbox.";
    case "relayed":
      return `${account}. ${host} has taken it, and cannot tell what becomes ` +
        "of it there.";
    case "expanded":
      return "It was passed on to the addresses behind this one.";
  }
}

/** Those who run the server that said no. */
function keepersOf(
  { said, address }: Reported,
  { hostname }: NoticeFacts,
): string {
  const domain = address.slice(address.lastIndexOf("@") + 1);
  return `postmaster@${said === "" ? hostname : domain}`;
}

/**
 * What else there is to say.
 *
 * @param told Recipients that the notice speaks of
 */
export function closingWords(facts: NoticeFacts, told: number): string {
  const more = facts.reported.length - told;
  const rest = newsOf(facts) === "delay" && more > 0
    ? paragraph(`${more} more recipients of it wait, too.`) + "\r\n"
    : "";
  switch (facts.quotes) {
    case "message":
      return rest + paragraph("Your message stands below.") + "\r\n";
    case "header":
      return rest + paragraph("Its header stands below.") + "\r\n";
    case "nothing":
      return rest;
  }
}
