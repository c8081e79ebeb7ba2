/** What the SMTP client answers: hand a message to its next hop. */
import { call, contract } from "../ipc/call.ts";
import { int, list, object, text, z } from "../ipc/schema.ts";
import {
  address,
  bodyType,
  contentKey,
  contentRef,
  messageWishes,
  nextHop,
  queueId,
  recipientWishes,
  reversePath,
} from "../core/shapes.ts";
import { outcome } from "../core/outcome.ts";

/** The SMTP client's calls. */
export const smtpcContract = contract("smtpc", {
  /**
   * Sends one message, in one transaction a host, to one next hop.
   *
   * Asked again after an unknown end, with `isRepeat`, it answers `delivered`
   * for what this process has delivered itself. If it died too, the next hop
   * gets a second copy; nothing is ever lost.
   */
  deliver: call({
    from: ["queue"],
    withinMs: 3_600_000,
    ask: object({
      queueId,
      ref: contentRef,
      key: contentKey,
      reversePath,
      recipients: list(address, { min: 1, max: 100 }),
      bodyType,
      wishes: messageWishes,
      /** One a recipient, in their order; empty if none of them has any. */
      recipientWishes: list(recipientWishes, { max: 100 }),
      nextHop,
      /** It may be delivered already, and the queue that asked has died. */
      isRepeat: z.boolean(),
    }),
    answer: object({
      /** One outcome a recipient, in their order. */
      outcomes: list(outcome, { min: 1, max: 100 }),
      /** The session for the event store: what was said, without content. */
      attempt: object({
        host: text({ max: 255 }),
        address: text({ max: 64 }),
        /** Such as `TLSv1.3 TLS_AES_256_GCM_SHA384`; empty without TLS. */
        tls: text({ max: 100 }),
        tookMs: int({ min: 0, max: 2 ** 40 }),
        /** Lines `C: ...` and `S: ...`, cut. */
        transcript: list(text({ max: 200 }), { max: 60 }),
      }),
    }),
    /** `damaged`: the record is torn or altered; nothing was sent. */
    refuses: ["damaged"],
  }),
  /**
   * Asks one next hop whether it takes mail for an address, and sends none:
   * `delivered` is a yes, `permanent` a no of the next hop's own, or of the
   * DNS about the domain. Everything else is `temporary`.
   */
  probe: call({
    from: ["gate"],
    withinMs: 120_000,
    ask: object({ recipient: address, nextHop }),
    answer: object({ outcome }),
    refuses: [],
    repeatable: true,
  }),
});

/** The facts of one session, as the event store keeps them. */
export type Attempt = z.infer<
  typeof smtpcContract.calls.deliver.answer
>["attempt"];
