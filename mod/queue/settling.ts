/**
 * The end of a round: writes down what came of recipients, and, when it was
 * the last of them, what becomes of the message.
 */
import { log } from "../core/log.ts";
import type { Attempt } from "../smtpc/smtpc_ipc.ts";
import type { Event } from "./event.ts";
import type { Finisher } from "./finisher.ts";
import type { GroupCommit } from "./group_commit.ts";
import {
  type Ending,
  endingOf,
  judge,
  type Law,
  type Result,
  wantsDelay,
} from "./judge.ts";
import type { Message } from "./message.ts";
import type { Notices } from "./notices.ts";
import type { Store } from "./store_io.ts";
import type { Surroundings } from "./surroundings.ts";
import { failedRecipient } from "./verp.ts";

/** Settles rounds. */
export class Settling {
  readonly #store: Store;
  readonly #commit: Pick<GroupCommit, "write">;
  readonly #finisher: Finisher;
  readonly #notices: Notices;
  readonly #around: Surroundings;
  readonly #onOver: (message: Message, ending: Ending) => void;
  #graceUntilMs = 0;
  #warnFromMs = 0;

  constructor(options: {
    store: Store;
    commit: Pick<GroupCommit, "write">;
    finisher: Finisher;
    notices: Notices;
    around: Surroundings;
    /** A message's round is over, all of it is written down. */
    onOver: (message: Message, ending: Ending) => void;
  }) {
    this.#store = options.store;
    this.#commit = options.commit;
    this.#finisher = options.finisher;
    this.#notices = options.notices;
    this.#around = options.around;
    this.#onOver = options.onOver;
  }

  /** Nothing expires before this time. */
  set graceUntilMs(untilMs: number) {
    this.#graceUntilMs = untilMs;
  }

  /** Nobody is told before this time that a message is late. */
  set warnFromMs(fromMs: number) {
    this.#warnFromMs = fromMs;
  }

