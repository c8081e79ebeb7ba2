/**
 * What `bulkhead queue` and `bulkhead check` read: the databases,
 * opened read-only, by a one-shot process in the queue role's jail. Returns
 * plain data; printing is the command line's.
 */
import type { EventFacts } from "../journey/facts.ts";
import type { DatabaseSync } from "node:sqlite";
import {
  askReadOnly,
  checkThoroughly,
  databasePath,
  SCHEMA_VERSION,
} from "./database_io.ts";
import { EVENTS_VERSION, eventsPath } from "./event_store_io.ts";
import { isLetThrough, type ListFilter } from "./list_filter.ts";
import fs from "node:fs";
import { asStored } from "../core/sought_word.ts";
import { eventsOf, findIds, foundOf } from "./finding.ts";
import type { Found, Taken } from "./story_ipc.ts";
import { readTermKey, Terms } from "./terms_io.ts";
import type { AttemptedHost } from "../smtpc/smtpc_ipc.ts";
import { MESSAGE_STATES, type MessageState, type State } from "./message.ts";
import { STATES } from "./queue_ipc.ts";

/** One recipient of a listed message. */
export interface ListedRecipient {
  readonly address: string;
  /** What the sender wrote, if an alias changed it; else empty. */
  readonly original: string;
  /** As stored: what is being delivered right now is `incoming` or `deferred`. */
  readonly state: State;
  readonly attempts: number;
  /** Not before this, milliseconds since the epoch; 0 if never tried. */
  readonly nextAttemptMs: number;
  /** What came of the last attempt; empty if there was none. */
  readonly lastOutcome: string;
  readonly lastHost: string;
}

/** One message of the list. */
export interface ListedMessage {
  readonly id: string;
  readonly state: MessageState;
  readonly arrivedMs: number;
  readonly sizeBytes: number;
  /** Empty for `<>`. */
  readonly sender: string;
  /** Where an administrator sends it; empty: where its routes lead. */
  readonly nextHop: string;
  readonly recipients: readonly ListedRecipient[];
}

/** One entry of the attempt log, as a journey is told from it. */
export interface ShownEvent extends EventFacts {
  readonly hosts: readonly AttemptedHost[];
  readonly taken: Taken | null;
}

/** One message with its story. */
export interface ShownMessage {
  /** Undefined if it left the queue; its events stay for a while. */
  readonly message:
    | ListedMessage & {
      readonly client: {
        readonly address: string;
        readonly helo: string;
        readonly protocol: string;
      };
    }
    | undefined;
  readonly events: readonly ShownEvent[];
}

type Row = Record<string, unknown>;

// All columns: an older program's database has not all that are named below.
const TEXTS = {
  list: `SELECT * FROM messages WHERE state <> 3 AND n > ?
    ORDER BY n LIMIT ?`,
  one: `SELECT * FROM messages WHERE id = ? AND state <> 3`,
  recipients: `SELECT address, original, state, attempts, next_ms, code,
    enhanced, text, host FROM recipients WHERE message = ? ORDER BY ordinal
    LIMIT ?`,
  queuedFor: `SELECT * FROM messages WHERE state <> 3 AND n IN (
    SELECT n FROM messages WHERE lower(sender) = ?1
    UNION SELECT message FROM recipients
      WHERE lower(address) = ?1 OR lower(original) = ?1)
    ORDER BY n DESC LIMIT ?2`,
} as const;

/** Most recipients or events given of one message. */
export const MAX_SHOWN = 10_000;

/**
 * The queue's messages, oldest first.
 *
 * @param dir Directory of the database
 * @param limit Most messages to return
 * @throws {QueueUnusable} If the database cannot be read
 */
export function listQueue(
  dir: string,
  limit = 1_000,
): readonly ListedMessage[] {
  return askReadOnly(databasePath(dir), SCHEMA_VERSION, (db) => {
    const recipients = db.prepare(TEXTS.recipients);
    return db.prepare(TEXTS.list).all(0, limit).map((row) =>
      listed(row, recipients.all(Number(row["n"]), MAX_SHOWN))
    );
  });
}

/**
 * The queue's messages that a filter lets through, oldest first.
 *
 * @returns At most `limit`, and how many there are
 * @throws {QueueUnusable} If the database cannot be read
 */
export function listMatching(
  dir: string,
  filter: ListFilter,
  limit: number,
): { readonly messages: readonly ListedMessage[]; readonly total: number } {
  return askReadOnly(databasePath(dir), SCHEMA_VERSION, (db) => {
    const recipients = db.prepare(TEXTS.recipients);
    const messages: ListedMessage[] = [];
    let total = 0;
    for (const row of db.prepare(TEXTS.list).iterate(0, -1)) {
      const message = listed(row, recipients.all(Number(row["n"]), MAX_SHOWN));
      if (!isLetThrough(message, filter)) continue;
      total++;
      if (messages.length < limit) messages.push(message);
    }
    return { messages, total };
  });
}

/**
 * One message with all recipients and events.
 *
 * @returns Undefined if neither a message nor an event has this id
 * @throws {QueueUnusable} If the database cannot be read
 */
export function showMessage(
  dirs: { readonly queue: string; readonly events: string },
  queueId: string,
): ShownMessage | undefined {
  const message = shownMessage(dirs.queue, queueId);
  const events = storyIn(dirs.events, queueId);
  return message === undefined && events.length === 0
    ? undefined
    : { message, events };
}

/**
 * One message that is in the queue, with its recipients.
 *
 * @throws {QueueUnusable} If the database cannot be read
 */
export function shownMessage(
  dir: string,
  queueId: string,
): ShownMessage["message"] {
  return askReadOnly(databasePath(dir), SCHEMA_VERSION, (db) => {
    const row = db.prepare(TEXTS.one).get(queueId);
    return row === undefined ? undefined : shown(db, row);
  });
}

