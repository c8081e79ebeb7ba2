/** What the queue answers: take responsibility for a message. */
import { intake, subjectWords } from "../core/intake.ts";
import { call, contract } from "../ipc/call.ts";
import { consoleCalls, grant } from "./console_ipc.ts";
import { int, list, object, text, z } from "../ipc/schema.ts";
import {
  address,
  bodyType,
  contentKey,
  contentRef,
  domain,
  messageWishes,
  queueId,
  recipientWishes,
  reversePath,
} from "../core/shapes.ts";
import { found, MAX_FOUND, storyOf } from "./story_ipc.ts";

/** The states of a recipient, by the field's names. */
export const STATES = [
  "incoming",
  "active",
  "deferred",
  "hold",
  "bounce",
  "corrupt",
] as const;

/** What of a story goes into one frame; of events the first and the last. */
export const MAX_STORY = { recipients: 100, events: 200 } as const;

/** The queue's calls. */
export const queueContract = contract("queue", {
  /**
   * Takes a message over, in state `incoming`.
   *
   * Answered after the key slot is synced and the envelope is committed
   * (SQLite, synchronous=FULL). Asked only when `spool.store` has answered, so
   * it is what lets smtpd write 250 (RFC 5321 §6.1), and delivery may begin. A
   * second ask with an id that is already there and the same `ref` is answered
   * like the first.
   */
  accept: call({
    from: ["smtpd", "submission", "pickup"],
    withinMs: 60_000,
    ask: object({
      queueId,
      ref: contentRef,
      key: contentKey,
      reversePath,
      recipients: list(address, { min: 1, max: 1_000 }),
      bodyType,
      wishes: messageWishes,
      /** One a recipient, in their order; empty if none of them has any. */
      recipientWishes: list(recipientWishes, { max: 1_000 }),
      /** It waits in `hold` for an administrator. */
      hold: z.boolean(),
      /** Who handed it in: address, HELO name, protocol as in `with`. */
      client: object({
        address: text({ max: 64 }),
        helo: text({ max: 255 }),
        protocol: text({ max: 16 }),
        /**
         * The mailbox that logged in, empty if none did; of a message from
         * pickup the user of this machine.
         */
        login: text({ max: 320 }),
      }),
      /** What was found out about it at the door, for the history. */
      intake: intake.optional(),
      /** For `bulkhead why WORD`; none if they are not to be kept. */
      subjectWords: subjectWords.optional(),
    }),
    answer: object({}),
    /**
     * - `full`: the disk is full or the queue is at its limit: 452 4.3.1
     * - `unhealthy`: the database or key file failed: 451
     * - `known`: told to pickup alone, which hands in the same file again
     *   after a crash: it is in the queue under another `ref`, or was
     */
    refuses: ["full", "unhealthy", "known"],
    repeatable: true,
  }),
  /**
   * Tries what waits for a domain now (RFC 1985 ETRN): all its recipients that
   * are deferred become due.
   */
  flush: call({
    from: ["smtpd", "submission"],
    withinMs: 10_000,
    ask: object({ domain, andBelow: z.boolean() }),
    answer: object({ recipients: int({ min: 0, max: 2 ** 40 }) }),
    refuses: [],
    repeatable: true,
  }),
  /** Recipients by state, and totals since the start. For the console. */
  counts: call({
    from: ["console"],
    withinMs: 5_000,
    ask: object({}),
    answer: object({
      byState: z.record(z.enum(STATES), int({ min: 0, max: 2 ** 40 })),
      accepted: int({ min: 0, max: 2 ** 50 }),
      delivered: int({ min: 0, max: 2 ** 50 }),
      deferred: int({ min: 0, max: 2 ** 50 }),
      bounced: int({ min: 0, max: 2 ** 50 }),
      /** From arrival to delivery; see `mod/core/delay_histogram.ts` for the bounds. */
      delays: object({
        upTo: list(int({ min: 0, max: 2 ** 50 }), { max: 32 }),
        sumMs: int({ min: 0, max: 2 ** 52 }),
      }),
    }),
    refuses: [],
    repeatable: true,
  }),
  /**
   * Messages that words name, each of them, newest first: queue ids, addresses
   * (sender's or a recipient's), words of a subject. What the history still
   * tells of. For the console.
   */
  find: call({
    from: ["console"],
    withinMs: 5_000,
    ask: object({
      grant,
      words: list(text({ min: 1, max: 320 }), { min: 1, max: 8 }),
      limit: int({ min: 1, max: MAX_FOUND }),
    }),
    answer: object({ found: list(found, { max: MAX_FOUND }) }),
    /** `busy`: too many look into the history. */
    refuses: ["no-grant", "busy"],
    repeatable: true,
  }),
  /** All that is known of one message, for the console. */
  story: call({
    from: ["console"],
    withinMs: 5_000,
    ask: object({ grant, queueId }),
    answer: storyOf(MAX_STORY),
    /** `unknown`: neither the queue nor the history has heard of it. */
    refuses: ["unknown", "no-grant", "busy"],
    repeatable: true,
  }),
  ...consoleCalls,
});
