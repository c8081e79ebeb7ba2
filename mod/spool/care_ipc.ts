/**
 * What the one-shot process in the spool's jail is asked and says when
 * contents are read through: for `bulkhead backup`, `restore` and `verify`.
 */
import { contentRef } from "../core/shapes.ts";
import { int, list, object, text, type z } from "../ipc/schema.ts";

/** What it reads from standard input. Holds keys, for as long as it runs. */
export const contentsAsk = object({
  rows: list(
    object({ id: text({ max: 16 }), ref: contentRef, key: text({ max: 64 }) }),
    { max: 10_000 },
  ),
});

/** See {@link contentsAsk}. */
export type ContentsAsk = z.infer<typeof contentsAsk>;

/** What it says. */
export const contentsRead = object({
  messages: int({ min: 0, max: 2 ** 40 }),
  octets: int({ min: 0, max: 2 ** 50 }),
  /** Those that could not be read to their authentic end. */
  bad: list(object({ id: text({ max: 16 }), why: text({ max: 300 }) }), {
    max: 10_000,
  }),
});

/** See {@link contentsRead}. */
export type ContentsRead = z.infer<typeof contentsRead>;
