/**
 * Every statement on the database: constant texts, prepared once, bound
 * parameters. All of it is synchronous and throws what SQLite throws; who
 * calls it inside which transaction is `group_commit.ts`.
 */
import type { DatabaseSync, StatementSync } from "node:sqlite";
import type { Outcome } from "../core/outcome.ts";
import { type ContentRef, NO_WISHES } from "../core/shapes.ts";
import type { Event } from "./event.ts";
import type { EventLog } from "./event_log.ts";
import {
  ACTIONS,
  BODY_TYPES,
  type Message,
  MESSAGE_STATES,
  type MessageState,
  messageStateNumber,
  newMessage,
  NOTICE,
  type Recipient,
  type State,
  stateNumber,
  TLS_REPORT,
} from "./message.ts";
import { readHop } from "./order_ipc.ts";
import { STATES } from "./queue_ipc.ts";
import {
  messageWishes,
  messageWishNumber,
  NOTHING_ASKED,
  notifyNumber,
  recipientWishes,
} from "./wishes.ts";

/** A row of `messages`, as far as delivery needs it. */
export type MessageRow = Omit<Message, "recipients"> & {
  readonly state: MessageState;
  readonly dueMs: number;
};

/** A message and its key's place. */
export interface SlotRow {
  readonly id: string;
  readonly slot: number;
  readonly state: MessageState;
}

/** Who handed a message in. */
export interface Client {
  readonly address: string;
  readonly helo: string;
  readonly protocol: string;
  /** The mailbox that logged in, empty if none did. */
  readonly login: string;
}

/** One recipient, as the search for deferred ones meets it. */
export interface Place {
  readonly n: number;
  readonly ordinal: number;
}

type Row = Record<string, string | number | bigint | null | Uint8Array>;

const PLAIN = "n, id, slot, state, due_ms, arrived_ms, segment, offset, " +
  "length, size, sender, body";

const MESSAGE = `${PLAIN}, envid, wishes, verp, warned, next_hop,
  client_login <> '' OR client_protocol IN ('${NOTICE}', '${TLS_REPORT}')
    AS may_relay,
  client_protocol = '${TLS_REPORT}' AS is_tls_report`;

const RECIPIENT = "ordinal, address, original, depth, state, attempts, " +
  "next_ms, code, enhanced, text, host, notify, orcpt, action, said, " +
  "account, last_ms";

/** Recipients of one message loaded at once; more come slice by slice. */
export const SLICE = 2_000;

