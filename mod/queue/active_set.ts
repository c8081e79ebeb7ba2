/**
 * The messages in memory: never more than the settings say, whatever waits in
 * the database. Knows what was looked through there, the fresh and the due.
 */
import type { GroupCommit } from "./group_commit.ts";
import { DUE_AT_ONCE } from "./judge.ts";
import type { Message, Recipient } from "./message.ts";
import type { MessageRow, Place, Store } from "./store_io.ts";
import type { Surroundings } from "./surroundings.ts";

/** Messages loaded in one go, so that no load delays an accept for long. */
const LOAD = 200;
/** Recipients loaded in one go, and those of the message beyond it. */
const RECIPIENTS_PER_LOAD = 2_000;
/** Recipients in memory, for each message that there may be. */
const RECIPIENTS_PER_MESSAGE = 10;

/** The active messages. */
export class ActiveSet {
  readonly #store: Pick<Store, "fresh" | "due" | "load" | "reading">;
  readonly #commit: Pick<GroupCommit, "failing">;
  readonly #around: Surroundings;
  readonly #onLoaded: (message: Message, round: readonly Recipient[]) => void;
  readonly #onRefilled: () => void;
  readonly #active = new Map<number, Message>();
  /** Rows that an order is about. */
  readonly #barred = new Set<number>();
  #recipients = 0;
  /** Where fresh messages that are not in memory begin; undefined: none. */
  #freshFrom: number | undefined = 0;
  #dueAfter = { dueMs: 0, n: 0 };
  #isLoading = false;

  constructor(options: {
    store: Pick<Store, "fresh" | "due" | "load" | "reading">;
    commit: Pick<GroupCommit, "failing">;
    around: Surroundings;
    /** A message came into memory; these of its recipients are to be tried. */
    onLoaded: (message: Message, round: readonly Recipient[]) => void;
    /** Some were loaded. */
    onRefilled: () => void;
  }) {
    this.#store = options.store;
    this.#commit = options.commit;
    this.#around = options.around;
    this.#onLoaded = options.onLoaded;
    this.#onRefilled = options.onRefilled;
  }

  /** True if a message is in memory. */
  has(n: number): boolean {
    return this.#active.has(n);
  }

  /** Recipients that are being delivered, by their stored state. */
  counts(): { incoming: number; deferred: number } {
    const counts = { incoming: 0, deferred: 0 };
    for (const { recipients } of this.#active.values()) {
      for (const { state, last } of recipients) {
        if (state !== "active") continue;
        counts[last === undefined ? "incoming" : "deferred"]++;
      }
    }
    return counts;
  }

  /** Messages of which some recipient is being delivered. */
  rows(): number[] {
    return [...this.#active.values()]
      .filter(({ recipients }) =>
        recipients.some(({ state }) => state === "active")
      )
      .map(({ n }) => n);
  }

  /**
   * Takes a message that is ready; false if there is no room or others wait in
   * the database before it. Then {@link overflowed} must be called when its
   * mark is committed.
   */
  offer(message: Message): boolean {
    if (this.#freshFrom !== undefined || this.#room() <= 0) return false;
    this.#admit(message);
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
    this.#onRefilled();
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
      const message = this.#active.get(n);
      const recipient = message?.recipients
        .find((one) => one.ordinal === ordinal);
      if (message !== undefined && recipient === undefined) {
        message.elsewhereMs = DUE_AT_ONCE;
      }
      if (recipient?.state !== "deferred") continue;
      recipient.nextMs = Math.min(recipient.nextMs, nowMs);
    }
    this.lookAgainFrom(nowMs);
  }

  /**
   * Keeps a message out of memory until {@link unbar}; returns it if it is in.
   */
  bar(n: number): Message | undefined {
    this.#barred.add(n);
    return this.#active.get(n);
  }

  /** The message may come into memory again. */
  unbar(n: number): void {
    // The search for fresh ones may have gone past it.
    if (this.#barred.delete(n)) this.overflowed(n);
  }

  /** Takes a message that waits for the outcomes of a round. */
  adopt(message: Message, round: readonly Recipient[]): void {
    this.#active.set(message.n, message);
    this.#recipients += message.recipients.length;
    for (const recipient of round) recipient.state = "active";
    message.open = round.length;
  }

  /** A message in memory has so many recipients more. */
  grown(by: number): void {
    this.#recipients += by;
  }

  /** A message's round is over. */
  forget(message: Message): void {
    this.#active.delete(message.n);
    this.#recipients -= message.recipients.length;
    // Not for every single message: each load is a search.
    if (this.#freshFrom === undefined) return;
    if (this.#room() >= this.#around.part().maxActive / 4) this.refill();
  }

  /**
   * Messages may be due from this time on that was looked through already: a
   * commit that was late parks them there.
   */
  lookAgainFrom(dueMs: number): void {
    if (dueMs < 0 || dueMs > this.#dueAfter.dueMs) return;
    this.#dueAfter = { dueMs: dueMs - 1, n: 0 };
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
    const taken = this.#loadSome(rows);
    const next = rows[taken];
    if (next !== undefined) {
      this.#freshFrom = next.n;
      return limit;
    }
    this.#freshFrom = rows.length < limit ? undefined : rows.at(-1)!.n + 1;
    return rows.length;
  }

  #loadDue(limit: number): number {
    const rows = this.#store.due(this.#around.nowMs(), this.#dueAfter, limit);
    const taken = this.#loadSome(rows);
    const last = rows[taken - 1];
    if (last !== undefined) this.#dueAfter = { dueMs: last.dueMs, n: last.n };
    return taken < rows.length ? limit : taken;
  }

  /** Loads as many as there is room for, and as one turn may take. */
  #loadSome(rows: readonly MessageRow[]): number {
    const messages: Message[] = [];
    let recipients = 0;
    let taken = 0;
    const { maxActive } = this.#around.part();
    const most = maxActive * RECIPIENTS_PER_MESSAGE - this.#recipients;
    // Admitting one may write, so all are read first.
    this.#store.reading(() => {
      for (const row of rows) {
        if (recipients > RECIPIENTS_PER_LOAD || recipients >= most) break;
        if (messages.length >= maxActive - this.#active.size) break;
        taken++;
        if (!this.#isWanted(row)) continue;
        const message = this.#store.load(row, this.#around.nowMs());
        recipients += message.recipients.length;
        messages.push(message);
      }
    });
    for (const message of messages) this.#admit(message);
    return taken;
  }

  #isWanted({ n, state }: MessageRow): boolean {
    return state === "queued" && !this.#active.has(n) && !this.#barred.has(n);
  }

  #admit(message: Message): void {
    const nowMs = this.#around.nowMs();
    const round = message.recipients.filter((recipient) =>
      recipient.state === "incoming" ||
      (recipient.state === "deferred" && recipient.nextMs <= nowMs)
    );
    this.adopt(message, round);
    this.#onLoaded(message, round);
  }
}
