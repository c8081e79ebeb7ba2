/** From a message and its recipients to what a notice says of them. Pure. */
import { saidOf } from "../core/outcome.ts";
import { MAX_RETURNED_OCTETS } from "../spool/spool_ipc.ts";
import { accountOf } from "./account.ts";
import type { Message, Recipient } from "./message.ts";
import type { NoticeFacts, Reported } from "./notice_facts.ts";

/** What to quote, the best first. */
export function quotesFor(
  message: Pick<Message, "wishes" | "bodyType" | "ref">,
  reported: readonly Reported[],
): readonly NoticeFacts["quotes"][] {
  const { ret, requireTls } = message.wishes;
  // RFC 3461 §4.3: only with a failure. RFC 8689 §5: with REQUIRETLS never.
  // And octets that are neither 7 nor 8 bit need a way that nobody promised.
  const isWhole = ret === "full" && reported[0]!.action === "failed" &&
    !requireTls && message.bodyType !== "binarymime" &&
    message.ref.sizeBytes <= MAX_RETURNED_OCTETS;
  return isWhole ? ["message", "header", "nothing"] : ["header", "nothing"];
}

/**
 * What a notice is to say of a recipient.
 *
 * @throws {RangeError} If nothing came of it yet: a caller bug
 */
export function reportedOf(
  recipient: Recipient,
  action: Reported["action"],
): Reported {
  const { address, original, wishes, last, lastMs } = recipient;
  if (last === undefined) {
    throw new RangeError("Cannot notify: a recipient without outcome");
  }
  const { enhanced, text, host } = last;
  return {
    action,
    address,
    original,
    orcpt: wishes.orcpt,
    enhanced,
    text,
    host,
    said: saidOf(last),
    // Older rows have none.
    account: recipient.account || accountOf(last),
    lastMs,
  };
}