function storyIn(dir: string, queueId: string): readonly ShownEvent[] {
  const path = eventsPath(dir);
  if (!fs.existsSync(path)) return [];
  return askReadOnly(
    path,
    EVENTS_VERSION,
    (db) => eventsOf(db, queueId).slice(0, MAX_SHOWN),
  );
}

/**
 * Messages that all of `words` are true of, newest first; see `finding.ts`.
 *
 * @throws {QueueUnusable} If a database cannot be read
 */
export function findMessages(
  dirs: { readonly queue: string; readonly events: string },
  asked: { readonly words: readonly string[]; readonly limit: number },
): readonly Found[] {
  return askReadOnly(databasePath(dirs.queue), SCHEMA_VERSION, (db) => {
    const queued = queuedFor(db, asked);
    const told = new Map(
      findTold(dirs.events, asked).map((one) => [one.queueId, one]),
    );
    const ids = new Set([...queued.keys(), ...told.keys()]);
    return [...ids].sort().reverse().slice(0, asked.limit).map((id) =>
      queued.get(id) ?? stillQueued(db, told.get(id)!)
    );
  });
}

/** What the history names. */
function findTold(
  dir: string,
  asked: { readonly words: readonly string[]; readonly limit: number },
): readonly Found[] {
  const path = eventsPath(dir);
  if (!fs.existsSync(path)) return [];
  return askReadOnly(path, EVENTS_VERSION, (db) => {
    const key = hasTerms(db) ? readTermKey(dir) : undefined;
    const terms = key && new Terms(key);
    return findIds(db, terms, asked).flatMap((id) => foundOf(db, id) ?? []);
  });
}

/** False in the history of an older program that nobody has brought up yet. */
function hasTerms(db: DatabaseSync): boolean {
  return db.prepare("SELECT 1 FROM sqlite_schema WHERE name = 'terms'")
    .get() !== undefined;
}

/** Those in the queue: the history may be younger than they are, or lost. */
function queuedFor(
  db: DatabaseSync,
  { words, limit }: { words: readonly string[]; limit: number },
): Map<string, Found> {
  const found = new Map<string, Found>();
  // One that is named by more is for the history to find.
  if (words.length !== 1) return found;
  const word = asStored(words[0]!);
  const rows = word.includes("@")
    ? db.prepare(TEXTS.queuedFor).all(word.toLowerCase(), limit)
    : db.prepare(TEXTS.one).all(word.toUpperCase());
  for (const row of rows) {
    const one = foundInQueue(db, row);
    found.set(one.queueId, one);
  }
  return found;
}

function foundInQueue(db: DatabaseSync, row: Row): Found {
  const recipients = db.prepare(TEXTS.recipients)
    .all(Number(row["n"]), MAX_SHOWN);
  const one = listed(row, recipients);
  return {
    queueId: one.id,
    atMs: one.arrivedMs,
    sender: one.sender,
    to: one.recipients.slice(0, 3).map(({ address }) => address),
    recipients: one.recipients.length,
    state: stateOf(one),
  };
}

/** What is said of a message in the queue: of a recipient that was tried. */
function stateOf({ state, recipients }: ListedMessage): string {
  if (state === "corrupt") return state;
  const worst = recipients.find((one) => one.state !== "incoming");
  return worst?.state ?? "incoming";
}

function stillQueued(db: DatabaseSync, found: Found): Found {
  const row = db.prepare(TEXTS.one).get(found.queueId);
  return row === undefined
    ? found
    : { ...found, state: foundInQueue(db, row).state };
}

function shown(db: DatabaseSync, row: Row) {
  const rows = db.prepare(TEXTS.recipients).all(Number(row["n"]), MAX_SHOWN);
  return {
    ...listed(row, rows),
    client: {
      address: String(row["client_address"]),
      helo: String(row["client_helo"]),
      protocol: String(row["client_protocol"]),
    },
  };
}

function listed(row: Row, recipients: readonly Row[]): ListedMessage {
  return {
    id: String(row["id"]),
    state: MESSAGE_STATES[Number(row["state"])] ?? "corrupt",
    arrivedMs: Number(row["arrived_ms"]),
    sizeBytes: Number(row["size"]),
    sender: String(row["sender"]),
    nextHop: String(row["next_hop"] ?? ""),
    recipients: recipients.map(listedRecipient),
  };
}

function listedRecipient(row: Row): ListedRecipient {
  const code = Number(row["code"]);
  return {
    address: String(row["address"]),
    original: String(row["original"]),
    state: STATES[Number(row["state"])] ?? "corrupt",
    attempts: Number(row["attempts"]),
    nextAttemptMs: Number(row["next_ms"]),
    lastOutcome: code === 0
      ? ""
      : `${code} ${String(row["enhanced"])} ${String(row["text"])}`,
    lastHost: String(row["host"]),
  };
}

/**
 * Reads both databases through, for `bulkhead check`.
 *
 * @returns Messages in it; 0 if there is no queue yet
 * @throws {QueueUnusable} If one is damaged
 */
export function checkQueue(
  dirs: { readonly queue: string; readonly events: string },
): number {
  const events = eventsPath(dirs.events);
  if (fs.existsSync(events)) {
    askReadOnly(events, EVENTS_VERSION, (db) => checkThoroughly(db, events));
  }
  const path = databasePath(dirs.queue);
  if (!fs.existsSync(path)) return 0;
  return askReadOnly(path, SCHEMA_VERSION, (db) => {
    checkThoroughly(db, path);
    return Number(db.prepare("SELECT count(*) AS n FROM messages").get()!["n"]);
  });
}
