/**
 * Opens the queue's database, or says plainly why not. A database that is
 * damaged, or newer than this program, stops the start: it is never deleted,
 * mended or made anew here, because it is somebody's mail.
 */
import fs from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { FORMATS } from "../core/formats.ts";
import { log } from "../core/log.ts";
import { type Event, linesOf } from "./event.ts";
import { TOUCH_TABLE } from "./write_ahead_log_io.ts";

/** Version of the tables below, in `user_version`. */
export const SCHEMA_VERSION = FORMATS.queue;

/**
 * Pages in the log after which SQLite itself writes them back: 8 MiB. With
 * that the log is bounded: it grows further only while a reader holds it.
 */
const LOG_PAGES = 2_000;

// Recipients are clustered by message, so that a message and its recipients
// are two places on disk. `due_ms`: -1 not scheduled, 0 never tried, else the
// earliest next attempt; only the last kind is worth an index entry, and
// fresh messages are found in order of `n`. The columns with a default are
// those of which most rows say nothing.
const SCHEMA = `
CREATE TABLE messages (
  n INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  slot INTEGER NOT NULL,
  state INTEGER NOT NULL,
  due_ms INTEGER NOT NULL,
  arrived_ms INTEGER NOT NULL,
  segment TEXT NOT NULL,
  offset INTEGER NOT NULL,
  length INTEGER NOT NULL,
  size INTEGER NOT NULL,
  sender TEXT NOT NULL,
  body INTEGER NOT NULL,
  client_address TEXT NOT NULL,
  client_helo TEXT NOT NULL,
  client_protocol TEXT NOT NULL,
  client_login TEXT NOT NULL DEFAULT '',
  envid TEXT NOT NULL DEFAULT '',
  wishes INTEGER NOT NULL DEFAULT 0,
  verp TEXT NOT NULL DEFAULT '',
  warned INTEGER NOT NULL DEFAULT 0,
  next_hop TEXT NOT NULL DEFAULT ''
) STRICT;
CREATE INDEX messages_due ON messages (due_ms) WHERE due_ms > 0;
CREATE TABLE recipients (
  message INTEGER NOT NULL,
  ordinal INTEGER NOT NULL,
  address TEXT NOT NULL,
  original TEXT NOT NULL,
  depth INTEGER NOT NULL,
  state INTEGER NOT NULL,
  attempts INTEGER NOT NULL,
  next_ms INTEGER NOT NULL,
  code INTEGER NOT NULL,
  enhanced TEXT NOT NULL,
  text TEXT NOT NULL,
  host TEXT NOT NULL,
  notify INTEGER NOT NULL DEFAULT 0,
  orcpt TEXT NOT NULL DEFAULT '',
  action INTEGER NOT NULL DEFAULT 0,
  said TEXT,
  account TEXT NOT NULL DEFAULT '',
  last_ms INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (message, ordinal)
) STRICT, WITHOUT ROWID;
CREATE TABLE clock (one INTEGER PRIMARY KEY, last_ms INTEGER NOT NULL) STRICT;
INSERT INTO clock VALUES (1, 0);
${TOUCH_TABLE}
PRAGMA user_version = ${SCHEMA_VERSION};
`;

// Version 1 had the history in here, and marked a message whose end was not
// complete as 3, spent. Its key is wiped as one that no row owns, and its
// content goes when the spool is told what is in use.
const FROM_1 = `
DROP TABLE events;
DELETE FROM messages WHERE state = 3;
${TOUCH_TABLE}
`;

// Version 2 knew of no wishes. Adding a column writes no row again.
const FROM_2 = `
ALTER TABLE messages RENAME COLUMN is_8bit TO body;
ALTER TABLE messages ADD COLUMN client_login TEXT NOT NULL DEFAULT '';
ALTER TABLE messages ADD COLUMN envid TEXT NOT NULL DEFAULT '';
ALTER TABLE messages ADD COLUMN wishes INTEGER NOT NULL DEFAULT 0;
ALTER TABLE recipients ADD COLUMN notify INTEGER NOT NULL DEFAULT 0;
ALTER TABLE recipients ADD COLUMN orcpt TEXT NOT NULL DEFAULT '';
ALTER TABLE recipients ADD COLUMN action INTEGER NOT NULL DEFAULT 0;
`;

