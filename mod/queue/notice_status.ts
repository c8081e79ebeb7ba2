/** What a notice says to programs: `message/delivery-status`, RFC 3464. Pure. */
import { isIP } from "node:net";
import type { NoticeFacts, Reported } from "./notice_facts.ts";
import {
  EIGHT_BIT,
  field,
  mailDate,
  printable,
  typedAddress,
} from "./notice_text.ts";

/** The fields of the message, RFC 3464 §2.2. Not: Received-From-MTA. */
export function statusHead(facts: NoticeFacts): string {
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
export function statusGroup(one: Reported, facts: NoticeFacts): string {
  const { isGlobal } = facts;
  const { action, host, said, lastMs } = one;
  const original = one.orcpt !== ""
    ? one.orcpt
    : one.original === ""
    ? ""
    : typedAddress(one.original);
  return "\r\n" +
    (original === ""
      ? ""
      : field("Original-Recipient", original, { isGlobal })) +
    field("Final-Recipient", typedAddress(one.address), { isGlobal }) +
    field("Action", action) +
    field("Status", printable(one.enhanced)) +
    // §2.3.5: of the one that told us, so not where nobody answered.
    (said === "" ? "" : field("Remote-MTA", `dns; ${mtaName(host)}`)) +
    diagnosis(one) +
    (lastMs === 0 ? "" : field("Last-Attempt-Date", mailDate(lastMs))) +
    // §2.3.8: in the log of the last server that had it, which was ours.
    (host === "" ? field("Final-Log-ID", facts.queueId) : "") +
    (action === "delayed"
      ? field("Will-Retry-Until", mailDate(facts.retryUntilMs))
      : "");
}

/**
 * §2.3.6: the other server's own words as `smtp`; ours are of another type,
 * because nobody said them in SMTP. Of a success of our own nothing.
 */
function diagnosis({ action, said, text }: Reported): string {
  if (said !== "") return field("Diagnostic-Code", `smtp; ${said}`);
  switch (action) {
    case "failed":
    case "delayed":
      return field("Diagnostic-Code", `x-bulkhead; ${text}`);
    case "relayed":
    case "delivered":
    case "expanded":
      return "";
  }
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
