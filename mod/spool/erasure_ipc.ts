/**
 * What the one-shot process in the spool's jail says about erasure: segments,
 * by what they claim to be, and whether that is so.
 */
import { contentKey, contentRef } from "../core/shapes.ts";
import { int, list, object, text, type z } from "../ipc/schema.ts";

const count = int({ min: 0, max: 2 ** 40 });
const octets = int({ min: 0, max: 2 ** 50 });
const names = list(text({ max: 64 }), { max: 10_000 });

/** Answer to `inspect-spool status|verify DIR SPENT-DIR`. */
export const spoolErasure = object({
  /** Written to: in use, or about to be spent. */
  used: names,
  usedInAll: count,
  usedBytes: octets,
  /** Free for new mail: nothing of a message may be in them. */
  readyInAll: count,
  readyBytes: octets,
  /** Of nobody any more, not overwritten yet. */
  spent: names,
  spentInAll: count,
  spentBytes: octets,
  /** How long the oldest of them waits; 0 if none does. */
  spentForMs: int({ min: 0, max: 2 ** 50 }),
  /** Ready segments that were read through; 0 unless asked to verify. */
  readyRead: count,
  /** Of these, those in which the beginning of a record stands. */
  notErased: names,
  /** Ready segments of holes: never written, or cut out. */
  sparse: names,
});

/** See {@link spoolErasure}. */
export type SpoolErasure = z.infer<typeof spoolErasure>;

/** What `inspect-spool cat` is given, on standard input. */
export const contentAsk = object({ ref: contentRef, key: contentKey });

/** See {@link contentAsk}. */
export type ContentAsk = z.infer<typeof contentAsk>;
