/**
 * Delivery: joins the messages in memory (`active_set.ts`), the ways of their
 * recipients (`routing.ts`), the agendas, and what comes of it
 * (`settling.ts`); hands out the jobs.
 */
import { log } from "../core/log.ts";
import { destinationFor } from "../config/destinations.ts";
import { type Outcome, ownOutcome } from "../core/outcome.ts";
import { address as addressShape } from "../core/shapes.ts";
import { ActiveSet } from "./active_set.ts";
import { Agenda, type Allowance } from "./agenda.ts";
import type { DestinationFacts } from "./console_desk.ts";
import { Crowd } from "./crowd.ts";
import { DeadList } from "./dead_list.ts";
import {
  deliver,
  type DeliveryEdges,
  feedbackOf,
  type Job,
  type Part,
} from "./deliver.ts";
import { LastDeliveries } from "./destinations.ts";
import type { Finisher } from "./finisher.ts";
import type { GroupCommit } from "./group_commit.ts";
import { DUE_AT_ONCE, type Ending, type Result } from "./judge.ts";
import type { KeyFile } from "./keys_io.ts";
import type { Message, Recipient } from "./message.ts";
import type { Notices } from "./notices.ts";
import { byDestination, CROWDED, UNREACHABLE } from "./plan.ts";
import { configuredName, destinationOf, isFinal, Router } from "./route.ts";
import type { QueuePart } from "./role.ts";
import { type Planned, Routing } from "./routing.ts";
import { Settling } from "./settling.ts";
import type { Attempt, TlsResult } from "../smtpc/smtpc_ipc.ts";
import type { Place, Store } from "./store_io.ts";
import type { Surroundings } from "./surroundings.ts";

/** Recipients in one job; the contracts say so too. */
const BATCH = 100;
/** Jobs of a message that may end without anybody knowing how. */
const MAX_UNKNOWN_ENDS = 2;
const UNKNOWN_AGAIN_MS = 1_000;
/** Jobs that wait in memory for the outcome of a probe. */
const MAX_ON_PROBATION = 100;
/** Timers do not take more. */
const MAX_TIMER_MS = 2 ** 31 - 1;

function givenUp({ last }: Recipient): Outcome {
  const words = "Given up by the administrator of this server";
  const before = last === undefined
    ? ""
    : `. The last answer was: ${last.text}`;
  return ownOutcome("permanent", 554, "5.4.7", words + before);
}

function recalled(parts: readonly Part[]): Result[] {
  return parts.map(({ recipient }) => ({ kind: "recalled", recipient }));
}

/** `[destinations]` by name, made anew when the settings change. */
interface Allowances {
  readonly of: QueuePart["destinations"];
  readonly byName: ReadonlyMap<string, QueuePart["destinations"][number]>;
}

/** The active messages and their jobs. */
export class Dispatcher {
  readonly #edges: DeliveryEdges;
  readonly #keys: KeyFile;
  readonly #commit: GroupCommit;
  readonly #around: Surroundings;
  readonly #router: Router;
  readonly #active: ActiveSet;
  readonly #routing: Routing;
  readonly #settling: Settling;
  readonly #dead = new DeadList();
  readonly #crowd = new Crowd();
  readonly #last = new LastDeliveries();
  readonly #local: Agenda<Job>;
  readonly #remote: Agenda<Job>;
  /**
   * The last message that was there when this process began: its predecessor
   * may have had any of them delivered, and died before that was committed.
   */
  readonly #lastInherited: number;
  /** Messages of our own of which a job ended and nobody heard how. */
  readonly #unheard = new Set<number>();
  readonly #onTlsResults: (results: readonly TlsResult[]) => void;
  #allowances: Allowances | undefined;
  #wakeTimer: ReturnType<typeof setTimeout> | undefined;
  #isStopped = false;

