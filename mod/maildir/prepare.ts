/**
 * Makes the mailboxes of new users before their first message, so that a mail
 * reader finds a Maildir and not a missing directory.
 */
import type { Mailbox } from "../core/shapes.ts";
import { log } from "../core/log.ts";
import { type Mailboxes, MAX_KNOWN } from "./mailboxes.ts";

/** Mailboxes made before others get a turn. */
const AT_ONCE = 100;
/** Failures told of; a mail directory that is gone would fail for each. */
const MAX_TOLD = 5;

/**
 * Makes what is missing. A failure is logged and nothing more: the first
 * delivery tries again, and answers for it.
 *
 * @param wanted At most {@link MAX_KNOWN} are made; the rest when mail comes
 */
export async function prepareMailboxes(
  mailboxes: Mailboxes,
  wanted: readonly Mailbox[],
): Promise<void> {
  let told = 0;
  for (const [at, mailbox] of wanted.slice(0, MAX_KNOWN).entries()) {
    const opened = mailboxes.open(mailbox, Date.now());
    if (!opened.ok && told++ < MAX_TOLD) {
      log("mailbox-not-made", {
        mailbox: `${mailbox.user}@${mailbox.domain}`,
        why: opened.failure.why,
      });
    }
    if (at % AT_ONCE === AT_ONCE - 1) {
      await new Promise((resolve) => setTimeout(resolve, 0));
    }
  }
}