// Version 3 kept of a last attempt only what came of it.
const FROM_3 = `
ALTER TABLE messages ADD COLUMN verp TEXT NOT NULL DEFAULT '';
ALTER TABLE messages ADD COLUMN warned INTEGER NOT NULL DEFAULT 0;
ALTER TABLE messages ADD COLUMN next_hop TEXT NOT NULL DEFAULT '';
ALTER TABLE recipients ADD COLUMN said TEXT;
ALTER TABLE recipients ADD COLUMN account TEXT NOT NULL DEFAULT '';
ALTER TABLE recipients ADD COLUMN last_ms INTEGER NOT NULL DEFAULT 0;
`;

/** What brings each version, from 1 on, to the next. */
const STEPS = [FROM_1, FROM_2, FROM_3];

/** Why the queue cannot start, in words for the administrator. */
export class QueueUnusable extends Error {
  override name = "QueueUnusable";
}

/** Name of the database in the queue's directory. */
export function databasePath(dir: string): string {
  return `${dir}/queue.db`;
}

/** What {@link openDatabase} may take and does beside. */
export interface Opening {
  /**
   * Time for the integrity check; tables that would not fit are left to
   * `bulkhead check`.
   */
  readonly checkWithinMs?: number;
  /**
   * Takes over the history of a version 1 database; false if that failed. It
   * is removed from there either way: no mail waits for its history. Asked
   * again, with all of it, after a crash.
   */
  readonly takeEvents?: (batches: Iterable<readonly Event[]>) => boolean;
}

/**
 * Opens the database for the one writer, making it if it is missing, and
 * brings an older one up to date. What its log holds is not in the database
 * yet; see `write_ahead_log_io.ts`.
 *
 * @throws {QueueUnusable} If it is damaged, newer than we are, or unreadable
 */
export function openDatabase(
  dir: string,
  opening: Opening = {},
): DatabaseSync {
  const path = databasePath(dir);
  let db: DatabaseSync | undefined;
  try {
    const isNew = !fs.existsSync(path);
    if (isNew) createEmpty(path);
    db = new DatabaseSync(path, { timeout: 5_000 });
    setPragma(db, "PRAGMA locking_mode = NORMAL");
    // Before anything else is read or written; see the header.
    setPragma(db, "PRAGMA trusted_schema = OFF");
    setPragma(db, "PRAGMA secure_delete = ON");
    setPragma(db, "PRAGMA journal_mode = WAL");
    // What FULL promises is ours to keep; see `log_sync_io.ts`.
    setPragma(db, "PRAGMA synchronous = NORMAL");
    setPragma(db, `PRAGMA wal_autocheckpoint = ${LOG_PAGES}`);
    setPragma(db, "PRAGMA temp_store = MEMORY");
    prepareSchema(db, path, opening);
    return db;
  } catch (error) {
    db?.close();
    if (error instanceof QueueUnusable) throw error;
    const why = error instanceof Error ? error.message : String(error);
    throw unusable(path, why);
  }
}

/**
 * Asks a database that cannot be changed, and closes it again.
 *
 * @param newest The newest version that is understood
 * @throws {QueueUnusable} If it cannot be opened, or turns out to be damaged
 */
export function askReadOnly<T>(
  path: string,
  newest: number,
  ask: (db: DatabaseSync) => T,
): T {
  if (!fs.existsSync(path)) {
    throw new QueueUnusable(`Cannot read ${path}: there is no queue yet`);
  }
  let db: DatabaseSync | undefined;
  try {
    db = new DatabaseSync(path, { readOnly: true, timeout: 5_000 });
    setPragma(db, "PRAGMA trusted_schema = OFF");
    refuseNewer(versionIn(db), { newest, path });
    return ask(db);
  } catch (error) {
    throw sqliteFault(path, error);
  } finally {
    db?.close();
  }
}

/** SQLite's errors in words for the administrator; others as they are. */
export function sqliteFault(path: string, error: unknown): unknown {
  const isSqlite = error instanceof Error &&
    (error as { code?: unknown }).code === "ERR_SQLITE_ERROR";
  return isSqlite ? unusable(path, error.message) : error;
}

/** An empty file of our making: SQLite's own would have the umask's mode. */
export function createEmpty(path: string): void {
  const fd = fs.openSync(path, "wx", 0o600);
  fs.fsyncSync(fd);
  fs.closeSync(fd);
}

/** Runs a constant pragma. */
export function setPragma(db: DatabaseSync, pragma: string): void {
  db.prepare(pragma).all();
}

/** What a database says in `user_version`. */
export function versionIn(db: DatabaseSync): number {
  return Number(db.prepare("PRAGMA user_version").get()?.["user_version"]);
}