  /** Writes down results; if they were the round's last, ends the round. */
  settle(message: Message, results: readonly Result[]): void {
    const events = this.#judgeAll(message, results);
    message.open -= results.length;
    const ending = message.open === 0 ? this.#endingOf(message) : undefined;
    const writing = this.#commit.write(() => {
      for (const { recipient } of results) {
        this.#store.writeRecipient(message.n, recipient);
      }
      for (const event of events) this.#store.addEvent(event);
      this.#writeEnding(message, ending);
    });
    void writing.then(() => {
      for (const event of events) logResult(message, event);
      if (ending !== undefined) this.#ended(message, ending);
    });
  }

  #judgeAll(message: Message, results: readonly Result[]): Event[] {
    const law = this.#law();
    const events: Event[] = [];
    for (const result of results) {
      const event = this.#judge(message, result, law);
      if (event === undefined) continue;
      const attempt = result.kind === "outcome" ? result.attempt : undefined;
      events.push(
        attempt === undefined ? event : {
          ...event,
          host: event.host || attempt.host,
          tls: attempt.tls,
          // The session is told once, with its first recipient.
          ...(events.length === 0 ? sessionOf(attempt) : {}),
        },
      );
      const failed = bouncedIn(message, result, event);
      if (failed !== undefined) {
        const { atMs, queueId, recipient } = event;
        const what = "bounce-attributed";
        events.push({ atMs, queueId, recipient, what, text: failed });
      }
    }
    return events;
  }

  #judge(message: Message, result: Result, law: Law): Event | undefined {
    const { recipient } = result;
    const { address } = recipient;
    const what = judge(message, result, law);
    if (recipient.state === "gone") message.rows--;
    if (what === undefined) return undefined;
    this.#count(what);
    if (what === "delivered") {
      this.#around.delivered(law.nowMs - message.arrivedMs);
    }
    const outcome = result.kind === "outcome" ? result.outcome : recipient.last;
    return {
      atMs: law.nowMs,
      queueId: message.id,
      recipient: address,
      what,
      host: outcome?.host ?? "",
      code: outcome?.code ?? 0,
      text: outcome === undefined ? "" : `${outcome.enhanced} ${outcome.text}`,
    };
  }

  #law(): Law {
    const { firstRetryMs, maxRetryMs, expireMs } = this.#around.part();
    return {
      nowMs: this.#around.nowMs(),
      random: this.#around.random(),
      graceUntilMs: this.#graceUntilMs,
      firstRetryMs,
      maxRetryMs,
      expireMs,
    };
  }

  #count(what: Event["what"]): void {
    const isCounted = what === "delivered" || what === "deferred" ||
      what === "failed";
    if (isCounted) this.#around.count(what);
  }

  /** What is parked wakes up in time for its sender to be told. */
  #endingOf(message: Message): Ending {
    const ending = endingOf(message);
    const warnMs = this.#warnMs(message);
    return ending.kind === "parked" && warnMs > this.#around.nowMs() &&
        warnMs < ending.dueMs
      ? { kind: "parked", dueMs: warnMs }
      : ending;
  }

  /** When its sender is told that it is late; Infinity: never. */
  #warnMs(message: Message): number {
    const { delayWarningMs } = this.#around.part();
    const isWanted = delayWarningMs > 0 && !message.isWarned &&
      message.recipients.some((one) => wantsDelay(message, one));
    return isWanted
      ? Math.max(message.arrivedMs + delayWarningMs, this.#warnFromMs)
      : Infinity;
  }

  #writeEnding(message: Message, ending: Ending | undefined): void {
    switch (ending?.kind) {
      case undefined:
        return;
      case "bounce":
        // A successor tells of it at once, even if it was on hold.
        return this.#store.wake(message.n);
      case "spent":
        return this.#store.deleteMessage(message.n);
      case "parked":
        return this.#store.park(message.n, ending.dueMs);
      case "corrupt":
        this.#store.corrupt(message.n);
        this.#store.addEvent({
          atMs: this.#around.nowMs(),
          queueId: message.id,
          recipient: "",
          what: "corrupt",
        });
    }
  }

  async #ended(message: Message, ending: Ending): Promise<void> {
    switch (ending.kind) {
      case "bounce":
        if (await this.#notices.send(message)) {
          void this.#finisher.finish(message);
        }
        break;
      case "spent":
        void this.#finisher.finish(message);
        break;
      case "corrupt":
        this.#around.count("corrupt");
        log("message-corrupt", { id: message.id, alarm: true });
        break;
      case "parked":
        if (this.#warnMs(message) > this.#around.nowMs()) break;
        await this.#notices.delayed(
          message,
          message.recipients.filter((one) => wantsDelay(message, one)),
        );
        break;
    }
    this.#onOver(message, ending);
  }
}

/** What an event tells of the session that its attempt was. */
function sessionOf(
  { address, tookMs, hosts, transcript }: Attempt,
): Partial<Event> {
  return { address, tookMs, hosts, transcript };
}

/** Whom a bounce is about that came into a mailbox; see `verp.ts`. */
function bouncedIn(
  { reversePath }: Pick<Message, "reversePath">,
  result: Result,
  { what, recipient }: Event,
): string | undefined {
  const isFinal = result.kind === "outcome" && result.isFinal === true;
  return reversePath === "" && what === "delivered" && isFinal
    ? failedRecipient(recipient)
    : undefined;
}

/** Tells the log what became of a recipient: after it is written down. */
function logResult(message: Message, event: Event): void {
  if (event.what === "bounce-attributed") {
    const { queueId: id, recipient: to, text: failed } = event;
    return log("bounce-attributed", { id, to, failed });
  }
  log(`recipient-${event.what}`, {
    id: event.queueId,
    from: message.reversePath,
    to: event.recipient,
    host: event.host || undefined,
    tls: event.tls || undefined,
    code: event.code || undefined,
    text: event.text,
    delayMs: Math.max(0, event.atMs - message.arrivedMs),
  });
}
