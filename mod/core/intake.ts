/**
 * What a door found out about a message that it took: kept in the history, so
 * that "who handed it in, and what was looked at?" has an answer. Facts, never
 * content.
 */
import { int, list, object, text, z } from "../ipc/schema.ts";

/** Most checks that are told of one message. */
export const MAX_CHECKS = 12;

/** One thing that was looked at. */
export const check = object({
  /** Name of the test or rule: `pregreet`, `dnsbl`, `greylist`, `login`... */
  what: text({ min: 1, max: 32 }),
  /**
   * - `passed`: nothing against it
   * - `failed`: something was, and nothing came of it (shadow mode, a warning)
   * - `skipped`: it was not made; the evidence says why
   */
  said: z.enum(["passed", "failed", "skipped"]),
  /** What it rests on, in words; or empty. */
  evidence: text({ max: 300 }),
});

/** See {@link check}. */
export type Check = z.infer<typeof check>;

/** What was found out about a message at the door. */
export const intake = object({
  /** Such as `TLSv1.3 TLS_AES_256_GCM_SHA384`; empty without TLS. */
  tls: text({ max: 100 }),
  /** The name that the client's address has, if somebody looked; or empty. */
  name: text({ max: 255 }),
  /** From its first octet to the moment when the queue is asked. */
  tookMs: int({ min: 0, max: 2 ** 40 }),
  /** In the order in which they were made; the first ones. */
  checks: list(check, { max: MAX_CHECKS }),
});

/** See {@link intake}. */
export type Intake = z.infer<typeof intake>;

/** Words of a subject that are told the queue, and the longest of them. */
export const MAX_WORDS = 16;
/** See {@link MAX_WORDS}. */
export const MAX_WORD = 40;

/**
 * Words of the Subject, in lower case, as `subject_words.ts` splits them. The
 * queue makes keyed digests of them and keeps nothing else.
 */
export const subjectWords = list(text({ min: 1, max: MAX_WORD }), {
  max: MAX_WORDS,
});
