/**
 * What the queue does for the console, and for whom: a console that was taken
 * over can do no more than the administrators who signed in, for twelve hours
 * at most (it may keep a sign-out to itself). Each order is in our own log, with
 * the one who gave it.
 */
import { LogBrake } from "../core/log_brake.ts";
import { log } from "../core/log.ts";
import { OneAtATime } from "../core/one_at_a_time.ts";
import {
  makeTicket,
  readTicket,
  sessionName,
  TicketDesk,
} from "../core/ticket.ts";
import type { AskedOf, Verdict } from "../ipc/call.ts";
import { type consoleCalls, MAX_DESTINATIONS } from "./console_ipc.ts";
import type { LastDelivery } from "./destinations.ts";
import { faultOf } from "./fault_io.ts";
import { Census, listMessages, type ListSource } from "./listing.ts";
import { newAnswer, newOrder, type OrderAnswer } from "./order_ipc.ts";
import { forgetAnswer, giveOrder, readAnswer } from "./orders_io.ts";
import type { QueuePart } from "./role.ts";
import { configuredName } from "./route.ts";
import type { Store } from "./store_io.ts";

type Calls = typeof consoleCalls;

/** An order is waited for this long; what it has not done then it does later. */
const ORDER_WITHIN_MS = 5_000;
const LOOK_AGAIN_MS = 50;
/** Lists that are made or wait: a console that asks for more slows itself. */
const MAX_LISTS = 16;
/** After a look into the history it is left alone for so many times as long. */
const REST_PER_LOOK = 4;
/** Refusals in the log. */
const LOGGED_EACH_SECOND = 5;

/** What is known of destinations beside what waits for them. */
export interface DestinationFacts {
  /** Jobs that wait or are under way. */
  readonly active: ReadonlyMap<string, number>;
  readonly deadUntilMs: ReadonlyMap<string, number>;
  readonly last: ReadonlyMap<string, LastDelivery>;
}

/** What the desk is put into. */
export interface DeskOptions {
  readonly part: () => QueuePart;
  readonly source: ListSource & { readonly store: Store };
  /** All that are in the queue. */
  readonly messages: () => number;
  readonly destinations: () => DestinationFacts;
  /** Carries out the orders that there are. */
  readonly carryOut: () => Promise<void>;
}

/** See the file's head. */
export class ConsoleDesk {
  readonly #options: DeskOptions;
  readonly #tickets: TicketDesk;
  readonly #census: Census;
  readonly #lists = new OneAtATime(MAX_LISTS);
  readonly #looks = new OneAtATime(MAX_LISTS);
  /** Monotonic. */
  #lookAgainMs = 0;
  readonly #brake = new LogBrake(LOGGED_EACH_SECOND);
  #isOrdering = false;

  constructor(options: DeskOptions) {
    this.#options = options;
    this.#tickets = new TicketDesk({ key: () => options.part().consoleKey });
    this.#census = new Census(options.source.store);
  }

  /** True if the console may be told of people. */
  mayRead(grant: string): boolean {
    return this.#options.part().consoleOpen ||
      this.#tickets.look(grant, "grant").is === "good";
  }

