/** What the resolver answers: where does mail for an address go? */
import { call, contract } from "../ipc/call.ts";
import { list, object, z } from "../ipc/schema.ts";
import { address, mailbox, nextHop } from "../core/shapes.ts";

/** One place that mail for a recipient goes to. */
export const target = z.union([
  object({
    kind: z.literal("mailbox"),
    mailbox,
    /** For `Delivered-To`: the address after aliases, extension kept. */
    address,
  }),
  object({ kind: z.literal("remote"), address, nextHop }),
]);

/** See {@link target}. */
export type Target = z.infer<typeof target>;

/** The resolver's calls. */
export const resolveContract = contract("resolve", {
  /**
   * Resolves one recipient through sub-addresses, aliases and routes.
   *
   * smtpd asks at RCPT, so that unknown users are refused in the session and
   * cause no backscatter; queue asks again when it delivers, because smtpd is
   * not trusted to name directories.
   */
  recipient: call({
    from: ["smtpd", "queue"],
    withinMs: 10_000,
    ask: object({
      address,
      /**
       * True if the message may go anywhere: an authenticated client's, or
       * one that is already accepted.
       */
      mayRelay: z.boolean(),
    }),
    answer: object({ targets: list(target, { min: 1, max: 1_000 }) }),
    /**
     * - `unknown-recipient`: the domain is ours and the mailbox does not exist
     * - `relay-denied`: the domain is not ours and `mayRelay` is false
     * - `alias-loop`: aliases that only name one another, or over 1,000 targets
     */
    refuses: ["unknown-recipient", "relay-denied", "alias-loop"],
    repeatable: true,
  }),
});