function refuseNewer(
  found: number,
  known: { newest: number; path: string },
): void {
  const { newest, path } = known;
  if (found <= newest) return;
  throw new QueueUnusable(
    `Cannot use ${path}: it is of version ${found}, and this program knows ` +
      `versions up to ${newest}. Start the newer program again.`,
  );
}

function prepareSchema(
  db: DatabaseSync,
  path: string,
  opening: Opening,
): void {
  const found = versionIn(db);
  refuseNewer(found, { newest: SCHEMA_VERSION, path });
  if (found > 0) check(db, path, opening.checkWithinMs ?? 2_000);
  if (found === SCHEMA_VERSION) return;
  if (found > 0) return bringUp(db, path, { found, opening });
  const tables = db.prepare("SELECT count(*) AS n FROM sqlite_schema").get();
  if (Number(tables?.["n"]) > 0) {
    throw unusable(path, "it holds tables that are not ours");
  }
  db.exec(`BEGIN IMMEDIATE; ${SCHEMA} COMMIT;`);
}

function bringUp(
  db: DatabaseSync,
  path: string,
  from: { found: number; opening: Opening },
): void {
  const { found, opening } = from;
  const historyKept = found === 1 ? takeHistory(db, opening) : undefined;
  db.exec(
    `BEGIN IMMEDIATE; ${STEPS.slice(found - 1).join("")}
    PRAGMA user_version = ${SCHEMA_VERSION}; COMMIT;`,
  );
  const to = SCHEMA_VERSION;
  log("queue-upgraded", { file: path, from: found, to, historyKept });
}

/** False if it is lost. */
function takeHistory(db: DatabaseSync, { takeEvents }: Opening): boolean {
  const statement = db.prepare("SELECT * FROM events ORDER BY n");
  return takeEvents?.(oldEvents(statement.iterate())) ?? false;
}

/** The history of a version 1 database, in small lists. */
function* oldEvents(
  rows: Iterable<Record<string, unknown>>,
): Generator<readonly Event[]> {
  let batch: Event[] = [];
  for (const row of rows) {
    const transcript = String(row["transcript"]);
    batch.push({
      atMs: Number(row["at_ms"]),
      queueId: String(row["queue_id"]),
      recipient: String(row["recipient"]),
      what: String(row["what"]) as Event["what"],
      host: String(row["host"]),
      tls: String(row["tls"]),
      code: Number(row["code"]),
      text: String(row["text"]),
      transcript: linesOf(transcript),
    });
    if (batch.length < 500) continue;
    yield batch;
    batch = [];
  }
  yield batch;
}

const CHECKS = [
  "PRAGMA quick_check('messages')",
  "PRAGMA quick_check('recipients')",
] as const;

/** What a check reads in a millisecond, with room to spare: 100 MB/s. */
const CHECKED_BYTES_PER_MS = 100_000;

function check(db: DatabaseSync, path: string, withinMs: number): void {
  const started = performance.now();
  const bytes = fs.statSync(path).size;
  let foretoldMs = bytes / CHECKED_BYTES_PER_MS;
  for (const statement of CHECKS) {
    const spentMs = performance.now() - started;
    // A check cannot be stopped once begun, so it is foretold by the size,
    // and by the one before, which a slow disk makes slower.
    if (spentMs + foretoldMs > withinMs) {
      log("queue-check-skipped", { file: path, bytes, statement });
      continue;
    }
    const first = db.prepare(statement).get();
    foretoldMs = Math.max(foretoldMs, performance.now() - started - spentMs);
    const said = String(first === undefined ? "" : Object.values(first)[0]);
    if (said !== "ok") throw unusable(path, said);
  }
}

/** A database that a human must look at, and how. */
export function unusable(path: string, why: string): QueueUnusable {
  return new QueueUnusable(
    `Cannot use ${path}: ${why.slice(0, 300)}. Nothing was changed. Run ` +
      "`bulkhead check`; if it finds damage, stop the server, copy the " +
      "queue directory (queue.db, queue.db-wal, keys) away before anything " +
      "else, and restore it from a backup or recover it with `sqlite3 " +
      "queue.db .recover`.",
  );
}

/**
 * The full integrity check, however long it takes.
 *
 * @throws {QueueUnusable} With the first fault found
 */
export function checkThoroughly(db: DatabaseSync, path: string): void {
  try {
    const row = db.prepare("PRAGMA integrity_check(1)").get();
    const said = String(row?.["integrity_check"]);
    if (said !== "ok") throw unusable(path, said);
  } catch (error) {
    if (error instanceof QueueUnusable) throw error;
    throw unusable(
      path,
      error instanceof Error ? error.message : String(error),
    );
  }
}
