/** From facts to a journey in plain words. Pure; see `journey.ts`. */
import { causeOf } from "./cause.ts";
import { handedIn } from "./door.ts";
import type { EventFacts, RecipientFacts, StoryFacts } from "./facts.ts";
import type { Advice, Journey, Step } from "./journey.ts";
import { meaningOf } from "./meaning.ts";
import { attemptStep, endingOf, otherStep } from "./steps.ts";
import { inTime, listed, span, utc } from "./words.ts";

/** What a telling depends on beside the facts. */
export interface Telling {
  readonly nowMs: number;
  /** How long a message is tried, `queue.expire`; unset if it is not known. */
  readonly expireMs?: number;
  /** True if its spool segment is known to be gone. */
  readonly isSegmentGone?: boolean;
}

/** The journey of one message. */
export function tell(facts: StoryFacts, telling: Telling): Journey {
  const steps = facts.events.flatMap((event) => stepsOf(facts, event, telling));
  const state = stateOf(facts, telling);
  const isQueued = facts.message !== null;
  return { queueId: facts.queueId, isQueued, ...state, steps };
}

function stepsOf(
  facts: StoryFacts,
  event: EventFacts,
  telling: Telling,
): readonly Step[] {
  switch (event.what) {
    case "accepted":
      return handedIn(event);
    case "delivered":
    case "deferred":
    case "failed":
      return [attemptStep(event, facts.queueId)];
    default:
      return [otherStep(event, telling)];
  }
}

/** Headline, what comes next, and what can be done. */
type State = Pick<Journey, "headline" | "tone" | "next" | "advice">;

function stateOf(facts: StoryFacts, telling: Telling): State {
  const { message } = facts;
  if (message === null) return ended(facts);
  if (message.state === "corrupt") return corrupt(facts.queueId);
  const waiting = message.recipients;
  const held = waiting.filter(({ state }) => state === "hold");
  if (held.length === waiting.length && held.length > 0) {
    return onHold(facts, held);
  }
  const bounced = waiting.filter(({ state }) => state === "bounce");
  if (bounced.length === waiting.length && bounced.length > 0) {
    return {
      headline: `${whom(bounced)}: not delivered; its sender is being told.`,
      tone: "bad",
      next: "The notice is being written.",
      advice: [],
    };
  }
  const deferred = waiting.filter(({ state }) => state === "deferred");
  const first = soonest(deferred);
  return first === undefined
    ? underWay(waiting)
    : deferredState(facts, { first, deferred, telling });
}

function soonest(
  deferred: readonly RecipientFacts[],
): RecipientFacts | undefined {
  let first: RecipientFacts | undefined;
  for (const one of deferred) {
    if (first === undefined || one.nextAttemptMs < first.nextAttemptMs) {
      first = one;
    }
  }
  return first;
}

function deferredState(
  { queueId, message, events }: StoryFacts,
  { first, deferred, telling }: {
    first: RecipientFacts;
    deferred: readonly RecipientFacts[];
    telling: Telling;
  },
): State {
  const cause = causeOf(outcomeOf(first));
  const meaning = meaningOf(cause, {
    queueId,
    recipient: first.address,
    host: first.lastHost,
    isOver: false,
  });
  const { nowMs, expireMs } = telling;
  const others = deferred.length - 1;
  const { attempts } = first;
  const tried = attempts === 0
    ? "not tried itself yet"
    : attempts === 1
    ? "tried once"
    : `tried ${attempts} times`;
  const until = expireMs === undefined || message === null
    ? ""
    : ` If nothing changes, its sender is told at ${
      utc(message.arrivedMs + expireMs)
    } that it failed.`;
  const isRerouted = events.some(({ what }) => what === "rerouted") &&
    message?.nextHop !== "";
  const undo: Advice[] = isRerouted
    ? [{
      text: `It was sent to ${message?.nextHop} by an administrator; this ` +
        "sends it where its routes lead again.",
      command: `bulkhead queue reroute ${queueId} routes`,
    }]
    : [];
  return {
    headline: `Waiting for <${first.address}>` +
      (others > 0 ? ` and ${others} more` : "") +
      `, ${tried}: ${meaning.says}`,
    tone: "waiting",
    next: `It is tried again ${inTime(first.nextAttemptMs, nowMs)}.${until}`,
    advice: [...meaning.advice, ...undo],
  };
}

