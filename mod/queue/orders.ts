/**
 * Carries out what `orders_io.ts` finds. Messages are taken in small pages,
 * each in one transaction. One that is in memory is recalled first: what of it
 * waits comes back at once, what is under way ends, and its turn comes then.
 */
import { log } from "../core/log.ts";
import type { Dispatcher } from "./dispatch.ts";
import type { Event } from "./event.ts";
import { faultOf } from "./fault_io.ts";
import type { Finisher } from "./finisher.ts";
import type { Flush } from "./flush.ts";
import type { GroupCommit } from "./group_commit.ts";
import type { KeyFile } from "./keys_io.ts";
import {
  MAX_NAMED,
  type MessageAction,
  newAnswer,
  type Order,
  type OrderAnswer,
  readHop,
} from "./order_ipc.ts";
import {
  answerOrder,
  forgetOldAnswers,
  forgetOrder,
  orderNames,
  readOrder,
  writeOrder,
} from "./orders_io.ts";
import { type MessageRow, SLICE, type Store } from "./store_io.ts";
import type { Surroundings } from "./surroundings.ts";

/** Messages taken in one go. */
const PAGE = 200;
/** Looks, twice a second, between two looks for old answers. */
const LOOKS_BETWEEN_CLEANING = 120;

/** What an event and the log call it. */
const DONE = {
  hold: "held",
  release: "released",
  retry: "retried",
  reroute: "rerouted",
  expire: "expired",
  delete: "deleted",
} as const satisfies Record<MessageAction, string>;

/** An order that is being carried out. */
interface Work {
  readonly order: Order;
  /** Rows of messages that were in memory when their turn came. */
  left: number[];
  answer: OrderAnswer;
}

/** What became of a page. */
interface Done {
  readonly changed: readonly { row: MessageRow; recipients: number }[];
  readonly unchanged: readonly MessageRow[];
  /** There is more to do for these. */
  readonly again?: readonly MessageRow[];
}

/** Orders. */
export class Orders {
  readonly #store: Store;
  readonly #keys: Pick<KeyFile, "read">;
  readonly #commit: Pick<GroupCommit, "write" | "failing">;
  readonly #dispatcher: Dispatcher;
  readonly #finisher: Finisher;
  readonly #flush: Pick<Flush, "flushByOrder" | "greet">;
  readonly #around: Surroundings;
  readonly #works = new Map<string, Work>();
  #isBusy = false;
  #isFaultTold = false;
  #looks = 0;

  constructor(options: {
    store: Store;
    keys: Pick<KeyFile, "read">;
    commit: Pick<GroupCommit, "write" | "failing">;
    dispatcher: Dispatcher;
    finisher: Finisher;
    flush: Pick<Flush, "flushByOrder" | "greet">;
    around: Surroundings;
  }) {
    this.#store = options.store;
    this.#keys = options.keys;
    this.#commit = options.commit;
    this.#dispatcher = options.dispatcher;
    this.#finisher = options.finisher;
    this.#flush = options.flush;
    this.#around = options.around;
  }

  /** Carries out the orders that there are. Called on a timer. */
  async look(): Promise<void> {
    if (this.#isBusy || this.#commit.failing !== undefined) return;
    this.#isBusy = true;
    const { dir } = this.#around.part();
    if (this.#looks++ % LOOKS_BETWEEN_CLEANING === 0) {
      forgetOldAnswers(dir, this.#around.wallMs());
    }
    try {
      for (const name of orderNames(dir)) await this.#carryOut(dir, name);
      this.#isFaultTold = false;
    } catch (error) {
      this.#tellFault(error);
    } finally {
      this.#isBusy = false;
    }
  }

  /** A full disk, perhaps: the order stays, and is tried at the next look. */
  #tellFault(error: unknown): void {
    const refusal = faultOf(error); // rethrows what is our own bug
    if (this.#isFaultTold) return;
    this.#isFaultTold = true;
    log("queue-fault", { refusal, why: "an order could not be carried out" });
  }

  async #carryOut(dir: string, name: string): Promise<void> {
    const known = this.#works.get(name);
    const work = known ?? this.#begin(dir, name);
    if (work === undefined) {
      log("order-unreadable", { name });
      return forgetOrder(dir, name);
    }
    if (known !== undefined) await this.#goOn(work);
    else if (work.order.action === "flush") await this.#flushAll(work);
    else if (work.order.action === "read") await this.#noteRead(work);
    else if (work.order.all) await this.#takeAll(work);
    else await this.#takeNamed(work);
    work.answer.waiting = work.left.length;
    work.answer.isOver = work.left.length === 0;
    answerOrder(dir, name, work.answer);
    if (!work.answer.isOver) return void this.#works.set(name, work);
    this.#works.delete(name);
    forgetOrder(dir, name);
  }

  #begin(dir: string, name: string): Work | undefined {
    const found = readOrder(dir, name);
    if (found === undefined) return undefined;
    const isRoute = found.action !== "reroute" ||
      readHop(found.nextHop) !== undefined;
    if (!isRoute) return undefined;
    const order = found.all && found.upTo < 0
      ? { ...found, upTo: this.#store.lastNumber() }
      : found;
    // What comes after an order for all is not meant, not after a crash either.
    if (order !== found) writeOrder(dir, name, order);
    return {
      order,
      left: [],
      answer: newAnswer(),
    };
  }

  async #flushAll({ order, answer }: Work): Promise<void> {
    answer.recipients = await this.#flush.flushByOrder(order.domain);
    log("queue-flushed", {
      domain: order.domain || undefined,
      recipients: answer.recipients,
    });
  }