  /**
   * Looks into the history, which takes one turn of the event loop: one look
   * after the other, and most of the time for mail, however many are wanted.
   */
  async look<V>(
    grant: string,
    read: () => V,
  ): Promise<V | { readonly refusal: "no-grant" | "busy" }> {
    if (!this.mayRead(grant)) return { refusal: "no-grant" };
    const verdict = await this.#looks.run(async () => {
      const waitMs = this.#lookAgainMs - performance.now();
      if (waitMs > 0) await new Promise((done) => setTimeout(done, waitMs));
      const from = performance.now();
      const verdict = read();
      const to = performance.now();
      this.#lookAgainMs = to + REST_PER_LOOK * (to - from);
      return verdict;
    });
    return verdict ?? { refusal: "busy" };
  }

  /** See `console_ipc.ts`. */
  signIn({ ticket }: AskedOf<Calls["signIn"]>): Verdict<Calls["signIn"]> {
    const looked = this.#tickets.spend(ticket, "link");
    if (looked.is !== "good") {
      this.#refused({ why: looked.is });
      return { refusal: looked.is };
    }
    const nowMs = Date.now();
    const { by } = looked.facts;
    const key = this.#options.part().consoleKey;
    const grant = makeTicket(key, { kind: "grant", by, nowMs });
    const facts = readTicket(key, grant)!;
    log("console-signed-in", { by, session: sessionName(facts) });
    return { answer: { grant, by, untilMs: facts.untilMs } };
  }

  /** See `console_ipc.ts`. */
  signOut(
    { grant, everywhere }: AskedOf<Calls["signOut"]>,
  ): Verdict<Calls["signOut"]> {
    const looked = this.#tickets.spend(grant, "grant");
    if (looked.is !== "good") return { refusal: "no-grant" };
    if (everywhere) this.#tickets.spendAll();
    const { facts } = looked;
    log("console-signed-out", {
      by: facts.by,
      session: sessionName(facts),
      everywhere,
    });
    return { answer: {} };
  }

  /** See `console_ipc.ts`. */
  async order(
    { grant, action, ids, domain }: AskedOf<Calls["order"]>,
  ): Promise<Verdict<Calls["order"]>> {
    const looked = this.#tickets.look(grant, "grant");
    if (looked.is !== "good") {
      this.#refused({ why: looked.is, action, alarm: true });
      return { refusal: "no-grant" };
    }
    if (this.#isOrdering) return { refusal: "busy" };
    this.#isOrdering = true;
    try {
      const answer = await this.#give(
        newOrder(
          action,
          action === "flush" ? { domain } : { ids },
        ),
      );
      log("console-order", {
        by: looked.facts.by,
        session: sessionName(looked.facts),
        action,
        ids: ids.length > 0 ? ids : undefined,
        domain: domain || undefined,
        messages: answer.messages,
        recipients: answer.recipients,
        waiting: answer.waiting,
        missing: answer.missingCount,
      });
      return { answer };
    } catch (error) {
      faultOf(error); // rethrows what is our own bug
      return { refusal: "unhealthy" };
    } finally {
      this.#isOrdering = false;
    }
  }

  /** See `console_ipc.ts`. */
  async messages(
    ask: AskedOf<Calls["messages"]>,
  ): Promise<Verdict<Calls["messages"]>> {
    if (!this.mayRead(ask.grant)) return { refusal: "no-grant" };
    const found = await this.#lists.run(() =>
      listMessages(this.#options.source, ask)
    );
    return found === undefined
      ? { refusal: "busy" }
      : { answer: { ...found, total: this.#options.messages() } };
  }

  /** See `console_ipc.ts`. */
  async destinations(
    { grant }: AskedOf<Calls["destinations"]>,
  ): Promise<Verdict<Calls["destinations"]>> {
    if (!this.mayRead(grant)) return { refusal: "no-grant" };
    const waiting = await this.#census.byDomain();
    const { active, deadUntilMs, last } = byName(this.#options.destinations());
    const names = new Set([
      ...waiting.keys(),
      ...active.keys(),
      ...deadUntilMs.keys(),
      ...last.keys(),
    ]);
    const all = [...names].map((name) => ({
      name: name.slice(0, 320),
      waiting: waiting.get(name) ?? 0,
      active: active.get(name) ?? 0,
      deadUntilMs: deadUntilMs.get(name) ?? 0,
      last: last.get(name) ?? null,
    }));
    all.sort((one, other) =>
      other.waiting + other.active - one.waiting - one.active ||
      (other.last?.atMs ?? 0) - (one.last?.atMs ?? 0)
    );
    return { answer: { destinations: all.slice(0, MAX_DESTINATIONS) } };
  }

  /** A console that was taken over could fill the log with it. */
  #refused(fields: Readonly<Record<string, string | true>>): void {
    if (this.#brake.mayWrite(Date.now())) log("console-refused", fields);
  }

  /** Leaves it where the command line would: it outlives a crash, too. */
  async #give(order: Parameters<typeof giveOrder>[1]): Promise<OrderAnswer> {
    const { dir } = this.#options.part();
    const name = giveOrder(dir, order, Date.now());
    const untilMs = performance.now() + ORDER_WITHIN_MS;
    while (true) {
      await this.#options.carryOut();
      const answer = readAnswer(dir, name);
      const isSaid = answer !== undefined &&
        (answer.isOver || performance.now() > untilMs || answer.waiting > 0);
      if (isSaid && answer.isOver) forgetAnswer(dir, name);
      if (isSaid) return answer;
      if (performance.now() > untilMs) return newAnswer();
      await new Promise((resolve) => setTimeout(resolve, LOOK_AGAIN_MS));
    }
  }
}

/** As people call destinations: the domain, or the host that was configured. */
function byName(facts: DestinationFacts): DestinationFacts {
  const named = <V>(map: ReadonlyMap<string, V>) =>
    new Map([...map].map(([name, value]) => [configuredName(name), value]));
  return {
    active: named(facts.active),
    deadUntilMs: named(facts.deadUntilMs),
    last: named(facts.last),
  };
}
