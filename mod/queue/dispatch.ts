/**
 * Delivery: takes messages into memory (never more than the settings say),
 * routes their recipients, hands out jobs, and writes down what came of them.
 * What is decided lives in `agenda.ts`, `route.ts` and `judge.ts`.
 */
import { log } from "../core/log.ts";
import { type Outcome, ownOutcome } from "../core/outcome.ts";
import { address as addressShape } from "../core/shapes.ts";
import type { Target } from "../resolve/resolve_ipc.ts";
import type { Attempt } from "../smtpc/smtpc_ipc.ts";
import { Agenda } from "./agenda.ts";
import { DeadList } from "./dead_list.ts";
import {
  deliver,
  type DeliveryEdges,
  isUnreachable,
  type Job,
  type Part,
} from "./deliver.ts";
import type { Event } from "./event.ts";
import type { Finisher } from "./finisher.ts";
import type { GroupCommit } from "./group_commit.ts";
import {
  type Ending,
  endingOf,
  judge,
  type Law,
  type Result,
  wantsSuccess,
} from "./judge.ts";
import type { KeyFile } from "./keys_io.ts";
import {
  type Message,
  newRecipient,
  type Recipient,
  type State,
} from "./message.ts";
import type { Notices } from "./notices.ts";
import {
  byDestination,
  claim,
  CROWDED,
  UNREACHABLE,
  unrouted,
} from "./plan.ts";
import { choose, destinationOf, type Resolution, Router } from "./route.ts";
import type { MessageRow, Place, Store } from "./store_io.ts";
import type { Surroundings } from "./surroundings.ts";
import { wishesBehind } from "./wishes.ts";

/** Recipients in one job; the contracts say so too. */
const BATCH = 100;
/** Messages loaded in one go, so that no load delays an accept for long. */
const LOAD = 200;
/** Recipients in memory, for each message that there may be. */
const RECIPIENTS_PER_MESSAGE = 10;
/** Jobs of a message that may end without anybody knowing how. */
const MAX_UNKNOWN_ENDS = 2;
const UNKNOWN_AGAIN_MS = 1_000;
const CROWDED_AGAIN_MS = 60_000;

/** The active messages and their jobs. */
export class Dispatcher {
  readonly #edges: DeliveryEdges;
  readonly #store: Store;
  readonly #keys: KeyFile;
  readonly #commit: GroupCommit;
  readonly #finisher: Finisher;
  readonly #notices: Notices;
  readonly #around: Surroundings;
  readonly #router: Router;
  readonly #dead = new DeadList();
  readonly #local: Agenda<Job>;
  readonly #remote: Agenda<Job>;
  readonly #active = new Map<number, Message>();
  #recipients = 0;
  /** Where fresh messages that are not in memory begin; undefined: none. */
  #freshFrom: number | undefined = 0;
  #dueAfter = { dueMs: 0, n: 0 };
  #graceUntilMs = 0;
  /**
   * The last message that was there when this process began: its predecessor
   * may have had any of them delivered, and died before that was committed.
   */
  readonly #lastInherited: number;
  /** Messages of our own of which a job ended and nobody heard how. */
  readonly #unheard = new Set<number>();
  #isLoading = false;
  #isStopped = false;

