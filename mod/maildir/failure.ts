/** What goes wrong outside of us, and what the sender is told about it. */
import { type Outcome, ownOutcome } from "../core/outcome.ts";

/**
 * A failure of the file system.
 *
 * - `full`: no space or no inodes left
 * - `quota`: the mailbox owner's quota is used up
 * - `denied`: the walls or the file modes do not let us
 * - `missing`: a directory is not there
 * - `exists`: the file is there already; never overwritten
 * - `unsafe`: something else is where a directory should be, such as a
 *   symbolic link that leads out of the mail directory
 * - `broken`: anything else, such as an I/O error
 */
export interface Failure {
  readonly kind:
    | "full"
    | "quota"
    | "denied"
    | "missing"
    | "exists"
    | "unsafe"
    | "broken";
  /** For the log only: it may name paths. */
  readonly why: string;
}

/** A value, or what went wrong. */
export type Result<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly failure: Failure };

/**
 * The outcome that a failure means. Never permanent: the sender has done
 * nothing wrong, and an administrator can mend all of these.
 */
export function failedOutcome(failure: Failure): Outcome {
  switch (failure.kind) {
    case "full": // RFC 3463 §3.4, X.3.1
      return ownOutcome("temporary", 452, "4.3.1", "Mail system is full");
    case "quota": // RFC 3463 §3.3, X.2.2
      return ownOutcome("temporary", 452, "4.2.2", "Mailbox is full");
    case "denied":
    case "missing":
    case "exists":
    case "unsafe":
    case "broken":
      return ownOutcome("temporary", 451, "4.3.0", "Cannot write to mailbox");
  }
}

/** The recipient's address is in the message's `Delivered-To` already. */
export function loopOutcome(): Outcome {
  // RFC 3463 §3.5, X.4.6: routing loop detected.
  return ownOutcome("permanent", 554, "5.4.6", "Mail loop detected");
}

/** The file and its directory are on disk. */
export function deliveredOutcome(): Outcome {
  return ownOutcome("delivered", 250, "2.0.0", "Delivered to mailbox");
}
