/**
 * What the one-shot process in the gate's jail prints for `bulkhead client`.
 * The command line checks it like anything else that comes out of a
 * compartment.
 */
import { int, list, object, text, z } from "../ipc/schema.ts";

const time = int({ min: 0, max: 2 ** 50 });

/** A verdict, as it is shown. */
export const shownVerdict = object({
  atMs: time,
  client: text({ max: 64 }),
  action: text({ max: 16 }),
  /** True if nothing came of it. */
  shadow: z.boolean(),
  rule: text({ max: 64 }),
  evidence: text({ max: 300 }),
  reply: text({ max: 300 }),
  undo: text({ max: 200 }),
  helo: text({ max: 255 }),
  sender: text({ max: 320 }),
  recipient: text({ max: 320 }),
});

/** One verdict. */
export type ShownVerdict = z.infer<typeof shownVerdict>;

/** What somebody said of a network. */
export const saidOf = object({
  network: text({ max: 64 }),
  word: text({ max: 16 }),
  atMs: time,
});

/** See {@link saidOf}. */
export type SaidOf = z.infer<typeof saidOf>;

const passedTests = object({
  network: text({ max: 64 }),
  /** Until when; 0 if it was not passed. */
  pregreetMs: time,
  dnsblMs: time,
  deepMs: time,
});

/** Answer to `inspect-gate DIR show ADDRESS` and `list`. */
export const clientsShown = object({
  said: list(saidOf, { max: 10_000 }),
  passed: list(passedTests, { max: 10_000 }),
  /** Newest first. */
  verdicts: list(shownVerdict, { max: 1_000 }),
});

/** See {@link clientsShown}. */
export type ClientsShown = z.infer<typeof clientsShown>;

/** Answer to `inspect-gate DIR about ADDRESS`. */
export const aboutShown = object({
  /** Newest first. */
  verdicts: list(shownVerdict, { max: 100 }),
});

/** See {@link aboutShown}. */
export type AboutShown = z.infer<typeof aboutShown>;

/** Answer to `inspect-gate DIR allow | deny | forget NETWORK`. */
export const clientChanged = object({
  network: text({ max: 64 }),
  word: text({ max: 16 }),
});
