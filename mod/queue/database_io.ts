/**
 * Opens the queue's database, or says plainly why not. A database that is
 * damaged, or newer than this program, stops the start: it is never deleted,
 * mended or made anew here, because it is somebody's mail.
 */
import fs from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { log } from "../core/log.ts";

/** Version of the tables below, in `user_version`. */
export const SCHEMA_VERSION = 1;

/** Pages in the log after which SQLite itself writes them back: 32 MiB. */
const LOG_PAGES = 8_192;

// Recipients are clustered by message, so that a message and its recipients
// are two places on disk. `due_ms`: -1 not scheduled, 0 never tried, else the
// earliest next attempt; only the last kind is worth an index entry, and
// fresh messages are found in order of `n`.
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
  is_8bit INTEGER NOT NULL,
  client_address TEXT NOT NULL,
  client_helo TEXT NOT NULL,
  client_protocol TEXT NOT NULL
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
  PRIMARY KEY (message, ordinal)
) STRICT, WITHOUT ROWID;
CREATE TABLE events (
  n INTEGER PRIMARY KEY,
  at_ms INTEGER NOT NULL,
  queue_id TEXT NOT NULL,
  recipient TEXT NOT NULL,
  what TEXT NOT NULL,
  host TEXT NOT NULL,
  tls TEXT NOT NULL,
  code INTEGER NOT NULL,
  text TEXT NOT NULL,
  transcript TEXT NOT NULL
) STRICT;
CREATE INDEX events_queue_id ON events (queue_id);
CREATE TABLE clock (one INTEGER PRIMARY KEY, last_ms INTEGER NOT NULL) STRICT;
INSERT INTO clock VALUES (1, 0);
PRAGMA user_version = 1;
`;

/** Why the queue cannot start, in words for the administrator. */
export class QueueUnusable extends Error {
  override name = "QueueUnusable";
}

/** Name of the database in the queue's directory. */
export function databasePath(dir: string): string {
  return `${dir}/queue.db`;
}

/**
 * Opens the database for the one writer, making it if it is missing.
 *
 * @param checkWithinMs Time for the integrity check; tables that would not
 * fit are left to `bulkhead check`
 * @throws {QueueUnusable} If it is damaged, newer than we are, or unreadable
 */
export function openDatabase(
  dir: string,
  checkWithinMs = 2_000,
): DatabaseSync {
  const path = databasePath(dir);
  let db: DatabaseSync | undefined;
  try {
    const isNew = !fs.existsSync(path);
    if (isNew) createEmpty(path);
    db = new DatabaseSync(path, { timeout: 5_000 });
    set(db, "PRAGMA locking_mode = NORMAL");
    // Before anything else is read or written; see the header.
    set(db, "PRAGMA trusted_schema = OFF");
    set(db, "PRAGMA secure_delete = ON");
    set(db, "PRAGMA journal_mode = WAL");
    // What FULL promises is ours to keep; see `log_sync_io.ts`.
    set(db, "PRAGMA synchronous = NORMAL");
    set(db, `PRAGMA wal_autocheckpoint = ${LOG_PAGES}`);
    set(db, "PRAGMA temp_store = MEMORY");
    prepareSchema(db, path);
    check(db, path, checkWithinMs);
    // After this nothing rests on log frames whose sync a former process may
    // have seen fail: they were written again, into the database, and synced.
    set(db, "PRAGMA wal_checkpoint(TRUNCATE)");
    return db;
  } catch (error) {
    db?.close();
    if (error instanceof QueueUnusable) throw error;
    const why = error instanceof Error ? error.message : String(error);
    throw unusable(path, why);
  }
}

// Without the right to change it.
function openReadOnly(dir: string): DatabaseSync {
  const path = databasePath(dir);
  if (!fs.existsSync(path)) {
    throw new QueueUnusable(`Cannot read ${path}: there is no queue yet`);
  }
  try {
    const db = new DatabaseSync(path, { readOnly: true, timeout: 5_000 });
    set(db, "PRAGMA trusted_schema = OFF");
    refuseNewer(version(db), path);
    return db;
  } catch (error) {
    if (error instanceof QueueUnusable) throw error;
    const why = error instanceof Error ? error.message : String(error);
    throw unusable(path, why);
  }
}

/**
 * Asks a database that cannot be changed, and closes it again.
 *
 * @throws {QueueUnusable} If it cannot be opened, or turns out to be damaged
 */
export function askReadOnly<T>(dir: string, ask: (db: DatabaseSync) => T): T {
  const db = openReadOnly(dir);
  try {
    return ask(db);
  } catch (error) {
    const isSqlite = error instanceof Error && "errcode" in error;
    throw isSqlite ? unusable(databasePath(dir), error.message) : error;
  } finally {
    db.close();
  }
}

/** An empty file of our making: SQLite's own would have the umask's mode. */
function createEmpty(path: string): void {
  const fd = fs.openSync(path, "wx", 0o600);
  fs.fsyncSync(fd);
  fs.closeSync(fd);
}

/** Runs a constant pragma. */
function set(db: DatabaseSync, pragma: string): void {
  db.prepare(pragma).all();
}

function version(db: DatabaseSync): number {
  return Number(db.prepare("PRAGMA user_version").get()?.["user_version"]);
}

function refuseNewer(found: number, path: string): void {
  if (found <= SCHEMA_VERSION) return;
  throw new QueueUnusable(
    `Cannot use ${path}: it is of version ${found}, and this program knows ` +
      `versions up to ${SCHEMA_VERSION}. Start the newer program again.`,
  );
}

function prepareSchema(db: DatabaseSync, path: string): void {
  const found = version(db);
  refuseNewer(found, path);
  if (found === SCHEMA_VERSION) return;
  const tables = db.prepare("SELECT count(*) AS n FROM sqlite_schema").get();
  if (Number(tables?.["n"]) > 0) {
    throw unusable(path, "it holds tables that are not ours");
  }
  db.exec(`BEGIN IMMEDIATE; ${SCHEMA} COMMIT;`);
}

const CHECKS = [
  "PRAGMA quick_check('messages')",
  "PRAGMA quick_check('recipients')",
  "PRAGMA quick_check('events')",
] as const;

/** What a check reads in a millisecond, with room to spare: 100 MB/s. */
const CHECKED_BYTES_PER_MS = 100_000;

function check(db: DatabaseSync, path: string, withinMs: number): void {
  const started = performance.now();
  const bytes = fs.statSync(path).size;
  for (const statement of CHECKS) {
    const spent = performance.now() - started;
    // A check cannot be stopped once begun, so it is foretold by the size.
    if (spent + bytes / CHECKED_BYTES_PER_MS > withinMs) {
      log("queue-check-skipped", { file: path, bytes, statement });
      continue;
    }
    const first = db.prepare(statement).get();
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

/** True if a server has ever run on this directory. */
export function queueExists(dir: string): boolean {
  return fs.existsSync(databasePath(dir));
}

/**
 * The full integrity check, however long it takes.
 *
 * @throws {QueueUnusable} With the first fault found
 */
export function checkThoroughly(db: DatabaseSync, dir: string): void {
  const path = databasePath(dir);
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
