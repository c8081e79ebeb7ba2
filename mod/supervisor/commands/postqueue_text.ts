/**
 * The queue as `postqueue -j` prints it, with Postfix's names. What it has not
 * comes behind: `next_hop` of a message; `state`, `attempts`,
 * `next_attempt_time`, `host` and `original` of a recipient. Pure.
 */
import { tamed } from "../../core/visible.ts";
import type { ListedMessage } from "../../queue/inspect_ipc.ts";

/** Postfix's queues; there are no others in its output. */
type QueueName = "incoming" | "active" | "deferred" | "hold" | "corrupt";

/** One line. */
export function postqueueLine(message: ListedMessage): string {
  return tamed(JSON.stringify(postqueueMessage(message)));
}

/** One message. */
export function postqueueMessage(message: ListedMessage) {
  return {
    queue_name: queueOf(message),
    queue_id: message.id,
    arrival_time: seconds(message.arrivedMs),
    message_size: message.sizeBytes,
    // Ours goes at once when it is given up: it is never seen waiting for it.
    forced_expire: false,
    // As Postfix names the empty one.
    sender: message.sender === "" ? "MAILER-DAEMON" : message.sender,
    recipients: message.recipients.map((one) => ({
      address: one.address,
      ...one.lastOutcome === "" ? {} : { delay_reason: one.lastOutcome },
      state: one.state,
      attempts: one.attempts,
      ...one.nextAttemptMs === 0
        ? {}
        : { next_attempt_time: seconds(one.nextAttemptMs) },
      ...one.lastHost === "" ? {} : { host: one.lastHost },
      ...one.original === "" ? {} : { original: one.original },
    })),
    ...message.nextHop === "" ? {} : { next_hop: message.nextHop },
  };
}

/** A message is on hold if all that is left of it is. */
function queueOf({ state, recipients }: ListedMessage): QueueName {
  if (state === "incoming" || state === "corrupt") return state;
  const states = new Set(recipients.map((one) => one.state));
  if (states.size > 0 && [...states].every((one) => one === "hold")) {
    return "hold";
  }
  if (states.has("active")) return "active";
  return states.has("incoming") ? "incoming" : "deferred";
}

function seconds(ms: number): number {
  return Math.floor(ms / 1_000);
}