const TEXTS = {
  begin: "BEGIN IMMEDIATE",
  beginReading: "BEGIN",
  commit: "COMMIT",
  rollback: "ROLLBACK",
  insertMessage: `INSERT INTO messages (${PLAIN}, client_address, client_helo,
    client_protocol, envid, wishes, verp, client_login)
    VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?) ON CONFLICT (id) DO NOTHING`,
  insertPlainMessage: `INSERT INTO messages (${PLAIN}, client_address,
    client_helo, client_protocol) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)
    ON CONFLICT (id) DO NOTHING`,
  insertRecipient: `INSERT INTO recipients
    (message, ordinal, address, original, depth, notify, orcpt, state,
    attempts, next_ms, code, enhanced, text, host)
    VALUES (?,?,?,?,?,?,?,?,0,0,0,'','','')`,
  insertPlainRecipient: `INSERT INTO recipients
    (message, ordinal, address, original, depth, state, attempts, next_ms,
    code, enhanced, text, host) VALUES (?,?,?,'',0,0,0,0,0,'','','')`,
  byId: `SELECT ${MESSAGE} FROM messages WHERE id = ?`,
  mark: "UPDATE messages SET state = 1 WHERE n = ? AND state = 0",
  park: "UPDATE messages SET state = 1, due_ms = ? WHERE n = ?",
  wake: "UPDATE messages SET due_ms = 1 WHERE n = ? AND due_ms <> 0",
  corruptMessage: "UPDATE messages SET state = 2, due_ms = -1 WHERE n = ?",
  updateRecipient: `UPDATE recipients SET address = ?, original = ?,
    state = ?, attempts = ?, next_ms = ?, code = ?, enhanced = ?, text = ?,
    host = ?, action = ?, said = ?, account = ?, last_ms = ?
    WHERE message = ? AND ordinal = ?`,
  warn: "UPDATE messages SET warned = 1 WHERE n = ?",
  byNumber: `SELECT ${MESSAGE} FROM messages WHERE n = ?`,
  page: `SELECT ${MESSAGE} FROM messages WHERE n > ? ORDER BY n LIMIT ?`,
  hold: `UPDATE recipients SET state = 3
    WHERE message = ? AND state IN (0, 2)`,
  release: `UPDATE recipients SET state = 0, attempts = 0
    WHERE message = ? AND state = 3`,
  reroute: "UPDATE messages SET next_hop = ? WHERE n = ?",
  hastenAll: `UPDATE recipients SET next_ms = ?1
    WHERE message = ?2 AND state = 2 AND next_ms > ?1`,
  waiting: `SELECT count(*) AS n FROM recipients
    WHERE message = ? AND state IN (0, 2, 3)`,
  repark: `UPDATE messages SET state = 1, due_ms = coalesce((SELECT
    min(CASE state WHEN 0 THEN 1 WHEN 2 THEN max(next_ms, 1) WHEN 4 THEN 1 END)
    FROM recipients WHERE message = ?1), -1) WHERE n = ?1`,
  pageEnd: `SELECT message, ordinal FROM recipients
    WHERE (message, ordinal) > (?, ?) ORDER BY message, ordinal
    LIMIT 1 OFFSET ?`,
  deferredFor: `SELECT message, ordinal, address FROM recipients
    WHERE (message, ordinal) > (?, ?) AND (message, ordinal) <= (?, ?)
    AND state = 2
    AND (?5 = '' OR substr(address, -length(?5)) = ?5
      OR substr(address, -length(?6)) = ?6)
    ORDER BY message, ordinal`,
  hastenRecipient: `UPDATE recipients SET next_ms = ?1
    WHERE message = ?2 AND ordinal = ?3 AND state = 2 AND next_ms > ?1`,
  hastenMessage: `UPDATE messages SET due_ms = ?1
    WHERE n = ?2 AND state = 1 AND due_ms > ?1`,
  moveContent: `UPDATE messages SET segment = ?, offset = ?, length = ?
    WHERE n = ? AND segment = ? AND offset = ? AND state = 1 AND due_ms > 0`,
  corruptRecipients: "UPDATE recipients SET state = 5 WHERE message = ?",
  deleteRecipient: "DELETE FROM recipients WHERE message = ? AND ordinal = ?",
  deleteRecipients: "DELETE FROM recipients WHERE message = ?",
  deleteMessage: "DELETE FROM messages WHERE n = ?",
  fresh: `SELECT ${MESSAGE} FROM messages
    WHERE n >= ? AND due_ms = 0 AND state = 1 ORDER BY n LIMIT ?`,
  due: `SELECT ${MESSAGE} FROM messages WHERE due_ms > 0 AND due_ms <= ?
    AND (due_ms, n) > (?, ?) ORDER BY due_ms, n LIMIT ?`,
  slots: "SELECT id, slot, state FROM messages ORDER BY n",
  refs: `SELECT n, segment, offset, length, size,
    state = 1 AND due_ms > 0 AS is_deferred FROM messages WHERE n > ?
    ORDER BY n LIMIT ?`,
  childless: `SELECT n FROM messages WHERE state IN (0, 1) AND NOT EXISTS
    (SELECT 1 FROM recipients WHERE message = messages.n)`,
  recipientsOf: `SELECT ${RECIPIENT} FROM recipients WHERE message = ?
    ORDER BY ordinal LIMIT ?`,
  slice: `SELECT ${RECIPIENT} FROM recipients WHERE message = ?1
    AND (state IN (0, 4) OR state = 2 AND next_ms <= ?2)
    ORDER BY ordinal LIMIT ?3`,
  beside: `SELECT count(*) AS n, max(ordinal) AS last,
    min(CASE WHEN ordinal <= ?3 AND (state IN (0, 4)
        OR state = 2 AND next_ms <= ?2) THEN NULL
      WHEN state IN (0, 4) THEN 1
      WHEN state = 2 THEN max(next_ms, 1) END) AS due
    FROM recipients WHERE message = ?1`,
  lastNumber: "SELECT coalesce(max(n), 0) AS n FROM messages",
  counts: "SELECT state, count(*) AS n FROM recipients GROUP BY state",
  countsBetween: `SELECT state, count(*) AS n FROM recipients
    WHERE message >= ? AND message < ? GROUP BY state`,
  before: `SELECT ${MESSAGE} FROM messages WHERE n < ? ORDER BY n DESC LIMIT ?`,
  lowerEnd: `SELECT message FROM recipients WHERE message < ?
    ORDER BY message DESC LIMIT 1 OFFSET ?`,
  matching: `SELECT DISTINCT message FROM recipients
    WHERE message < ?1 AND message >= ?2 AND (?3 < 0 OR state = ?3)
    AND (?4 = '' OR substr(address, -length(?4)) = ?4)
    ORDER BY message DESC LIMIT ?5`,
  countRecipients: `SELECT count(*) AS n FROM
    (SELECT 1 FROM recipients WHERE message = ? LIMIT 10000)`,
  someRecipients: `SELECT message, ordinal, address FROM recipients
    WHERE (message, ordinal) > (?, ?) ORDER BY message, ordinal LIMIT ?`,
  lastSeen: "SELECT last_ms FROM clock WHERE one = 1",
  setLastSeen: "UPDATE clock SET last_ms = ? WHERE one = 1",
  pullDue: `UPDATE messages SET due_ms = CASE
    WHEN due_ms - ?3 BETWEEN ?1 AND ?2 THEN due_ms - ?3 ELSE ?1 END
    WHERE due_ms > ?1`,
  pullNext: `UPDATE recipients SET next_ms = CASE
    WHEN next_ms - ?3 BETWEEN ?1 AND ?2 THEN next_ms - ?3 ELSE ?1 END
    WHERE next_ms > ?1`,
  pullArrived: "UPDATE messages SET arrived_ms = ?1 WHERE arrived_ms > ?1",
} as const;

