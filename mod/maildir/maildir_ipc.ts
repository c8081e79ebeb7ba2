/** What local delivery answers: put a message into mailboxes. */
import { call, contract } from "../ipc/call.ts";
import { int, list, object, z } from "../ipc/schema.ts";
import {
  address,
  bodyType,
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
   * Asked again after an unknown end, with `isRepeat`, it answers `delivered`
   * for what it finds in the mailbox. Only if somebody has taken the file out
   * of `new` and `cur` meanwhile is there a second copy; nothing is ever lost.
   */
  deliver: call({
    from: ["queue"],
    withinMs: 300_000,
    ask: object({
      queueId,
      ref: contentRef,
      key: contentKey,
      reversePath,
      bodyType,
      recipients: list(
        object({
          mailbox,
          address,
          /** Number within the message: the same at every attempt. */
          ordinal: int({ min: 0, max: 2 ** 31 }),
        }),
        { min: 1, max: 100 },
      ),
      /**
       * It may have been delivered before, and nobody wrote that down: the
       * role that was asked, or the one that asked, has died meanwhile.
       */
      isRepeat: z.boolean(),
    }),
    /** One outcome a recipient, in their order. */
    answer: object({ outcomes: list(outcome, { min: 1, max: 100 }) }),
    /** `damaged`: the record is torn or altered; nothing was delivered now. */
    refuses: ["damaged"],
  }),
});
