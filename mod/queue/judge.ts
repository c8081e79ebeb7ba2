/**
 * What an outcome means for a recipient and for its message. Pure: it changes
 * the objects in memory, and whoever calls it writes the rows.
 */
import { type Outcome, saidOf } from "../core/outcome.ts";
import type { Attempt } from "../smtpc/smtpc_ipc.ts";
import { accountOf, accountOfExpiry } from "./account.ts";
import type { Message, NoticeAction, Recipient } from "./message.ts";
import type { Event } from "./event.ts";
import { isExpired, retryDelayMs } from "./schedule.ts";

/** What came of one recipient in a round. */
export type Result =
  & {
    readonly recipient: Recipient;
    /** The address it was tried under, if an alias gave another. */
    readonly triedAs?: string;
  }
  & (
    | {
      readonly kind: "outcome";
      readonly outcome: Outcome;
      /** What it took; undefined if no other server was asked. */
      readonly attempt?: Attempt | undefined;
      /** Who delivers is the last: it is in a mailbox, or nowhere. */
      readonly isFinal?: boolean;
    }
    /** Not tried: its destination is dead or crowded; counts no attempt. */
    | {
      readonly kind: "postponed";
      readonly untilMs: number;
      readonly why: Outcome;
    }
    /** Not tried: the message leaves memory, because of an order. */
    | { readonly kind: "recalled" }
    /** Another recipient of the message goes to the same place. */
    | { readonly kind: "duplicate" }
    /** Nothing can be known: the message is damaged. */
    | { readonly kind: "damaged" }
  );

/** Limits and time for {@link judge}. */
export interface Law {
  readonly nowMs: number;
  readonly random: number;
  readonly firstRetryMs: number;
  readonly maxRetryMs: number;
  readonly expireMs: number;
  /** Nothing expires before this: the queue was away for a while. */
  readonly graceUntilMs: number;
}

/** Changes the recipient as the result demands; returns the event's name, if one is due. */
export function judge(
  message: Pick<Message, "arrivedMs" | "reversePath">,
  result: Result,
  law: Law,
): Event["what"] | undefined {
  const { recipient } = result;
  switch (result.kind) {
    case "duplicate":
      recipient.state = "gone";
      return "duplicate";
    case "damaged":
      return undefined;
    case "recalled":
      // As its row has it.
      recipient.state = recipient.last === undefined ? "incoming" : "deferred";
      return undefined;
    case "postponed": {
      // Of 50,000 that wait for one dead host, the history tells once.
      const isTold = recipient.last !== undefined;
      recipient.last ??= result.why;
      const what = postpone(message, result, law);
      return what === "deferred" && isTold ? undefined : what;
    }
    case "outcome":
      break;
  }
  const { outcome } = result;
  switch (outcome.kind) {
    case "delivered":
      if (wantsSuccess(message, recipient) && outcome.isPassedOn !== true) {
        note(recipient, result, law);
        // RFC 3461 §5.2.3: what went to a host that does not know of notices.
        const action = result.isFinal === true ? "delivered" : "relayed";
        awaitNotice(recipient, action, result.triedAs);
      } else recipient.state = "gone";
      return "delivered";
    case "permanent":
      note(recipient, result, law);
      recipient.attempts++;
      fail(message, recipient, result.triedAs);
      return "failed";
    case "temporary": {
      note(recipient, result, law);
      recipient.attempts++;
      const delayMs = retryDelayMs(recipient.attempts, law.random, law);
      const what = defer(message, recipient, {
        law,
        untilMs: law.nowMs + delayMs,
      });
      if (what === "failed") fail(message, recipient, result.triedAs);
      return what;
    }
  }
}

/** Keeps what is to be told of an attempt. */
function note(
  recipient: Recipient,
  { outcome, attempt }: Result & { kind: "outcome" },
  { nowMs }: Law,
): void {
  recipient.last = outcome;
  recipient.lastMs = nowMs;
  recipient.account = accountOf(outcome, attempt);
}

/** Not tried; it may be too old for another time. */
function postpone(
  message: Pick<Message, "arrivedMs" | "reversePath">,
  { recipient, untilMs }: Result & { kind: "postponed" },
  law: Law,
): "deferred" | "failed" {
  const what = defer(message, recipient, { law, untilMs });
  if (what === "failed") fail(message, recipient, undefined);
  return what;
}

/** True if a notice of success is due; never for `<>`, RFC 3461 §6.1. */
export function wantsSuccess(
  message: Pick<Message, "reversePath">,
  { wishes }: Pick<Recipient, "wishes">,
): boolean {
  return wishes.notify.includes("success") && message.reversePath !== "";
}

