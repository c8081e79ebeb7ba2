/**
 * What the one-shot process in the queue's jail prints for `bulkhead upgrade`,
 * `backup`, `restore` and `verify`.
 */
import { int, list, object, text, z } from "../ipc/schema.ts";

const count = int({ min: 0, max: 2 ** 40 });
/** Names of segments, without directory or ending. */
const segmentNames = list(text({ max: 64 }), { max: 10_000 });

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
