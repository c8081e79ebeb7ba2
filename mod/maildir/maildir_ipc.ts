/** What local delivery answers: put a message into mailboxes. */
import { call, contract } from "../ipc/call.ts";
import { list, object } from "../ipc/schema.ts";
import {
  address,
  contentKey,
  contentRef,
  mailbox,
  queueId,
  reversePath,
} from "../core/shapes.ts";
import { outcome } from "../core/outcome.ts";

/** The Maildir role's calls. */
export const maildirContract = contract("maildir", {
  /**
   * Delivers one message to mailboxes. Answered after the files and the
   * directories are synced: a `delivered` survives a crash.
   *
   * Asked again after an unknown end, it may deliver twice, never lose.
   */
  deliver: call({
    from: ["queue"],
    withinMs: 300_000,
    ask: object({
      queueId,
      ref: contentRef,
      key: contentKey,
      reversePath,
      recipients: list(object({ mailbox, address }), { min: 1, max: 100 }),
    }),
    /** One outcome a recipient, in their order. */
    answer: object({ outcomes: list(outcome, { min: 1, max: 100 }) }),
    /** `damaged`: the record is torn or altered; nothing was delivered. */
    refuses: ["damaged"],
  }),
});
