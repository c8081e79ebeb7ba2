/**
 * What the one-shot process in the queue's jail prints for `bulkhead upgrade`,
 * `backup`, `restore` and `verify`.
 */
import { contentRef } from "../core/shapes.ts";
import { int, list, object, text, z } from "../ipc/schema.ts";

const count = int({ min: 0, max: 2 ** 40 });
/** Names of segments, without directory or ending. */
const segmentNames = list(text({ max: 64 }), { max: 1_000_000 });

/** Answer to `inspect QUEUE EVENTS rehearse NAME` and `upgrade-prepare`. */
export const rehearsal = object({
  /** Versions of the database; 0 where there is none. */
  from: int({ min: 0, max: 2 ** 31 }),
  to: int({ min: 0, max: 2 ** 31 }),
  messages: count,
  recipients: count,
  /** Queued, and their key is gone: damage that was there before. */
  keyless: count,
  /** False if a version 1 database's history could not be taken over. */
  historyKept: z.boolean(),
  /** Those that messages lie in. */
  segments: segmentNames,
});

/** See {@link rehearsal}. */
export type Rehearsal = z.infer<typeof rehearsal>;

/** Answer to `inspect QUEUE EVENTS upgrade-undo`. */
export const undoing = object({
  /** `kept`: mail was taken or delivered since, so the new one stays. */
  did: z.enum(["undone", "kept"]),
});

/** Answer to `inspect QUEUE EVENTS care copy NAME`. */
export const copied = object({
  messages: count,
  recipients: count,
  /** Messages whose key was gone: they ended meanwhile, or are damaged. */
  keyless: count,
  segments: segmentNames,
});

/** See {@link copied}. */
export type Copied = z.infer<typeof copied>;

/** Answer to `inspect QUEUE EVENTS care keyed AFTER`. Holds keys. */
export const keyedPage = object({
  rows: list(
    object({
      id: text({ max: 16 }),
      ref: contentRef,
      /** Null if there is none. */
      key: text({ max: 64 }).nullable(),
    }),
    { max: 10_000 },
  ),
  /** Where the next page begins; null at the end. */
  last: int({ min: 0, max: 2 ** 50 }).nullable(),
});

/** See {@link keyedPage}. */
export type KeyedPage = z.infer<typeof keyedPage>;

/** Answer to `inspect QUEUE EVENTS care still JSON`. */
export const stillThere = object({
  ids: list(text({ max: 16 }), { max: 1_000 }),
});

/** Answer to `inspect QUEUE EVENTS care verify`. */
export const verified = object({
  versions: object({ queue: count, events: count }),
  messages: count,
  recipients: count,
  /** Of the messages, those that were found damaged when they were read. */
  corrupt: count,
  segments: segmentNames,
});