  /** Whoever reads a message is not able to do it in secret. */
  async #noteRead({ order, answer }: Work): Promise<void> {
    const atMs = this.#around.nowMs();
    const there = order.ids.filter((id) => {
      const isThere = this.#store.byId(id) !== undefined;
      if (!isThere) miss(answer, id);
      return isThere;
    });
    await this.#commit.write(() => {
      for (const queueId of there) {
        this.#store.addEvent({
          atMs,
          queueId,
          recipient: "",
          what: "read",
          text: "by an administrator",
        });
      }
    });
    for (const id of there) log("message-read", { id });
    answer.messages += there.length;
  }

  async #takeAll(work: Work): Promise<void> {
    let after = 0;
    while (true) {
      const page = this.#store.page(after, PAGE)
        .filter(({ n }) => n <= work.order.upTo);
      if (page.length === 0) return;
      after = page.at(-1)!.n;
      await this.#take(work, page);
    }
  }

  async #takeNamed(work: Work): Promise<void> {
    const ids = [...new Set(work.order.ids)];
    for (let at = 0; at < ids.length; at += PAGE) {
      const page: MessageRow[] = [];
      for (const id of ids.slice(at, at + PAGE)) {
        const row = this.#store.byId(id);
        if (row !== undefined) page.push(row);
        else miss(work.answer, id);
      }
      await this.#take(work, page);
    }
  }

  async #goOn(work: Work): Promise<void> {
    const { left } = work;
    work.left = [];
    for (let at = 0; at < left.length; at += PAGE) {
      const page: MessageRow[] = [];
      for (const n of left.slice(at, at + PAGE)) {
        const row = this.#store.byNumber(n);
        if (row !== undefined) page.push(row);
        else {
          // It was delivered meanwhile.
          work.answer.missingCount++;
          this.#dispatcher.unbar(n);
        }
      }
      await this.#take(work, page);
    }
  }

  async #take(work: Work, page: readonly MessageRow[]): Promise<void> {
    const { action } = work.order;
    // To be tried now is what those in memory are; the others wait their turn.
    const isFree = (row: MessageRow) =>
      !this.#dispatcher.isActive(row.n) && row.state !== "incoming";
    const busy = action === "retry" ? [] : page.filter((row) => !isFree(row));
    const free = page.filter((row) => !busy.includes(row));
    // The free ones, too: until the commit they must not come into memory.
    if (action !== "retry") this.#dispatcher.recall(page.map(({ n }) => n));
    work.left.push(...busy.map(({ n }) => n));
    if (free.length === 0) return;
    const done = await this.#do(work.order, free);
    const again = new Set(done.again);
    for (const row of free) {
      if (!again.has(row)) this.#dispatcher.unbar(row.n);
    }
    this.#dispatcher.recall([...again].map(({ n }) => n));
    work.left.push(...[...again].map(({ n }) => n));
    work.answer.messages += done.changed.length;
    work.answer.unchanged += done.unchanged.length;
    for (const { row, recipients } of done.changed) {
      work.answer.recipients += recipients;
      log(`message-${DONE[action as MessageAction]}`, {
        id: row.id,
        recipients,
      });
    }
    this.#dispatcher.lookAgain();
  }

  #do(order: Order, page: readonly MessageRow[]): Promise<Done> {
    const { nextHop } = order;
    switch (order.action) {
      case "hold":
        return this.#change(page, {
          what: DONE.hold,
          act: (row) => this.#store.hold(row.n),
        });
      case "release":
        return this.#change(page, {
          what: DONE.release,
          act: (row) => this.#store.release(row.n),
        });
      case "retry":
        return this.#retry(page);
      case "reroute":
        return this.#change(page, {
          what: DONE.reroute,
          text: `to ${nextHop || "where its routes lead"}`,
          act: (row, nowMs) => this.#store.reroute(row.n, nextHop, nowMs),
        });
      case "expire":
        return this.#expire(page);
      case "delete":
        return this.#delete(page);
      case "flush":
      case "read":
        throw new RangeError(`Cannot ${order.action}: it is done elsewhere`);
    }
  }

  /** One transaction; `act` says how many recipients it changed. */
  async #change(
    page: readonly MessageRow[],
    change: {
      what: Event["what"];
      text?: string;
      act: (row: MessageRow, nowMs: number) => number;
    },
  ): Promise<Done> {
    const atMs = this.#around.nowMs();
    const { what, text = "", act } = change;
    let changed: { row: MessageRow; recipients: number }[] = [];
    await this.#commit.write(() => {
      changed = [];
      for (const row of page) {
        const recipients = row.state === "corrupt" ? 0 : act(row, atMs);
        if (recipients === 0) continue;
        this.#store.repark(row.n);
        this.#store.addEvent({
          atMs,
          queueId: row.id,
          recipient: "",
          what,
          text,
        });
        changed.push({ row, recipients });
      }
    });
    return doneOf(page, changed);
  }

  async #retry(page: readonly MessageRow[]): Promise<Done> {
    for (const row of page) {
      const addresses = this.#store.recipientsOf(row.n, SLICE)
        .filter(({ state }) => state === "deferred")
        .map(({ address }) => address);
      await this.#flush.greet(addresses);
    }
    return this.#change(page, {
      what: DONE.retry,
      act: (row, nowMs) => this.#store.hastenAll(row.n, nowMs),
    });
  }

  /** Its recipients fail, and go the way of all that fail. */
  async #expire(page: readonly MessageRow[]): Promise<Done> {
    const again: MessageRow[] = [];
    const changed: { row: MessageRow; recipients: number }[] = [];
    for (const row of page) {
      if (row.state !== "queued") continue;
      // Of very many, a slice at each look; those on hold are in none.
      const isSliced = this.#store.waitingOf(row.n) > SLICE;
      if (isSliced) await this.#commit.write(() => this.#store.release(row.n));
      const message = this.#store.load(row, Number.MAX_SAFE_INTEGER);
      const recipients = this.#dispatcher.giveUp(message);
      if (recipients > 0) changed.push({ row, recipients });
      if (isSliced) again.push(row);
    }
    // After what the dispatcher writes down: only then it was carried out.
    await this.#commit.write(() => {});
    return { ...doneOf(page, changed), again };
  }

  /** Rows, then the key, then the content: as at the end of any message. */
  async #delete(page: readonly MessageRow[]): Promise<Done> {
    const atMs = this.#around.nowMs();
    let changed: { row: MessageRow; recipients: number }[] = [];
    await this.#commit.write(() => {
      changed = [];
      for (const { n } of page) {
        // Again: its content may have been moved.
        const row = this.#store.byNumber(n);
        if (row === undefined) continue;
        changed.push({ row, recipients: this.#store.remove(n) });
        this.#store.addEvent({
          atMs,
          queueId: row.id,
          recipient: "",
          what: "deleted",
          text: "by an administrator",
        });
      }
    });
    for (const { row } of changed) {
      // A corrupt one may have lost its slot to another message.
      const key = this.#keys.read(row.slot, row.id);
      if (typeof key !== "string") key.fill(0);
      void this.#finisher.finish(row, key !== "missing");
    }
    return { changed, unchanged: [] };
  }
}

function doneOf(page: readonly MessageRow[], changed: Done["changed"]): Done {
  const isChanged = new Set(changed.map(({ row }) => row));
  return { changed, unchanged: page.filter((row) => !isChanged.has(row)) };
}

function miss(answer: OrderAnswer, id: string): void {
  answer.missingCount++;
  if (answer.missing.length < MAX_NAMED) answer.missing.push(id);
}