type Statements = { readonly [K in keyof typeof TEXTS]: StatementSync };

/** The history, as far as it is needed here. */
type History = Pick<EventLog, "add"> & Partial<Pick<EventLog, "wasWorkedOn">>;

/** The queue's tables. */
export class Store {
  readonly #db: DatabaseSync;
  readonly #run: Statements;
  readonly #history: History;
  #events: Event[] = [];

  /** @param history Is told what happened in each committed transaction */
  constructor(db: DatabaseSync, history: History) {
    this.#db = db;
    this.#history = history;
    this.#run = Object.fromEntries(
      Object.entries(TEXTS).map(([name, text]) => [name, db.prepare(text)]),
    ) as Statements;
  }

  /** True if the history says that a message of that id was once ours. */
  wasWorkedOn(id: string): boolean {
    return this.#history.wasWorkedOn?.(id) ?? false;
  }

  /** Does `work` in one transaction; `log_sync_io.ts` makes it durable. */
  transaction(work: () => void): void {
    this.#events = [];
    this.#run.begin.run();
    try {
      work();
      this.#run.commit.run();
      this.#history.add(this.#events);
    } catch (error) {
      // SQLite has rolled back by itself after some failures.
      if (this.#db.isTransaction) this.#run.rollback.run();
      throw error;
    }
  }

  /** Adds a message with its recipients; false if the id is already there. */
  insert(message: Message, state: MessageState, client: Client): boolean {
    const { n, ref, wishes } = message;
    const plain = [
      n,
      message.id,
      message.slot,
      messageStateNumber(state),
      0,
      message.arrivedMs,
      ref.segment,
      ref.offset,
      ref.length,
      ref.sizeBytes,
      message.reversePath,
      BODY_TYPES.indexOf(message.bodyType),
      client.address,
      client.helo,
      client.protocol,
    ];
    // What is not bound costs nothing, and most ask for nothing.
    const { changes } = wishes === NO_WISHES && client.login === ""
      ? this.#run.insertPlainMessage.run(...plain)
      : this.#run.insertMessage.run(
        ...plain,
        wishes.envid,
        messageWishNumber(wishes),
        wishes.verp,
        client.login,
      );
    if (changes === 0) return false;
    for (const recipient of message.recipients) {
      this.insertRecipient(n, recipient);
    }
    return true;
  }

  /** Adds one recipient that nothing was tried for. */
  insertRecipient(n: number, recipient: Recipient): void {
    const { ordinal, address, original, depth, wishes, state } = recipient;
    if (
      original === "" && depth === 0 && wishes === NOTHING_ASKED &&
      state === "incoming"
    ) {
      this.#run.insertPlainRecipient.run(n, ordinal, address);
    } else {
      this.#run.insertRecipient.run(
        n,
        ordinal,
        address,
        original,
        depth,
        notifyNumber(wishes.notify),
        wishes.orcpt,
        stateNumber(state === "hold" ? "hold" : "incoming"),
      );
    }
  }

  /** The message with this id. */
  byId(id: string): MessageRow | undefined {
    const row = this.#run.byId.get(id);
    return row === undefined ? undefined : messageRow(row as Row);
  }

  /** The message in this row. */
  byNumber(n: number): MessageRow | undefined {
    const row = this.#run.byNumber.get(n);
    return row === undefined ? undefined : messageRow(row as Row);
  }

  /** Messages after row `n`, in order of arrival. */
  page(n: number, limit: number): MessageRow[] {
    return this.#rows(this.#run.page, n, limit);
  }

  /** Marks a message as queued; nothing if it is no longer incoming. */
  mark(n: number): void {
    this.#run.mark.run(n);
  }

  /**
   * Sets the time of the next attempt; -1 for none. What is parked was tried,
   * so it is queued, whether it was marked or not.
   */
  park(n: number, dueMs: number): void {
    this.#run.park.run(dueMs, n);
  }

  /** What was parked, or is on hold, is due at once. */
  wake(n: number): void {
    this.#run.wake.run(n);
  }

  /**
   * Writes what came of an attempt. The address may be another than the row
   * had, if the recipient failed under the name an alias gave it.
   */
  updateRecipient(
    n: number,
    recipient: Recipient & { readonly state: State },
  ): void {
    const last = recipient.last;
    this.#run.updateRecipient.run(
      recipient.address,
      recipient.original,
      stateNumber(recipient.state),
      recipient.attempts,
      recipient.nextMs,
      last?.code ?? 0,
      last?.enhanced ?? "",
      last?.text ?? "",
      last?.host ?? "",
      ACTIONS.indexOf(recipient.action),
      last?.said ?? null,
      recipient.account,
      recipient.lastMs,
      n,
      recipient.ordinal,
    );
  }

  /** Writes what became of a recipient in a round. */
  writeRecipient(n: number, recipient: Recipient): void {
    const { state } = recipient;
    if (state === "gone") this.deleteRecipient(n, recipient.ordinal);
    else if (state === "deferred" || state === "bounce") {
      this.updateRecipient(n, recipient as Recipient & { state: State });
    }
  }

  /** Its sender is told that it is late. */
  warn(n: number): void {
    this.#run.warn.run(n);
  }

  /** Recipients on hold become ones that nothing was tried for; how many. */
  release(n: number): number {
    return Number(this.#run.release.run(n).changes);
  }

  /** What waits for an attempt waits for an administrator; how many. */
  hold(n: number): number {
    return Number(this.#run.hold.run(n).changes);
  }

  /** All deferred recipients of a message are due; how many were not. */
  hastenAll(n: number, nowMs: number): number {
    return Number(this.#run.hastenAll.run(nowMs, n).changes);
  }

  /** Sends what waits another way, see `order_ipc.ts`; how many recipients. */
  reroute(n: number, hop: string, nowMs: number): number {
    this.#run.reroute.run(hop, n);
    this.hastenAll(n, nowMs);
    return this.waitingOf(n);
  }

  /** Sets the time of the next attempt by what its recipients wait for. */
  repark(n: number): void {
    this.#run.repark.run(n);
  }

  /**
   * The deferred recipients whose address ends in one of two `endings`, or
   * all if the first is empty, among the next `rows` after a place; and where
   * those end, or undefined.
   */
  deferredFor(
    endings: readonly [string, string],
    after: Place,
    rows: number,
  ): { found: (Place & { address: string })[]; end: Place | undefined } {
    const end = this.#run.pageEnd.get(after.n, after.ordinal, rows - 1);
    const last = end === undefined ? LAST_PLACE : place(end as Row);
    const found = this.#run.deferredFor.all(
      after.n,
      after.ordinal,
      last.n,
      last.ordinal,
      ...endings,
    ).map((row) => ({
      ...place(row as Row),
      address: String(row["address"]),
    }));
    return { found, end: end === undefined ? undefined : last };
  }

  /** A deferred recipient is due at `nowMs`, if it was not before. */
  hasten({ n, ordinal }: Place, nowMs: number): void {
    this.#run.hastenRecipient.run(nowMs, n, ordinal);
    this.#run.hastenMessage.run(nowMs, n);
  }

  /** Removes a recipient that is done. */
  deleteRecipient(n: number, ordinal: number): void {
    this.#run.deleteRecipient.run(n, ordinal);
  }

  /** Marks a damaged message, and keeps all of it. */
  corrupt(n: number): void {
    this.#run.corruptMessage.run(n);
    this.#run.corruptRecipients.run(n);
  }

  /** Removes a message, recipients and all; how many those were. */
  remove(n: number): number {
    const { changes } = this.#run.deleteRecipients.run(n);
    this.#run.deleteMessage.run(n);
    return Number(changes);
  }

  /** Removes a message whose recipients are gone. */
  deleteMessage(n: number): void {
    this.#run.deleteMessage.run(n);
  }

  /** Adds to the history, once the transaction is committed. */
  addEvent(event: Event): void {
    this.#events.push(event);
  }

  /** Never tried messages from row `n` on, in order of arrival. */
  fresh(n: number, limit: number): MessageRow[] {
    return this.#rows(this.#run.fresh, n, limit);
  }

  /** Deferred messages due now, after the given place in that order. */
  due(
    nowMs: number,
    after: { dueMs: number; n: number },
    limit: number,
  ): MessageRow[] {
    return this.#rows(this.#run.due, nowMs, after.dueMs, after.n, limit);
  }

  /**
   * Reads several things at the price of one lock; `read` writes nothing, and
   * is no part of another transaction.
   */
  reading<T>(read: () => T): T {
    this.#run.beginReading.run();
    try {
      return read();
    } finally {
      this.#run.commit.run();
    }
  }

  /**
   * A message with its recipients; if those are more than {@link SLICE}, with
   * the first that are to be dealt with at `nowMs`.
   */
  load(row: MessageRow, nowMs: number): Message {
    const all = this.recipientsOf(row.n, SLICE + 1);
    if (all.length <= SLICE) return newMessage(row, all);
    const some = this.#run.slice.all(row.n, nowMs, SLICE)
      .map((one) => recipient(one as Row));
    const last = some.at(-1)?.ordinal ?? -1;
    const beside = this.#run.beside.get(row.n, nowMs, last);
    return Object.assign(newMessage(row, some), {
      nextOrdinal: Number(beside?.["last"]) + 1,
      rows: Number(beside?.["n"]),
      elsewhereMs: Number(beside?.["due"] ?? -1),
    });
  }

  /** The recipients of a message, at most so many. */
  recipientsOf(n: number, limit: number): Recipient[] {
    return this.#run.recipientsOf.all(n, limit)
      .map((row) => recipient(row as Row));
  }

  /** Recipients of a message that wait, on hold or not. */
  waitingOf(n: number): number {
    return Number(this.#run.waiting.get(n)?.["n"]);
  }

  /** Every message, as far as the start-up sweep needs it. */
  *slots(): Generator<SlotRow> {
    for (const row of this.#run.slots.iterate()) {
      yield {
        id: String(row["id"]),
        slot: Number(row["slot"]),
        state: MESSAGE_STATES[Number(row["state"])]!,
      };
    }
  }

  /** Messages without recipients: no transaction leaves such a one. */
  childless(): number[] {
    return this.#run.childless.all().map((row) => Number(row["n"]));
  }

  /** Records in use after row `n` with their rows, and the last row's number. */
  refsAfter(n: number, limit: number): {
    rows: { n: number; ref: ContentRef; isDeferred: boolean }[];
    lastN: number;
  } {
    const rows = (this.#run.refs.all(n, limit) as Row[]).map((row) => ({
      n: Number(row["n"]),
      ref: contentRefIn(row),
      isDeferred: row["is_deferred"] === 1,
    }));
    return { rows, lastN: rows.at(-1)?.n ?? n };
  }

  /**
   * Gives a deferred message another record; false if it has none like `old`
   * any more, or is not deferred.
   */
  moveContent(n: number, old: ContentRef, copy: ContentRef): boolean {
    const { changes } = this.#run.moveContent.run(
      copy.segment,
      copy.offset,
      copy.length,
      n,
      old.segment,
      old.offset,
    );
    return changes === 1;
  }

  /** The highest row number, 0 if empty. */
  lastNumber(): number {
    return Number(this.#run.lastNumber.get()?.["n"]);
  }

  /** Recipients by stored state: `active` is known to the memory only. */
  counts(): Map<State, number> {
    return countsIn(this.#run.counts.all() as Row[]);
  }

  /** The same of the messages from one row to before another. */
  countsBetween(low: number, high: number): Map<State, number> {
    return countsIn(this.#run.countsBetween.all(low, high) as Row[]);
  }

  /** Messages before row `n`, newest first. */
  before(n: number, limit: number): MessageRow[] {
    return this.#rows(this.#run.before, n, limit);
  }

  /** The message that is so many recipients before message `n`; 0: none. */
  lowerEnd(n: number, recipients: number): number {
    return Number(this.#run.lowerEnd.get(n, recipients)?.["message"] ?? 0);
  }

  /**
   * Rows of messages from `low` to before `high`, newest first, that have a
   * recipient in a state (-1: any) whose address ends so.
   */
  matching(
    where: { high: number; low: number; state: number; ending: string },
    limit: number,
  ): number[] {
    const { high, low, state, ending } = where;
    return this.#run.matching.all(high, low, state, ending, limit)
      .map((row) => Number(row["message"]));
  }

  /** Recipients of a message; at most 10,000 are counted. */
  countRecipients(n: number): number {
    return Number(this.#run.countRecipients.get(n)?.["n"]);
  }

  /** The next recipients after a place. */
  someRecipients(
    after: Place,
    limit: number,
  ): (Place & { address: string })[] {
    return this.#run.someRecipients.all(after.n, after.ordinal, limit)
      .map((row) => ({
        ...place(row as Row),
        address: String(row["address"]),
      }));
  }

  /** When the queue was last known to run, 0 if never. */
  lastSeenMs(): number {
    return Number(this.#run.lastSeen.get()?.["last_ms"]);
  }

  /** Notes that the queue runs. */
  setLastSeen(nowMs: number): void {
    this.#run.setLastSeen.run(nowMs);
  }

  /**
   * After the clock was set back by `byMs` or more: times to come go with it,
   * and those further ahead than we ever schedule become `nowMs`, so that
   * nothing is stuck.
   */
  pullTimes(
    nowMs: number,
    { byMs, furthestMs }: { byMs: number; furthestMs: number },
  ): void {
    this.#run.pullDue.run(nowMs, furthestMs, byMs);
    this.#run.pullNext.run(nowMs, furthestMs, byMs);
    this.#run.pullArrived.run(nowMs);
  }

  /** Closes the database. */
  close(): void {
    this.#db.close();
  }

  #rows(statement: StatementSync, ...bound: number[]): MessageRow[] {
    return statement.all(...bound).map((row) => messageRow(row as Row));
  }
}

const LAST_PLACE: Place = {
  n: Number.MAX_SAFE_INTEGER,
  ordinal: Number.MAX_SAFE_INTEGER,
};

function countsIn(rows: readonly Row[]): Map<State, number> {
  return new Map(
    rows.map((row) => [STATES[Number(row["state"])]!, Number(row["n"])]),
  );
}

function place(row: Row): Place {
  return { n: Number(row["message"]), ordinal: Number(row["ordinal"]) };
}

/** Reads a row of the columns {@link MESSAGE}. */
function messageRow(row: Row): MessageRow {
  return {
    ...newMessage({
      n: Number(row["n"]),
      id: String(row["id"]),
      slot: Number(row["slot"]),
      ref: contentRefIn(row),
      reversePath: String(row["sender"]),
      bodyType: BODY_TYPES[Number(row["body"])] ?? "8bitmime",
      wishes: messageWishes(Number(row["wishes"]), {
        envid: String(row["envid"]),
        verp: String(row["verp"]),
      }),
      mayRelay: Number(row["may_relay"]) === 1,
      isTlsReport: Number(row["is_tls_report"]) === 1,
      arrivedMs: Number(row["arrived_ms"]),
      isWarned: Number(row["warned"]) === 1,
      nextHop: readHop(String(row["next_hop"])) ?? "",
    }, []),
    state: MESSAGE_STATES[Number(row["state"])]!,
    dueMs: Number(row["due_ms"]),
  };
}

/** Where the content of a row of `messages` lies. */
export function contentRefIn(row: Row): ContentRef {
  return {
    segment: String(row["segment"]),
    offset: Number(row["offset"]),
    length: Number(row["length"]),
    sizeBytes: Number(row["size"]),
  };
}

function recipient(row: Row): Recipient {
  const code = Number(row["code"]);
  const state = STATES[Number(row["state"])]!;
  const last: Outcome | undefined = code === 0 ? undefined : {
    kind: state !== "bounce"
      ? "temporary"
      : code < 300
      ? "delivered"
      : "permanent",
    code,
    enhanced: String(row["enhanced"]),
    text: String(row["text"]),
    host: String(row["host"]),
    ...(row["said"] === null ? {} : { said: String(row["said"]) }),
  };
  return {
    ordinal: Number(row["ordinal"]),
    address: String(row["address"]),
    original: String(row["original"]),
    depth: Number(row["depth"]),
    state,
    attempts: Number(row["attempts"]),
    nextMs: Number(row["next_ms"]),
    wishes: recipientWishes(Number(row["notify"]), String(row["orcpt"])),
    last,
    lastMs: Number(row["last_ms"]),
    account: String(row["account"]),
    action: ACTIONS[Number(row["action"])] ?? "failed",
  };
}
