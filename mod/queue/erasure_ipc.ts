/**
 * What the one-shot process in the queue's jail says about erasure: keys that
 * should be gone, and the write-ahead log, where addresses linger.
 */
import { int, list, object, text, type z } from "../ipc/schema.ts";

const count = int({ min: 0, max: 2 ** 40 });

/** Answer to `inspect DIR erasure`. */
export const queueErasure = object({
  messages: count,
  keySlots: count,
  /** Slots with a key that no message owns; seen twice, a while apart. */
  strayKeys: count,
  /** Slots that hold octets and no key: a free one is all zero. */
  unclearSlots: count,
  /** Messages to be delivered whose slot holds no key of theirs. */
  keylessMessages: count,
  log: object({
    bytes: int({ min: 0, max: 2 ** 45 }),
    /** Since the last write to it; 0 if it is empty. */
    quietMs: int({ min: 0, max: 2 ** 50 }),
    isHeaderSound: int({ min: 0, max: 1 }),
    /** Pages that belong to the log now. */
    frames: count,
    /** Pages of earlier rounds that are not overwritten yet. */
    oldFrames: count,
  }),
  /** Segments that messages name; beyond these only that there are more. */
  segments: list(text({ max: 64 }), { max: 10_000 }),
  segmentsInAll: count,
});

/** See {@link queueErasure}. */
export type QueueErasure = z.infer<typeof queueErasure>;