  constructor(options: {
    edges: DeliveryEdges;
    store: Store;
    keys: KeyFile;
    commit: GroupCommit;
    finisher: Finisher;
    notices: Notices;
    around: Surroundings;
    /** What a delivery said of TLS. */
    onTlsResults: (results: readonly TlsResult[]) => void;
  }) {
    const { edges, store, commit, around } = options;
    this.#edges = edges;
    this.#lastInherited = store.lastNumber();
    this.#keys = options.keys;
    this.#commit = commit;
    this.#around = around;
    this.#onTlsResults = options.onTlsResults;
    this.#router = new Router(edges.resolve, () => performance.now());
    this.#active = new ActiveSet({
      store,
      commit,
      around,
      onLoaded: (message, round) => {
        if (round.length === 0) this.#settling.settle(message, []);
        else this.#routing.route(message, round);
      },
      onRefilled: () => this.pump(),
    });
    this.#routing = new Routing({
      router: this.#router,
      store,
      commit,
      around,
      onPlanned: (planned) => this.#enlist(planned),
      onLate: () => this.pump(),
      onGrown: (by) => this.#active.grown(by),
    });
    this.#settling = new Settling({
      ...options,
      onOver: (message, ending) => this.#over(message, ending),
    });
    const { part } = around;
    this.#local = new Agenda({
      atOnce: () => part().maxLocalJobs,
      allowance: () => ({ most: part().maxLocalJobs, intervalMs: 0 }),
      slowStart: false,
    });
    this.#remote = new Agenda({
      atOnce: () => part().maxJobs,
      allowance: (destination) => this.#allowance(destination),
      slowStart: true,
    });
  }

  /** Nothing expires before this time. */
  set graceUntilMs(untilMs: number) {
    this.#settling.graceUntilMs = untilMs;
  }

  /** Nobody is told before this time that a message is late. */
  set warnFromMs(fromMs: number) {
    this.#settling.warnFromMs = fromMs;
  }

  /** Recipients in memory that are being delivered, by their stored state. */
  activeCounts(): { incoming: number; deferred: number } {
    return this.#active.counts();
  }

  /** Messages of which some recipient is being delivered. */
  activeRows(): readonly number[] {
    return this.#active.rows();
  }

  /** What is known of where mail goes, for the console. */
  destinations(): DestinationFacts {
    return {
      active: this.#remote.jobs(),
      deadUntilMs: this.#dead.untilMs(this.#around.nowMs()),
      last: this.#last.all(),
    };
  }

  /** Jobs whose outcome is awaited. */
  get running(): number {
    return this.#local.running + this.#remote.running;
  }

  /** Starts no more jobs. */
  stop(): void {
    this.#isStopped = true;
    clearTimeout(this.#wakeTimer);
  }

  /** True if a message's recipients are in memory. */
  isActive(n: number): boolean {
    return this.#active.has(n);
  }

  /**
   * Takes a message that is ready and in memory; false if there is no room or
   * others wait in the database before it. Then its mark must be committed
   * and {@link overflowed} called.
   */
  offer(message: Message): boolean {
    if (!this.#active.offer(message)) return false;
    this.pump();
    return true;
  }

  /** A fresh message waits in the database. */
  overflowed(n: number): void {
    this.#active.overflowed(n);
  }

  /** Loads what is due, as far as there is room. Called on a timer. */
  refill(): void {
    this.#active.refill();
  }

  /**
   * Rows of these recipients say, or are about to, that they are due: so they
   * are in memory, and what the rows say is looked for.
   */
  hasten(places: readonly Place[], nowMs: number): void {
    this.#active.hasten(places, nowMs);
  }

  /**
   * Sends messages back to the database, and keeps them there until
   * {@link unbar}. What of them is under way ends first.
   */
  recall(rows: readonly number[]): void {
    const owners = new Set<Message>();
    for (const n of rows) {
      const message = this.#active.bar(n);
      if (message === undefined || message.isRecalled) continue;
      message.isRecalled = true;
      owners.add(message);
    }
    if (owners.size === 0) return;
    for (const agenda of [this.#local, this.#remote]) {
      for (const { message, parts } of agenda.withdrawOf(owners)) {
        this.#settling.settle(message, recalled(parts));
      }
    }
  }

  /** A message may be tried again. */
  unbar(n: number): void {
    this.#active.unbar(n);
  }

  /** Anything may be due: what the rows say is looked through again. */
  lookAgain(): void {
    this.#active.lookAgainFrom(DUE_AT_ONCE);
    this.#active.refill();
  }

  /**
   * All that waits of a message that is not in memory fails now.
   *
   * @returns How many recipients that are
   */
  giveUp(message: Message): number {
    const waiting = message.recipients.filter(({ state }) =>
      state === "incoming" || state === "deferred" || state === "hold"
    );
    if (waiting.length === 0) return 0;
    this.#active.adopt(message, waiting);
    this.#settling.settle(
      message,
      waiting.map((recipient) => ({
        kind: "outcome",
        recipient,
        outcome: givenUp(recipient),
      })),
    );
    return waiting.length;
  }

  /** Every destination is to be tried, whatever is known of it. */
  reviveAll(): void {
    for (const name of this.#dead.reachedAll()) this.#remote.revive(name);
  }

  /** Whatever is known of where this address goes: it is to be tried. */
  async isBackUp(address: string): Promise<void> {
    const resolution = await this.#router.resolve(address, true);
    if (resolution.kind !== "targets") return;
    for (const target of resolution.targets) {
      this.#reached(destinationOf(target));
    }
  }

  /** True if strangers' mail for a domain is passed on to other servers. */
  async isRelayed(domain: string): Promise<boolean> {
    const postmaster = `postmaster@${domain}`;
    if (!addressShape.safeParse(postmaster).success) return false;
    const resolution = await this.#router.resolve(postmaster, false);
    return resolution.kind === "targets" &&
      resolution.targets.every(({ kind }) => kind === "remote");
  }

  /** Starts every job that has room. */
  pump(): void {
    // What is delivered must be written down, or a crash delivers it again.
    if (this.#isStopped || this.#commit.failing !== undefined) return;
    const nowMs = this.#around.nowMs();
    for (const agenda of [this.#local, this.#remote]) {
      for (let next = agenda.next(nowMs); next; next = agenda.next(nowMs)) {
        void this.#run(next.job, agenda);
      }
    }
    this.#wake();
  }

  /** Puts jobs on the agenda; what cannot be tried now is settled at once. */
  #enlist({ message, parts, results }: Planned): void {
    if (message.isRecalled && parts.length > 0) {
      return this.#settling.settle(message, [...results, ...recalled(parts)]);
    }
    const nowMs = this.#around.nowMs();
    const { maxActive, firstRetryMs } = this.#around.part();
    for (const [destination, some] of byDestination(parts, message)) {
      const standing = this.#dead.standing(destination, nowMs);
      const waiting = this.#remote.waiting(destination);
      if (standing.kind === "dead") {
        results.push(...this.#postponed(some, standing.untilMs, UNREACHABLE));
      } else if (
        standing.kind === "probation" && waiting >= MAX_ON_PROBATION
      ) {
        // Whether the probe fails or not, those do not come back together.
        const untilMs = nowMs + firstRetryMs * (1 + this.#around.random());
        results.push(...this.#postponed(some, Math.ceil(untilMs), UNREACHABLE));
      } else if (waiting * 4 > maxActive) {
        // One destination must not fill the memory with its backlog. Of one
        // that may be dead, the backlog is not looked at again and again.
        const untilMs = this.#remote.isProven(destination)
          ? this.#crowd.turnMs(destination, { nowMs, waiting })
          : this.#crowd.turnInDoubtMs(destination, {
            nowMs,
            random: this.#around.random(),
          });
        results.push(...putOff(some, untilMs, CROWDED));
      } else {
        if (standing.kind === "probation") this.#remote.probe(destination);
        // Each its own reverse-path: each a transaction of its own.
        const size = message.wishes.verp === "" ? BATCH : 1;
        for (let at = 0; at < some.length; at += size) {
          const parts = some.slice(at, at + size);
          this.#add({ message, destination, parts });
        }
      }
    }
    if (results.length > 0 || message.open === 0) {
      this.#settling.settle(message, results);
    }
  }

  #add(job: Job): void {
    const agenda = job.destination === "" ? this.#local : this.#remote;
    agenda.add(job, { destination: job.destination, owner: job.message });
  }

  #postponed(
    parts: readonly Part[],
    untilMs: number,
    why: Outcome,
  ): Result[] {
    // Spread over a tenth of the first wait, so that they do not all come back
    // in the same second.
    const { firstRetryMs } = this.#around.part();
    const spreadMs = Math.floor(this.#around.random() * firstRetryMs / 10);
    return putOff(parts, untilMs + spreadMs, why);
  }

  async #run(job: Job, agenda: Agenda<Job>): Promise<void> {
    const { message, destination, parts } = job;
    const reached = await deliver(job, {
      edges: this.#edges,
      keys: this.#keys,
      isRepeat: message.n <= this.#lastInherited ||
        this.#unheard.has(message.n),
    });
    const feedback = feedbackOf(job, reached);
    const isDead = agenda.done(destination, feedback);
    this.#crowd.left(destination, this.#around.nowMs());
    if (feedback === "reached") this.#reached(destination);
    if (isDead) this.#unreachable(destination);
    // First: whoever has one session waits for its next message, not for what
    // is written of the last one.
    this.pump();
    switch (reached.kind) {
      case "damaged":
        message.isDamaged = true;
        this.#settling.settle(
          message,
          parts.map(({ recipient }) => ({ kind: "damaged", recipient })),
        );
        break;
      case "unknown":
        this.#unknownEnd(job, reached.why);
        break;
      case "outcomes":
        if (destination !== "" && reached.attempt !== undefined) {
          this.#last.note(destination, reached.attempt, this.#around.wallMs());
        }
        // RFC 8460 §3: a report's own sessions are in no report.
        if (!message.isTlsReport) {
          this.#onTlsResults(resultsOf(job, reached.attempt));
        }
        this.#settling.settle(
          message,
          parts.map(({ recipient, target }, i) => ({
            kind: "outcome",
            recipient,
            outcome: reached.outcomes[i]!,
            attempt: reached.attempt,
            isFinal: isFinal(target),
            triedAs: target.address,
          })),
        );
    }
    this.pump();
  }

  /** The delivering role died or hung: try again soon, but not for ever. */
  #unknownEnd(job: Job, why: string): void {
    const { message, parts } = job;
    log("delivery-unknown", { id: message.id, why });
    this.#unheard.add(message.n);
    if (++message.unknownEnds <= MAX_UNKNOWN_ENDS) {
      setTimeout(() => {
        if (message.isRecalled) {
          this.#settling.settle(message, recalled(parts));
        } else this.#add(job);
        this.pump();
      }, UNKNOWN_AGAIN_MS);
      return;
    }
    const outcome = ownOutcome("temporary", 451, "4.3.0", why);
    this.#settling.settle(
      message,
      parts.map(({ recipient }) => ({ kind: "outcome", recipient, outcome })),
    );
  }

  #reached(destination: string): void {
    if (!this.#dead.reached(destination)) return;
    log("destination-back", { destination: configuredName(destination) });
    this.#remote.revive(destination);
  }

  #unreachable(destination: string): void {
    const nowMs = this.#around.nowMs();
    const isKnown = this.#dead.standing(destination, nowMs).kind === "dead";
    const untilMs = this.#dead.unreachable(destination, {
      nowMs,
      random: this.#around.random(),
      limits: this.#around.part(),
    });
    if (!isKnown) {
      log("destination-dead", {
        destination: configuredName(destination),
        forMs: untilMs - nowMs,
      });
    }
    for (const { message, parts } of this.#remote.withdraw(destination)) {
      this.#settling.settle(
        message,
        this.#postponed(parts, untilMs, UNREACHABLE),
      );
    }
  }

  /** Interval after interval of a destination whose deliveries are spread. */
  #wake(): void {
    const { wakeMs } = this.#remote;
    if (wakeMs === undefined || this.#wakeTimer !== undefined) return;
    this.#wakeTimer = setTimeout(() => {
      this.#wakeTimer = undefined;
      this.pump();
    }, Math.min(MAX_TIMER_MS, Math.max(1, wakeMs - this.#around.nowMs())));
  }

  #allowance(destination: string): Allowance {
    const part = this.#around.part();
    if (this.#allowances?.of !== part.destinations) {
      const { destinations } = part;
      this.#allowances = {
        of: destinations,
        byName: new Map(destinations.map((one) => [one.name, one])),
      };
    }
    const said = destinationFor(
      this.#allowances.byName,
      configuredName(destination),
    );
    return {
      most: said?.maxSessions ?? part.maxJobsPerDestination,
      intervalMs: said?.intervalMs ?? 0,
    };
  }

  #over(message: Message, ending: Ending): void {
    if (ending.kind === "parked") this.#active.lookAgainFrom(ending.dueMs);
    else this.#unheard.delete(message.n);
    this.#active.forget(message);
  }
}

/** Not tried, and nobody's fault. */
function putOff(
  parts: readonly Part[],
  untilMs: number,
  why: Outcome,
): Result[] {
  return parts.map(({ recipient }) => ({
    kind: "postponed",
    recipient,
    untilMs,
    why,
  }));
}

/** Of the domain that was asked for: smtpc does not choose who gets reports. */
function resultsOf(
  { parts }: Pick<Job, "parts">,
  attempt: Attempt | undefined,
): readonly TlsResult[] {
  const [part] = parts;
  if (part?.target.kind !== "remote") return [];
  const { nextHop } = part.target;
  return nextHop.kind === "mx"
    ? attempt?.tlsResults.filter(({ domain }) => domain === nextHop.domain) ??
      []
    : [];
}
