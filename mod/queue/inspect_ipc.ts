/**
 * What the one-shot process in the queue's jail prints for `bulkhead queue`
 * and `bulkhead check`. The command line checks it like anything else that
 * comes out of a compartment.
 */
import { int, list, object, text, z } from "../ipc/schema.ts";
import { contentKey, contentRef } from "../core/shapes.ts";
import { orderAnswer } from "./order_ipc.ts";
import { found, listedMessage, MAX_FOUND, storyOf } from "./story_ipc.ts";

/** Stories in one answer. */
export const MAX_STORIES = 60;

const oneMessage = listedMessage(10_000);

/** Answer to `inspect QUEUE EVENTS order JSON`. */
export const ordering = object({
  /** Null if no queue carried the order out yet: perhaps none runs. */
  answer: z.union([z.null(), orderAnswer]),
});

/** Answer to `inspect QUEUE EVENTS key ID`. */
export const keyFound = object({
  ref: contentRef,
  /** Empty if there is none that is whole. */
  key: z.union([contentKey, z.literal("")]),
});

/** A message in `bulkhead queue list`. */
export type ListedMessage = z.infer<typeof oneMessage>;

/** Most messages of one list. */
export const MAX_LISTED = 100_000;

/** What `inspect QUEUE EVENTS list` is given, as JSON. */
export const listAsk = object({
  /** A recipient's state; this and the others may be empty: any. */
  state: text({ max: 16 }),
  /** A recipient's domain, and those below it if it begins with a dot. */
  domain: text({ max: 255 }),
  /** The sender's address, or its domain; `<>` is the empty one. */
  sender: text({ max: 320 }),
  limit: int({ min: 1, max: MAX_LISTED }),
});

/** See {@link listAsk}. */
export type ListAsk = z.infer<typeof listAsk>;

/** Asks for the queue as it is. */
export const ALL_LISTED: ListAsk = {
  state: "",
  domain: "",
  sender: "",
  limit: 1_000,
};

/** Answer to `inspect QUEUE EVENTS list`. */
export const listing = object({
  messages: list(oneMessage, { max: MAX_LISTED }),
  /** Of all that fit, the listed ones and the later ones. */
  total: int({ min: 0, max: 2 ** 40 }),
});

/** Answer to `inspect QUEUE EVENTS show ID`. */
export const showing = storyOf({ recipients: 10_000, events: 10_000 });

/** See {@link showing}. */
export type Showing = z.infer<typeof showing>;

/** What `inspect QUEUE EVENTS why JSON` is asked. */
export const whyAsk = object({
  words: list(text({ min: 1, max: 320 }), { min: 1, max: 8 }),
  /** Stories that are told if so few messages were found; else the list. */
  stories: int({ min: 0, max: MAX_STORIES }),
});

/** See {@link whyAsk}. */
export type WhyAsk = z.infer<typeof whyAsk>;

/** Answer to it. */
export const whyTold = object({
  /** Newest first. */
  found: list(found, { max: MAX_FOUND }),
  /** Of those found, in their order; none if they are too many. */
  stories: list(
    object({
      queueId: text({ max: 16 }),
      story: storyOf({ recipients: 10_000, events: 10_000 }),
    }),
    { max: MAX_STORIES },
  ),
});

/** See {@link whyTold}. */
export type WhyTold = z.infer<typeof whyTold>;
