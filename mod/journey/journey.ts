/**
 * A message's journey, told to people: what `bulkhead why` prints and the
 * console's page shows. Pure data, made of facts by `tell.ts`; every text is
 * one plain sentence or more, and may hold what strangers wrote, so whoever
 * shows it escapes it.
 */

/** How a step went, for colour and for a mark beside it. */
export type Tone = "good" | "waiting" | "bad" | "plain";

/** Something that happened to a message. */
export interface Step {
  /** Milliseconds since the epoch; null if only the order is known. */
  readonly atMs: number | null;
  /**
   * - `handed-in`: who gave it to us, how
   * - `checked`: a test or table, what it said, on which evidence
   * - `sealed`: it is on disk, and how
   * - `routed`: an alias, an expansion, another next hop
   * - `attempt`: a delivery was tried
   * - `notice`: somebody was, or was not, told
   * - `order`: an administrator did something
   * - `erased`: key and content are gone
   */
  readonly kind:
    | "handed-in"
    | "checked"
    | "sealed"
    | "routed"
    | "attempt"
    | "notice"
    | "order"
    | "erased";
  readonly tone: Tone;
  /** Empty if it concerns the whole message. */
  readonly recipient: string;
  /** One sentence. */
  readonly text: string;
  /** Evidence, line by line: hosts, DNSSEC, TLS, replies, session lines. */
  readonly details: readonly string[];
}

/** What may be done about it. */
export interface Advice {
  /** One sentence: what to do, and what that does. */
  readonly text: string;
  /** The command that does it; empty if none does. */
  readonly command: string;
}

/** The whole story of one message, or of one that was refused at the door. */
export interface Journey {
  /** Empty if it was never taken. */
  readonly queueId: string;
  /** It is in the queue now, and takes orders. */
  readonly isQueued: boolean;
  /** The answer in one sentence: where it is, and why. */
  readonly headline: string;
  readonly tone: Tone;
  readonly steps: readonly Step[];
  /** What happens next, and when; empty if nothing will. */
  readonly next: string;
  readonly advice: readonly Advice[];
}
