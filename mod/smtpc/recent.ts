/**
 * Remembers what was delivered a moment ago, for a queue that died before it
 * had written it down: its successor asks again, and is told instead of the
 * next hop getting a second copy.
 *
 * A repeat waits for what is under way of the same message. Only `delivered`
 * is remembered: to try the rest again does no harm.
 */
import { type Outcome, ownOutcome } from "../core/outcome.ts";
import type { AskedOf, Verdict } from "../ipc/call.ts";
import type { Attempt, smtpcContract } from "./smtpc_ipc.ts";

type Deliver = typeof smtpcContract.calls.deliver;
type Ask = AskedOf<Deliver>;

/** Recipients remembered: many more than a queue can wait for at once. */
export const MAX_RECENT = 20_000;

/**
 * `damaged` says that nothing was sent, and here something was. The next
 * attempt finds the damage before anything else.
 */
const DAMAGED = ownOutcome("temporary", 451, "4.3.0", "The record is damaged");

interface Done {
  readonly outcome: Outcome;
  /** Without the transcript, which only the first asker may have heard. */
  readonly attempt: Attempt;
}

/** See the head of this file. */
export class Recent {
  /** By queue id and address, oldest first. */
  readonly #done = new Map<string, Done>();
  /** By queue id: resolves when all of it that was asked for has ended. */
  readonly #underWay = new Map<string, Promise<unknown>>();
  readonly #onFound: (queueId: string, recipients: number) => void;

  /** @param onFound Told how many recipients a repeat had been delivered to */
  constructor(onFound: (queueId: string, recipients: number) => void) {
    this.#onFound = onFound;
  }

  /** Delivers by `run` to those that were not delivered to already. */
  async deliver(
    ask: Ask,
    run: (ask: Ask) => Promise<Verdict<Deliver>>,
  ): Promise<Verdict<Deliver>> {
    const { queueId } = ask;
    const before = this.#underWay.get(queueId);
    const ended = ask.isRepeat
      ? (before ?? Promise.resolve()).then(() => this.#again(ask, run))
      : this.#first(ask, run);
    const all = before === undefined ? ended : Promise.all([before, ended]);
    this.#underWay.set(queueId, all);
    const verdict = await ended;
    if (this.#underWay.get(queueId) === all) this.#underWay.delete(queueId);
    return verdict;
  }

  /** Resolves when nothing is under way, and at the latest after `withinMs`. */
  async idle(withinMs: number): Promise<void> {
    const late = performance.now() + withinMs;
    while (this.#underWay.size > 0 && performance.now() < late) {
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }

  async #first(
    ask: Ask,
    run: (ask: Ask) => Promise<Verdict<Deliver>>,
  ): Promise<Verdict<Deliver>> {
    const verdict = await run(ask);
    if ("answer" in verdict) {
      const { outcomes, attempt } = verdict.answer;
      ask.recipients.forEach((recipient, at) => {
        const outcome = outcomes[at];
        if (outcome?.kind !== "delivered") return;
        this.#remember(`${ask.queueId} ${recipient}`, {
          outcome,
          attempt: { ...attempt, transcript: [] },
        });
      });
    }
    return verdict;
  }

  async #again(
    ask: Ask,
    run: (ask: Ask) => Promise<Verdict<Deliver>>,
  ): Promise<Verdict<Deliver>> {
    const known = ask.recipients.map((recipient) =>
      this.#done.get(`${ask.queueId} ${recipient}`)
    );
    const found = known.filter((one) => one !== undefined);
    if (found.length === 0) return await this.#first(ask, run);
    this.#onFound(ask.queueId, found.length);
    const isOpen = (_: unknown, at: number) => known[at] === undefined;
    const rest = ask.recipients.filter(isOpen);
    const recipientWishes = ask.recipientWishes.filter(isOpen);
    const verdict = rest.length === 0
      ? undefined
      : await this.#first({ ...ask, recipients: rest, recipientWishes }, run);
    const answer = verdict !== undefined && "answer" in verdict
      ? verdict.answer
      : undefined;
    let at = 0;
    return {
      answer: {
        outcomes: known.map((one) =>
          one?.outcome ?? answer?.outcomes[at++] ?? DAMAGED
        ),
        attempt: answer?.attempt ?? found[0]!.attempt,
      },
    };
  }

  #remember(job: string, done: Done): void {
    this.#done.delete(job);
    this.#done.set(job, done);
    if (this.#done.size > MAX_RECENT) {
      this.#done.delete(this.#done.keys().next().value!);
    }
  }
}
