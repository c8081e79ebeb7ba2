/** What an administrator may order a queue to do, and what it answers. Pure. */
import { hostPort, hostPortText } from "../config/names.ts";
import type { NextHop } from "../core/shapes.ts";
import { queueId } from "../core/shapes.ts";
import { int, list, object, text, z } from "../ipc/schema.ts";

/** What may be done with messages. */
export const MESSAGE_ACTIONS = [
  "hold",
  "release",
  "retry",
  "reroute",
  "expire",
  "delete",
] as const;

/** See {@link MESSAGE_ACTIONS}. */
export type MessageAction = typeof MESSAGE_ACTIONS[number];

/** Messages named in one order. */
export const MAX_IDS = 5_000;
/** Messages named in one answer; the others are only counted. */
export const MAX_NAMED = 100;

/** One order. */
export const order = object({
  /** `read` changes nothing: it is noted that they are read by somebody. */
  action: z.enum([...MESSAGE_ACTIONS, "flush", "read"]),
  /** The messages; none with `all`, and with `flush`. */
  ids: list(queueId, { max: MAX_IDS }),
  /** All messages that there are when the queue first sees the order. */
  all: z.boolean(),
  /** With `flush`: the recipients' domain; empty means all. */
  domain: text({ max: 255 }),
  /** With `reroute`, see {@link readHop}. */
  nextHop: text({ max: 300 }),
  /** Of `all`: the last row that is meant, once the queue has seen it. */
  upTo: int({ min: -1, max: Number.MAX_SAFE_INTEGER }),
});

/** See {@link order}. */
export type Order = z.infer<typeof order>;

/** What came of an order so far. */
export const orderAnswer = object({
  /** False: some messages are being delivered, and their turn comes then. */
  isOver: z.boolean(),
  /** Messages that it changed. */
  messages: int({ min: 0, max: 2 ** 40 }),
  /** Recipients that it changed. */
  recipients: int({ min: 0, max: 2 ** 40 }),
  /** Messages that it found nothing to do for. */
  unchanged: int({ min: 0, max: 2 ** 40 }),
  /** Messages that wait for the end of a delivery. */
  waiting: int({ min: 0, max: 2 ** 40 }),
  /** Messages that are not in the queue, or are gone, {@link MAX_NAMED}. */
  missing: list(queueId, { max: MAX_NAMED }),
  /** How many those are. */
  missingCount: int({ min: 0, max: 2 ** 40 }),
});

/** See {@link orderAnswer}. */
export type OrderAnswer = z.infer<typeof orderAnswer>;

/** The answer to an order that nothing came of yet. */
export function newAnswer(): OrderAnswer {
  return {
    isOver: false,
    messages: 0,
    recipients: 0,
    unchanged: 0,
    waiting: 0,
    missing: [],
    missingCount: 0,
  };
}

/** An order with nothing but its action. */
export function newOrder(
  action: Order["action"],
  more: Partial<Order> = {},
): Order {
  return {
    action,
    ids: [],
    all: false,
    domain: "",
    nextHop: "",
    upTo: -1,
    ...more,
  };
}

/**
 * Where a message was rerouted to, as its row and an order have it: empty is
 * where the routes say, `mx` the recipients' own domains, else `host:port`.
 */
export type Hop = "" | "mx" | Extract<NextHop, { kind: "host" }>;

/** Reads a {@link Hop}; undefined if it is none. */
export function readHop(written: string): Hop | undefined {
  if (written === "" || written === "mx") return written;
  const hop = hostPort(written);
  return hop === undefined ? undefined : { kind: "host", ...hop };
}

/** Writes a {@link Hop}. */
export function hopText(hop: Hop): string {
  return typeof hop === "string" ? hop : hostPortText(hop);
}
