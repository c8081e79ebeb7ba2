/**
 * What the one-shot process in the queue's jail prints for `bulkhead queue`
 * and `bulkhead check`. The command line checks it like anything else that
 * comes out of a compartment.
 */
import { int, list, object, z } from "../ipc/schema.ts";
import { orderAnswer } from "./order_ipc.ts";
import { found, listedMessage, MAX_FOUND, storyOf } from "./story_ipc.ts";

const oneMessage = listedMessage(10_000);

/** Answer to `inspect QUEUE EVENTS order JSON`. */
export const ordering = object({
  /** Null if no queue carried the order out yet: perhaps none runs. */
  answer: z.union([z.null(), orderAnswer]),
});

/** A message in `bulkhead queue list`. */
export type ListedMessage = z.infer<typeof oneMessage>;

/** Answer to `inspect QUEUE EVENTS list`. */
export const listing = object({
  messages: list(oneMessage, { max: 1_000 }),
  /** Of all, the listed ones and the later ones. */
  total: int({ min: 0, max: 2 ** 40 }),
});

/** Answer to `inspect QUEUE EVENTS show ID`. */
export const showing = storyOf({ recipients: 10_000, events: 10_000 });

/** See {@link showing}. */
export type Showing = z.infer<typeof showing>;

/** Answer to `inspect QUEUE EVENTS find WORDS`. */
export const finding = object({
  /** Newest first. */
  found: list(found, { max: MAX_FOUND }),
});