/** What the row of a recipient says of its last attempt. */
function outcomeOf({ lastOutcome, lastHost }: RecipientFacts) {
  const space = lastOutcome.indexOf(" ");
  return {
    code: Number(lastOutcome.slice(0, Math.max(0, space))) || 0,
    text: lastOutcome.slice(space + 1),
    host: lastHost,
  };
}

function onHold(
  { queueId, events }: StoryFacts,
  held: readonly RecipientFacts[],
): State {
  const hold = events.findLast(({ what }) => what === "held");
  const isAtDoor = hold !== undefined &&
    events.find(({ what }) => what === "accepted")?.atMs === hold.atMs;
  return {
    headline: `On hold for ${whom(held)}: ` +
      (isAtDoor
        ? "a rule at the door said so."
        : "an administrator keeps it back."),
    tone: "waiting",
    next: "Nothing happens until an administrator releases it.",
    advice: [
      {
        text: "Deliver it.",
        command: `bulkhead queue release ${queueId}`,
      },
      {
        text: "Or remove it; its sender hears nothing.",
        command: `bulkhead queue delete ${queueId}`,
      },
    ],
  };
}

function corrupt(queueId: string): State {
  return {
    headline: "Its content or key is damaged; it is kept for a human.",
    tone: "bad",
    next: "Nothing happens by itself.",
    advice: [
      {
        text: "See whether disk and spool are sound; a backup may have it.",
        command: "bulkhead check",
      },
      {
        text: "Or remove it.",
        command: `bulkhead queue delete ${queueId}`,
      },
    ],
  };
}

function underWay(waiting: readonly RecipientFacts[]): State {
  return {
    headline: `Under way to ${whom(waiting)}.`,
    tone: "plain",
    next: "It is being delivered, or its turn comes in a moment.",
    advice: [],
  };
}

function whom(recipients: readonly RecipientFacts[]): string {
  return listed(recipients.map(({ address }) => `<${address}>`));
}

/** A message that left the queue: what its history says of each recipient. */
function ended({ queueId, events }: StoryFacts): State {
  const deleted = events.findLast(({ what }) => what === "deleted");
  const removed = events.findLast(({ what }) => what === "removed");
  if (deleted !== undefined || removed !== undefined) {
    return {
      headline: deleted !== undefined
        ? `Deleted by an administrator at ${utc(deleted.atMs)}; its sender ` +
          "was not told."
        : "Removed: it had never been acknowledged, so its sender kept it.",
      tone: "bad",
      next: "",
      advice: [],
    };
  }
  const last = new Map<string, EventFacts>();
  for (const event of events) {
    if (event.what === "delivered" || event.what === "failed") {
      last.set(event.recipient, event);
    }
  }
  const all = [...last.values()];
  const failed = all.filter(({ what }) => what === "failed");
  if (all.length === 0) {
    return {
      headline:
        "It has left the queue; how, the history does not tell any more.",
      tone: "plain",
      next: "",
      advice: [],
    };
  }
  if (failed.length === 0) return deliveredState(all, events);
  return failedState(queueId, { failed, all, events });
}

function deliveredState(
  all: readonly EventFacts[],
  events: readonly EventFacts[],
): State {
  const last = all.at(-1)!;
  const began = events.find(({ what }) => what === "accepted")?.atMs;
  const took = began === undefined
    ? ""
    : `, ${span(last.atMs - began)} after it came`;
  const where = last.host === "" ? "" : ` (the last server was ${last.host})`;
  return {
    headline: `Delivered to ${
      listed(all.map(({ recipient }) => `<${recipient}>`))
    } at ${utc(last.atMs)}${took}${where}.`,
    tone: "good",
    next: "",
    advice: [],
  };
}

function failedState(
  queueId: string,
  { failed, all, events }: {
    failed: readonly EventFacts[];
    all: readonly EventFacts[];
    events: readonly EventFacts[];
  },
): State {
  const [first] = failed;
  const meaning = meaningOf(causeOf(endingOf(first!)), {
    queueId,
    recipient: first!.recipient,
    host: first!.host,
    isOver: true,
  });
  const good = all.length - failed.length;
  const told = events.findLast(({ what }) => what === "notified");
  return {
    headline:
      `Not delivered to ${
        listed(failed.map(({ recipient }) => `<${recipient}>`))
      }` + (good > 0 ? ` (but to ${good} more)` : "") + `: ${meaning.says}`,
    tone: "bad",
    next: told === undefined
      ? "Nobody was told: its sender wanted no notice, or there was none to " +
        "tell."
      : `<${told.recipient}> was told by a notice.`,
    advice: meaning.advice,
  };
}