  constructor(options: {
    edges: DeliveryEdges;
    store: Store;
    keys: KeyFile;
    commit: GroupCommit;
    finisher: Finisher;
    notices: Notices;
    around: Surroundings;
  }) {
    this.#edges = options.edges;
    this.#store = options.store;
    this.#lastInherited = options.store.lastNumber();
    this.#keys = options.keys;
    this.#commit = options.commit;
    this.#finisher = options.finisher;
    this.#notices = options.notices;
    this.#around = options.around;
    this.#router = new Router(this.#edges.resolve, () => performance.now());
    const part = this.#around.part;
    this.#local = new Agenda({
      limits: () => ({ all: part().maxLocalJobs, each: part().maxLocalJobs }),
      slowStart: false,
    });
    this.#remote = new Agenda({
      limits: () => ({
        all: part().maxJobs,
        each: part().maxJobsPerDestination,
      }),
      slowStart: true,
    });
  }

  /** Nothing expires before this time. */
  set graceUntilMs(untilMs: number) {
    this.#graceUntilMs = untilMs;
  }

  /** Recipients in memory that are being delivered, by their stored state. */
  activeCounts(): { incoming: number; deferred: number } {
    const counts = { incoming: 0, deferred: 0 };
    for (const { recipients } of this.#active.values()) {
      for (const { state, last } of recipients) {
        if (state !== "active") continue;
        counts[last === undefined ? "incoming" : "deferred"]++;
      }
    }
    return counts;
  }

  /** Jobs whose outcome is awaited. */
  get running(): number {
    return this.#local.running + this.#remote.running;
  }

  /** Starts no more jobs. */
  stop(): void {
    this.#isStopped = true;
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
    if (this.#freshFrom !== undefined || this.#room() <= 0) return false;
    this.#admit(message);
    this.pump();
    return true;
  }

  /** A fresh message waits in the database. */
  overflowed(n: number): void {
    this.#freshFrom = Math.min(this.#freshFrom ?? n, n);
  }

  /** Loads what is due, as far as there is room. Called on a timer. */
  refill(): void {
    if (this.#isLoading || this.#commit.failing !== undefined) return;
    // Half for the new and half for the old, so that neither starves.
    const limit = Math.ceil(Math.min(LOAD, this.#room()) / 2);
    if (limit <= 0) return;
    const full = [this.#loadFresh(limit), this.#loadDue(limit)].includes(limit);
    this.pump();
    if (!full || this.#room() <= 0) return;
    this.#isLoading = true;
    setImmediate(() => {
      this.#isLoading = false;
      this.refill();
    });
  }

  /**
   * Rows of these recipients say, or are about to, that they are due: so they
   * are in memory, and what the rows say is looked for.
   */
  hasten(places: readonly Place[], nowMs: number): void {
    for (const { n, ordinal } of places) {
      const recipient = this.#active.get(n)?.recipients
        .find((one) => one.ordinal === ordinal);
      if (recipient?.state !== "deferred") continue;
      recipient.nextMs = Math.min(recipient.nextMs, nowMs);
    }
    this.#lookAgainFrom(nowMs);
  }

  /** Whatever is known of where this address goes: it is to be tried. */
  async isBackUp(address: string): Promise<void> {
    const resolution = await this.#router.resolve(address, true);
    if (resolution.kind !== "targets") return;
    for (const target of resolution.targets) {
      this.#dead.reached(destinationOf(target));
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
    for (const agenda of [this.#local, this.#remote]) {
      for (let next = agenda.next(); next; next = agenda.next()) {
        void this.#run(next.job, agenda);
      }
    }
  }

  /** Messages that may still come into memory. */
  #room(): number {
    const { maxActive } = this.#around.part();
    const isCrowded = this.#recipients >= maxActive * RECIPIENTS_PER_MESSAGE;
    return isCrowded ? 0 : maxActive - this.#active.size;
  }

  #loadFresh(limit: number): number {
    if (this.#freshFrom === undefined) return 0;
    const rows = this.#store.fresh(this.#freshFrom, limit);
    const last = rows.at(-1);
    this.#freshFrom = rows.length < limit ? undefined : last!.n + 1;
    for (const row of rows) this.#load(row);
    return rows.length;
  }

  #loadDue(limit: number): number {
    const rows = this.#store.due(this.#around.nowMs(), this.#dueAfter, limit);
    const last = rows.at(-1);
    if (last !== undefined) this.#dueAfter = { dueMs: last.dueMs, n: last.n };
    for (const row of rows) this.#load(row);
    return rows.length;
  }

  // A commit that was late may park a message at a time that has been looked
  // through meanwhile.
  #lookAgainFrom(dueMs: number): void {
    if (dueMs < 0 || dueMs > this.#dueAfter.dueMs) return;
    this.#dueAfter = { dueMs: dueMs - 1, n: 0 };
  }

  #load(row: MessageRow): void {
    if (row.state !== "queued" || this.#active.has(row.n)) return;
    this.#admit(this.#store.load(row));
  }

  #admit(message: Message): void {
    this.#active.set(message.n, message);
    this.#recipients += message.recipients.length;
    const nowMs = this.#around.nowMs();
    const round = message.recipients.filter((recipient) =>
      recipient.state === "incoming" ||
      (recipient.state === "deferred" && recipient.nextMs <= nowMs)
    );
    for (const recipient of round) recipient.state = "active";
    message.open = round.length;
    if (round.length === 0) this.#settle(message, []);
    else this.#route(message, round);
  }

  #forget(message: Message): void {
    this.#active.delete(message.n);
    this.#recipients -= message.recipients.length;
    // Not for every single message: each load is a search.
    if (this.#freshFrom === undefined) return;
    if (this.#room() >= this.#around.part().maxActive / 4) this.refill();
  }

  /** Resolves recipients; goes on in the same turn if all were known. */
  #route(message: Message, round: readonly Recipient[]): void {
    const found = round.map((one) =>
      this.#router.resolve(one.address, message.mayRelay || isByAlias(one))
    );
    const go = (resolutions: readonly Resolution[]) =>
      this.#plan(message, round.map((r, i) => [r, resolutions[i]!]));
    if (found.every((one) => !(one instanceof Promise))) {
      go(found as Resolution[]);
    } else {
      void Promise.all(found).then((all) => {
        go(all);
        this.pump();
      });
    }
  }

  /** Turns resolutions into jobs, replaced recipients and own outcomes. */
  #plan(message: Message, round: readonly [Recipient, Resolution][]): void {
    const parts: Part[] = [];
    const results: Result[] = [];
    const expanded: { from: Recipient; targets: readonly Target[] }[] = [];
    for (const [recipient, resolution] of round) {
      if (resolution.kind !== "targets") {
        results.push(unrouted(recipient, resolution));
        continue;
      }
      const choice = choose(recipient, resolution.targets);
      switch (choice.kind) {
        case "one":
          if (claim(message, choice.target)) {
            parts.push({ recipient, target: choice.target });
          } else results.push({ kind: "duplicate", recipient });
          break;
        case "several":
          expanded.push({ from: recipient, targets: choice.targets });
          break;
        case "loop":
          results.push(unrouted(recipient, { kind: "loop" }));
      }
    }
    if (expanded.length > 0) this.#expand(message, expanded);
    this.#enlist(message, parts, results);
  }

  /**
   * Replaces recipients by what their aliases say, in one transaction, and
   * delivers only when it is committed: a crash leaves the one or the others.
   */
  #expand(
    message: Message,
    expanded: readonly { from: Recipient; targets: readonly Target[] }[],
  ): void {
    const parts: Part[] = [];
    const gone: { from: Recipient; names: string[] }[] = [];
    for (const { from, targets } of expanded) {
      const names: string[] = [];
      for (const target of targets) {
        if (!claim(message, target)) continue;
        const recipient = newRecipient(
          message.nextOrdinal++,
          target.address,
          {
            original: from.original || from.address,
            depth: from.depth + 1,
            wishes: wishesBehind(from.wishes),
          },
        );
        recipient.state = "active";
        message.recipients.push(recipient);
        parts.push({ recipient, target });
        names.push(target.address);
      }
      gone.push({ from, names });
      if (wantsSuccess(message, from)) {
        from.state = "bounce";
        from.action = "expanded";
        from.last = ownOutcome("delivered", 250, "2.0.0", "Expanded");
        continue;
      }
      from.state = "gone";
      message.rows--;
    }
    this.#recipients += parts.length;
    message.rows += parts.length;
    message.open += parts.length;
    const atMs = this.#around.nowMs();
    void this.#commit.write(() => {
      for (const { from, names } of gone) {
        this.#writeRow(message.n, from);
        this.#store.addEvent({
          atMs,
          queueId: message.id,
          recipient: from.address,
          what: "expanded",
          text: names.join(", ").slice(0, 1_000),
        });
      }
      for (const { recipient } of parts) {
        this.#store.insertRecipient(message.n, recipient);
      }
    }).then(() => {
      message.open -= gone.length;
      if (message.open === 0) this.#settle(message, []);
      else this.#enlist(message, parts, []);
      this.pump();
    });
  }

  /** Puts jobs on the agenda; what cannot be tried now is settled at once. */
  #enlist(message: Message, parts: readonly Part[], results: Result[]): void {
    const nowMs = this.#around.nowMs();
    const { maxActive } = this.#around.part();
    for (const [destination, some] of byDestination(parts)) {
      const deadMs = this.#dead.untilMs(destination, nowMs);
      if (deadMs !== undefined) {
        results.push(...this.#postponed(some, deadMs, UNREACHABLE));
      } else if (this.#remote.waiting(destination) * 4 > maxActive) {
        // One destination must not fill the memory with its backlog.
        const untilMs = nowMs + CROWDED_AGAIN_MS;
        results.push(...this.#postponed(some, untilMs, CROWDED));
      } else {
        for (let at = 0; at < some.length; at += BATCH) {
          this.#add({
            message,
            destination,
            parts: some.slice(at, at + BATCH),
          });
        }
      }
    }
    if (results.length > 0) this.#settle(message, results);
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
    return parts.map(({ recipient }) => ({
      kind: "postponed",
      recipient,
      untilMs: untilMs + spreadMs,
      why,
    }));
  }

  async #run(job: Job, agenda: Agenda<Job>): Promise<void> {
    const { message, destination, parts } = job;
    const reached = await deliver(job, {
      edges: this.#edges,
      keys: this.#keys,
      isRepeat: message.n <= this.#lastInherited ||
        this.#unheard.has(message.n),
    });
    const isDead = isUnreachable(job, reached);
    agenda.done(destination, !isDead);
    if (destination !== "" && reached.kind === "outcomes") {
      if (isDead) this.#unreachable(destination);
      else this.#dead.reached(destination);
    }
    switch (reached.kind) {
      case "damaged":
        message.isDamaged = true;
        this.#settle(
          message,
          parts.map(({ recipient }) => ({ kind: "damaged", recipient })),
        );
        break;
      case "unknown":
        this.#unknownEnd(job, reached.why);
        break;
      case "outcomes":
        this.#settle(
          message,
          parts.map(({ recipient, target }, i) => ({
            kind: "outcome",
            recipient,
            outcome: reached.outcomes[i]!,
            triedAs: target.address,
          })),
          reached.attempt,
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
        this.#add(job);
        this.pump();
      }, UNKNOWN_AGAIN_MS);
      return;
    }
    const outcome = ownOutcome("temporary", 451, "4.3.0", why);
    this.#settle(
      message,
      parts.map(({ recipient }) => ({ kind: "outcome", recipient, outcome })),
    );
  }

  #unreachable(destination: string): void {
    const untilMs = this.#dead.unreachable(destination, {
      nowMs: this.#around.nowMs(),
      random: this.#around.random(),
      limits: this.#around.part(),
    });
    for (const { message, parts } of this.#remote.withdraw(destination)) {
      this.#settle(message, this.#postponed(parts, untilMs, UNREACHABLE));
    }
  }

  /** Writes down results; if they were the round's last, ends the round. */
  #settle(
    message: Message,
    results: readonly Result[],
    attempt?: Attempt,
  ): void {
    const events = this.#judgeAll(message, results, attempt);
    message.open -= results.length;
    const ending = message.open === 0 ? endingOf(message) : undefined;
    const writing = this.#commit.write(() => {
      for (const { recipient } of results) this.#writeRow(message.n, recipient);
      for (const event of events) this.#store.addEvent(event);
      this.#writeEnding(message, ending);
    });
    void writing.then(() => {
      for (const event of events) logResult(message, event);
      if (ending !== undefined) this.#ended(message, ending);
    });
  }

  #judgeAll(
    message: Message,
    results: readonly Result[],
    attempt: Attempt | undefined,
  ): Event[] {
    const law = this.#law();
    const events: Event[] = [];
    for (const result of results) {
      const event = this.#judge(message, result, law);
      if (event === undefined) continue;
      events.push(
        attempt === undefined ? event : {
          ...event,
          host: event.host || attempt.host,
          tls: attempt.tls,
          // The session is told once, with its first recipient.
          transcript: events.length === 0 ? attempt.transcript : [],
        },
      );
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
    if (what === "delivered" || what === "deferred") this.#around.count(what);
  }

  #writeRow(n: number, recipient: Recipient): void {
    const { state } = recipient;
    if (state === "gone") this.#store.deleteRecipient(n, recipient.ordinal);
    else if (state === "deferred" || state === "bounce") {
      this.#store.updateRecipient(n, recipient as Recipient & { state: State });
    }
  }

  #writeEnding(message: Message, ending: Ending | undefined): void {
    switch (ending?.kind) {
      case undefined:
      case "bounce":
        return;
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
        this.#lookAgainFrom(ending.dueMs);
        break;
    }
    if (ending.kind !== "parked") this.#unheard.delete(message.n);
    this.#forget(message);
  }
}

/** Tells the log what became of a recipient: after it is written down. */
function logResult(message: Message, event: Event): void {
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

/** True for an address that the administrator's aliases gave. */
function isByAlias({ depth, original }: Recipient): boolean {
  return depth > 0 || original !== "";
}