/**
 * True if its sender is to hear that a recipient waits: who asked for it, and
 * our own users of whom nothing is known (RFC 3461 §4.1: DELAY may be told of
 * then). A stranger's reverse-path may be anybody's, and a list that has one
 * for each recipient would get a flood.
 */
export function wantsDelay(
  { reversePath, mayRelay, wishes }: Pick<
    Message,
    "reversePath" | "mayRelay" | "wishes"
  >,
  recipient: Pick<Recipient, "state" | "wishes">,
): boolean {
  if (reversePath === "" || recipient.state !== "deferred") return false;
  const { notify } = recipient.wishes;
  return notify.length > 0
    ? notify.includes("delay")
    : mayRelay && wishes.verp === "";
}

/** The last of it: nothing, if its sender does not want to hear of it. */
function fail(
  message: Pick<Message, "reversePath">,
  recipient: Recipient,
  triedAs: string | undefined,
): void {
  const { notify } = recipient.wishes;
  // RFC 3461 §4.1: nothing said means failure. Of `<>` nobody is told, but it
  // goes the way of a bounce, and into the log.
  const isQuiet = notify.length > 0 && !notify.includes("failure") &&
    message.reversePath !== "";
  if (isQuiet) recipient.state = "gone";
  else awaitNotice(recipient, "failed", triedAs);
}

/** From here on the row says both where it went and what the sender wrote. */
function awaitNotice(
  recipient: Recipient,
  action: NoticeAction,
  triedAs: string | undefined,
): void {
  recipient.state = "bounce";
  recipient.action = action;
  if (triedAs === undefined || triedAs === recipient.address) return;
  if (recipient.original === "") recipient.original = recipient.address;
  recipient.address = triedAs;
}

function defer(
  message: Pick<Message, "arrivedMs">,
  recipient: Recipient,
  until: { law: Law; untilMs: number },
): "deferred" | "failed" {
  const { law, untilMs } = until;
  const expired = law.nowMs >= law.graceUntilMs && isExpired({
    arrivedMs: message.arrivedMs,
    nowMs: law.nowMs,
    attempts: recipient.attempts,
    expireMs: law.expireMs,
  });
  if (!expired) {
    recipient.state = "deferred";
    recipient.nextMs = untilMs;
    return "deferred";
  }
  // RFC 3463 §3.5: X.4.7 is by its nature a persistent transient failure.
  const last = recipient.last;
  const within = span(law.expireMs);
  recipient.last = {
    kind: "permanent",
    code: last?.code ?? 451,
    enhanced: "4.4.7",
    text: `Not delivered within ${within}. The last answer was: ${
      last?.text ?? "none"
    }`.slice(0, 500),
    host: last?.host ?? "",
    said: last === undefined ? "" : saidOf(last),
  };
  recipient.account = accountOfExpiry(
    within,
    recipient.account || (last === undefined ? "none" : accountOf(last)),
  );
  return "failed";
}

/** Before all times, and not the 0 of what was never tried. */
export const DUE_AT_ONCE = 1;

/** What becomes of a message when a round is over. */
export type Ending =
  | { readonly kind: "spent" }
  | { readonly kind: "parked"; readonly dueMs: number }
  | { readonly kind: "bounce" }
  | { readonly kind: "corrupt" };

/** See {@link Ending}. Recipients on hold are nobody's next attempt. */
export function endingOf(message: Message): Ending {
  if (message.isDamaged) return { kind: "corrupt" };
  if (message.rows === 0) return { kind: "spent" };
  let dueMs = message.elsewhereMs;
  for (const { state, nextMs } of message.recipients) {
    if (state === "bounce") return { kind: "bounce" };
    if (state === "incoming") dueMs = DUE_AT_ONCE;
    if (state === "deferred" && (dueMs === -1 || nextMs < dueMs)) {
      dueMs = nextMs;
    }
  }
  return { kind: "parked", dueMs };
}

const UNITS = [
  { name: "day", ms: 86_400_000 },
  { name: "hour", ms: 3_600_000 },
  { name: "minute", ms: 60_000 },
  { name: "second", ms: 1_000 },
];

/** A time in its largest unit that keeps it within a tenth: `5 days`. */
export function span(ms: number): string {
  const unit = UNITS.find((one) => {
    const n = Math.round(ms / one.ms);
    return n > 0 && Math.abs(n * one.ms - ms) <= ms / 10;
  }) ?? UNITS.at(-1)!;
  const n = Math.max(1, Math.round(ms / unit.ms));
  return `${n} ${unit.name}${n === 1 ? "" : "s"}`;
}
