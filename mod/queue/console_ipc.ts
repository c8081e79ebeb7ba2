/**
 * What the console asks the queue. With each goes a grant, which the queue
 * checks itself: without one nobody is named, and nothing is done.
 */
import { address, domain, queueId, reversePath } from "../core/shapes.ts";
import { MAX_TICKET } from "../core/ticket.ts";
import { call } from "../ipc/call.ts";
import { int, list, object, text, z } from "../ipc/schema.ts";
import { orderAnswer } from "./order_ipc.ts";

const time = int({ min: 0, max: 2 ** 50 });
const count = int({ min: 0, max: 2 ** 40 });

/** A ticket of `mod/core/ticket.ts`; empty: none. */
export const grant = text({ max: MAX_TICKET });

/** Messages named in one order of the console. */
const MAX_CONSOLE_IDS = 100;
/** Messages on a page. */
export const MAX_LISTED = 200;
/** Destinations told of: those with the most that waits. */
export const MAX_DESTINATIONS = 500;

/** A message in a list. */
export const listedMessage = object({
  queueId,
  arrivedMs: time,
  sizeBytes: int({ min: 0, max: 2 ** 32 }),
  reversePath,
  /** Those that are left; at most 10,000 are counted. */
  recipients: int({ min: 0, max: 10_000 }),
  /** The first ones. */
  to: list(address, { max: 3 }),
  state: text({ max: 16 }),
  /** Why it is still here: the last outcome's text, cut. */
  why: text({ max: 200 }),
  /** When it is tried again; 0 if that is now, or never. */
  nextAttemptMs: time,
});

/** How a delivery to a destination went. */
export const lastDelivery = object({
  atMs: time,
  host: text({ max: 255 }),
  /** `dane`, `verified`, `encrypted`, `clear`, or empty, as the attempt says. */
  reached: text({ max: 32 }),
  tls: text({ max: 100 }),
  certificate: text({ max: 300 }),
  /** `secure`, `insecure`, `bogus`...; empty if it was not asked. */
  dns: object({
    mx: text({ max: 32 }),
    address: text({ max: 32 }),
    tlsa: text({ max: 32 }),
  }),
  mtaSts: text({ max: 64 }),
  outcome: text({ max: 300 }),
});

const destination = object({
  /** The recipients' domain, or the next hop. */
  name: text({ max: 320 }),
  waiting: count,
  active: count,
  /** Until when it is remembered as dead; 0 if it is not. */
  deadUntilMs: time,
  last: z.union([z.null(), lastDelivery]),
});

/** The console's calls; `no-grant`: the grant is not good, or no longer. */
export const consoleCalls = {
  /** Exchanges a link of `bulkhead console` for a grant. */
  signIn: call({
    from: ["console"],
    withinMs: 5_000,
    ask: object({ ticket: text({ max: MAX_TICKET }) }),
    answer: object({ grant, by: text({ max: 32 }), untilMs: time }),
    refuses: ["invalid", "expired", "used"],
  }),
  /** The grant is worth nothing any more; `everywhere`: nor is any other. */
  signOut: call({
    from: ["console"],
    withinMs: 5_000,
    ask: object({ grant, everywhere: z.boolean() }),
    answer: object({}),
    refuses: ["no-grant"],
  }),
  /**
   * An order as of `bulkhead queue`: it may still wait for the end of a
   * delivery when it is answered. `busy`: another one is under way.
   */
  order: call({
    from: ["console"],
    withinMs: 15_000,
    ask: object({
      grant,
      action: z.enum(["hold", "release", "retry", "delete", "flush"]),
      ids: list(queueId, { max: MAX_CONSOLE_IDS }),
      /** With `flush`; empty: all. */
      domain: z.union([z.literal(""), domain]),
    }),
    answer: orderAnswer,
    refuses: ["no-grant", "busy", "unhealthy"],
  }),
  /** Messages, newest first, a page at a time. */
  messages: call({
    from: ["console"],
    withinMs: 10_000,
    ask: object({
      grant,
      /** Empty: all. */
      state: text({ max: 16 }),
      /** A recipients' domain; empty: all. */
      domain: text({ max: 255 }),
      /** What the page before said; empty: the first page. */
      after: text({ max: 20 }),
      limit: int({ min: 1, max: MAX_LISTED }),
    }),
    answer: object({
      messages: list(listedMessage, { max: MAX_LISTED }),
      /** All that are in the queue. */
      total: count,
      /** Give this for the next page; empty if there is none. */
      after: text({ max: 20 }),
    }),
    /** `busy`: too many lists are being made. */
    refuses: ["no-grant", "busy"],
    repeatable: true,
  }),
  /** Where mail goes, those with the most that waits first. */
  destinations: call({
    from: ["console"],
    withinMs: 10_000,
    ask: object({ grant }),
    answer: object({
      destinations: list(destination, { max: MAX_DESTINATIONS }),
    }),
    refuses: ["no-grant"],
    repeatable: true,
  }),
} as const;
