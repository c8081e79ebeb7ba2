/** What the spool answers: keep a message's octets, sealed, on disk. */
import { call, contract } from "../ipc/call.ts";
import { int, list, object, text, z } from "../ipc/schema.ts";
import { contentKey, contentRef } from "../core/shapes.ts";

/** Largest message that a notice returns whole. */
export const MAX_RETURNED_OCTETS = 1_048_576;

const stored = object({ ref: contentRef, key: contentKey });

/** The spool's calls. */
export const spoolContract = contract("spool", {
  /**
   * Takes a message's octets as a stream and seals them under a new key.
   *
   * The answer comes when a sync has covered all of it: the record survives a
   * crash. The spool forgets the key at once.
   */
  store: call({
    from: ["smtpd", "submission", "pickup"],
    // Slow clients stream for as long as smtpd's own deadline lets them.
    withinMs: 3_600_000,
    ask: object({}),
    answer: stored,
    /**
     * - `full`: no free segment, or the disk is full: 452 4.3.1
     * - `unhealthy`: the disk failed to write or sync: 451
     */
    refuses: ["full", "unhealthy"],
    streams: true,
  }),
  /** Gives back a record that was stored but that nobody took over. */
  drop: call({
    from: ["smtpd", "submission", "pickup"],
    withinMs: 10_000,
    ask: object({ ref: contentRef }),
    answer: object({}),
    refuses: [],
  }),
  /**
   * Tells a spool that has just started which records are in use. Before the
   * page with `last: true` the spool stores nothing: asks wait.
   */
  adopt: call({
    from: ["queue"],
    withinMs: 60_000,
    ask: object({ refs: list(contentRef, { max: 1_000 }), last: z.boolean() }),
    answer: object({}),
    refuses: [],
  }),
  /** These messages are done with: their records' space may be used again. */
  release: call({
    from: ["queue"],
    withinMs: 60_000,
    ask: object({ refs: list(contentRef, { min: 1, max: 1_000 }) }),
    answer: object({}),
    refuses: [],
    repeatable: true,
  }),
  /**
   * Names live records that keep a whole segment from being overwritten: few
   * of them in one that has been full for minutes. The queue should
   * {@link move} each, if it means to keep it for longer.
   */
  stragglers: call({
    from: ["queue"],
    withinMs: 10_000,
    ask: object({ max: int({ min: 1, max: 1_000 }) }),
    answer: object({ refs: list(contentRef, { max: 1_000 }) }),
    refuses: [],
    repeatable: true,
  }),
  /**
   * Copies a record as it is, sealed, to where new ones go. No key is needed.
   *
   * Answered when the copy is on disk. Both are live from then on: the queue
   * commits the new reference into its row and then releases the old one. A
   * copy that never gets into a row goes with the next complete `adopt`.
   */
  move: call({
    from: ["queue"],
    withinMs: 90_000,
    ask: object({ ref: contentRef }),
    answer: object({ ref: contentRef }),
    /**
     * - `full`, `unhealthy`: as for `store`; the old record stays
     * - `unreadable`: the disk would not give its octets
     * - `unknown`: no live record of a shared segment, or not any more
     */
    refuses: ["full", "unhealthy", "unreadable", "unknown"],
  }),
  /**
   * Stores a message that the queue writes itself (a DSN): `head`, then, if
   * asked for, the header block of another message or all of it, then `tail`.
   * So a message's own octets never reach the queue.
   */
  storeNotice: call({
    from: ["queue"],
    withinMs: 60_000,
    ask: object({
      head: text({ max: 65_536 }),
      quote: z.union([
        z.null(),
        stored.extend({
          /**
           * All of it; `unreadable` if it is over
           * {@link MAX_RETURNED_OCTETS}, or no other server would take it.
           */
          isWhole: z.boolean(),
          /** `head` says that what is quoted may have octets above 127. */
          is8bit: z.boolean(),
        }),
      ]),
      tail: text({ max: 65_536 }),
    }),
    answer: stored,
    /** `eight-bit`: there are such octets, and `head` does not say so. */
    refuses: ["full", "unhealthy", "unreadable", "eight-bit"],
  }),
});
