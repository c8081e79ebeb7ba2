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

const targets = object({ targets: list(target, { min: 1, max: 1_000 }) });

/** The resolver's calls. */
export const resolveContract = contract("resolve", {
  /**
   * Resolves one recipient of a stranger's message through sub-addresses,
   * aliases and routes: local, or of a domain that we relay for.
   *
   * smtpd asks at RCPT, so that unknown users are refused in the session and
   * cause no backscatter; queue asks again when it delivers, because smtpd is
   * not trusted to name directories. gate asks for the next hop that it is
   * to ask about an address.
   */
  recipient: call({
    from: ["smtpd", "submission", "queue", "gate"],
    withinMs: 10_000,
    ask: object({ address }),
    answer: targets,
    /**
     * - `unknown-recipient`: the domain is ours and the mailbox does not exist
     * - `relay-denied`: the domain is neither ours nor one that we relay for
     * - `alias-loop`: aliases that only name one another, or over 1,000 targets
     */
    refuses: ["unknown-recipient", "relay-denied", "alias-loop"],
    repeatable: true,
  }),
  /**
   * The same for what may go anywhere: a message of a client that has logged
   * in, a notice of ours, and what an alias gave. A call of its own, so that it is the edge
   * and not a word in the ask that decides: port 25 cannot ask it.
   */
  relay: call({
    from: ["submission", "queue"],
    withinMs: 10_000,
    ask: object({ address }),
    answer: targets,
    refuses: ["unknown-recipient", "alias-loop"],
    repeatable: true,
  }),
  /**
   * May a mailbox send as this address? Its own, sub-addresses of it, and
   * aliases (catch-alls too) that lead to it, by whatever way.
   */
  sender: call({
    from: ["submission"],
    withinMs: 10_000,
    ask: object({ address, login: mailbox }),
    answer: object({}),
    refuses: ["not-yours"],
    repeatable: true,
  }),
});
