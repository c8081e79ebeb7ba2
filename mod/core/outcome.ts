/** What became of one recipient in one attempt, and how it crosses a wall. */
import { int, object, text, token, z } from "../ipc/schema.ts";

/**
 * Outcome of one attempt for one recipient.
 *
 * - `delivered`: the next hop or the mailbox has it, on disk
 * - `temporary`: try again later; also whatever we do not understand
 * - `permanent`: positive knowledge that it will never work; a DSN is due
 */
export const outcome = object({
  kind: z.enum(["delivered", "temporary", "permanent"]),
  /** SMTP reply code, theirs or the one that says the same. */
  code: int({ min: 200, max: 599 }),
  /** Enhanced status code, RFC 3463. */
  enhanced: token(/^[245]\.\d{1,3}\.\d{1,3}$/, { max: 9 }),
  /** Printable text, without code; their words or ours. */
  text: text({ max: 500 }),
  /** Name of the host that said so; empty if it was us. */
  host: text({ max: 255 }),
  /**
   * The host's own reply, code and all, where it is not just `code`,
   * `enhanced` and `text` in a row; empty if it said nothing.
   */
  said: text({ max: 600 }).optional(),
  /**
   * True if the host was told what the sender wants to hear of (RFC 3461
   * §5.2.2): the delivery is its to tell.
   */
  isPassedOn: z.boolean().optional(),
});

/** See {@link outcome}. */
export type Outcome = z.infer<typeof outcome>;

/** What the host said, word for word; empty if it was us, or it said nothing. */
export function saidOf(outcome: Outcome): string {
  if (outcome.said !== undefined || outcome.host === "") {
    return outcome.said ?? "";
  }
  return `${outcome.code} ${outcome.enhanced} ${outcome.text}`.trimEnd();
}

/** Builds an outcome that we state ourselves. */
export function ownOutcome(
  kind: Outcome["kind"],
  code: number,
  enhanced: string,
  text: string,
): Outcome {
  return { kind, code, enhanced, text: text.slice(0, 500), host: "" };
}
