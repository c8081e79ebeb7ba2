/**
 * Copies of the queue's databases, for upgrades and backups: made beside the
 * queue or while it is away, compared with what they are copies of, and
 * overwritten before their names go, for they hold addresses. Never of keys,
 * but for a backup (`backup_io.ts`).
 */
import { createHash, randomFillSync } from "node:crypto";
import fs from "node:fs";
import { backup, DatabaseSync } from "node:sqlite";
import {
  askReadOnly,
  checkThoroughly,
  createEmpty,
  databasePath,
  setPragma,
  sqliteFault,
  unusable,
  versionIn,
} from "./database_io.ts";
import { eventsPath } from "./event_store_io.ts";
import { WriteAheadLog } from "./write_ahead_log_io.ts";

/** Where the two databases lie. */
export interface Dirs {
  readonly queue: string;
  readonly events: string;
}

/** The same name below both. */
export function below(dirs: Dirs, name: string): Dirs {
  return { queue: `${dirs.queue}/${name}`, events: `${dirs.events}/${name}` };
}

/** What a database says of mail, whatever version it is of. */
export interface Census {
  readonly version: number;
  readonly messages: number;
  readonly recipients: number;
  /** Over all that every version has: rows, states, times, places, slots. */
  readonly digest: string;
}

const CHUNK_BYTES = 1_048_576;

/**
 * Copies a database as it is at this moment, its log included, into a new
 * file. Who writes to it meanwhile is not disturbed.
 *
 * @throws {QueueUnusable} If it is damaged
 */
export async function copyDatabase(from: string, to: string): Promise<void> {
  createEmpty(to);
  let db: DatabaseSync | undefined;
  try {
    db = new DatabaseSync(from, { timeout: 5_000, readOnly: true });
    setPragma(db, "PRAGMA trusted_schema = OFF");
    setPragma(db, "PRAGMA temp_store = MEMORY");
    checkThoroughly(db, from);
    // All pages in one step, so under one lock of a reader. Not by VACUUM
    // INTO: that attaches a database, which no jailed process may.
    await backup(db, to, { rate: -1 });
  } catch (error) {
    throw sqliteFault(from, error);
  } finally {
    db?.close();
  }
  syncPath(to);
}

/**
 * Counts and sums up a queue's database.
 *
 * @throws {QueueUnusable} If it cannot be read
 */
export function censusOf(dir: string): Census {
  // Whatever its version.
  return askReadOnly(databasePath(dir), Infinity, takeCensus);
}

function takeCensus(db: DatabaseSync): Census {
  const hash = createHash("sha256");
  // Version 1 kept a row of what was over, without recipients, as state 3.
  const messages = feed(hash, db, MESSAGES);
  const recipients = feed(hash, db, RECIPIENTS);
  const digest = hash.digest("hex");
  return { version: versionIn(db), messages, recipients, digest };
}

const MESSAGES = `SELECT n, id, slot, state, due_ms, arrived_ms, segment,
  offset, length, size, sender FROM messages WHERE state <> 3 ORDER BY n`;
const RECIPIENTS = `SELECT message, ordinal, address, original, depth, state,
  attempts, next_ms, code FROM recipients ORDER BY message, ordinal`;

function feed(
  hash: { update(text: string): unknown },
  db: DatabaseSync,
  text: string,
): number {
  let rows = 0;
  for (const row of db.prepare(text).iterate()) {
    hash.update(`${JSON.stringify(Object.values(row))}\n`);
    rows++;
  }
  return rows;
}

/**
 * Writes a database's log back and takes it away, so that the database is one
 * file. Nobody else may have it open.
 *
 * @throws {QueueUnusable} If somebody has, or the database cannot be used
 */
export function settle(path: string): void {
  if (!fs.existsSync(path)) return;
  let db: DatabaseSync | undefined;
  let log: WriteAheadLog | undefined;
  try {
    db = new DatabaseSync(path, { timeout: 5_000 });
    setPragma(db, "PRAGMA trusted_schema = OFF");
    setPragma(db, "PRAGMA secure_delete = ON");
    // The log exists from the first statement on that reads.
    const [touch] = db.prepare(
      "SELECT name FROM sqlite_schema WHERE name = 'touch'",
    ).all();
    if (touch !== undefined && fs.existsSync(`${path}-wal`)) {
      log = new WriteAheadLog(db, path);
      if (log.empty() !== "done") throw unusable(path, "somebody reads it");
    }
  } catch (error) {
    throw sqliteFault(path, error);
  } finally {
    // The last to close writes the log back, and removes it.
    db?.close();
    log?.close();
  }
  if (fs.existsSync(`${path}-wal`)) {
    throw unusable(path, "its log is still there after it was written back");
  }
  syncPath(path);
}

const ALONE_WITHIN_MS = 15_000;
const LOOK_MS = 100;
const SQLITE_BUSY = 5;
const SQLITE_LOCKED = 6;

/**
 * Waits until nobody else has a database open. A supervisor that was killed
 * leaves its queue for a moment: what that one writes must not be missing in a
 * copy, and when it closes it removes the log by its name, whosever that is
 * by then.
 *
 * @throws {QueueUnusable} If somebody has it open for too long
 */
export async function awaitAlone(
  path: string,
  withinMs = ALONE_WITHIN_MS,
): Promise<void> {
  const until = Date.now() + withinMs;
  while (fs.existsSync(path) && !isAlone(path)) {
    if (Date.now() > until) throw unusable(path, "somebody has it open still");
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }
}

function isAlone(path: string): boolean {
  let db: DatabaseSync | undefined;
  try {
    db = new DatabaseSync(path, { timeout: 0 });
    setPragma(db, "PRAGMA locking_mode = EXCLUSIVE");
    db.prepare("SELECT count(*) FROM sqlite_schema").get();
    return true;
  } catch (error) {
    const code = (error as { errcode?: unknown }).errcode;
    // What is damaged, others find.
    return typeof code !== "number" ||
      ![SQLITE_BUSY, SQLITE_LOCKED].includes(code & 0xff);
  } finally {
    db?.close();
  }
}

/** Overwrites whatever lies in both directories of a copy, and removes them. */
export function forgetCopy(dirs: Dirs): void {
  for (const dir of [dirs.queue, dirs.events]) forgetDir(dir);
}

function forgetDir(dir: string): void {
  if (!fs.existsSync(dir)) return;
  for (const name of fs.readdirSync(dir)) forgetFile(`${dir}/${name}`);
  fs.rmdirSync(dir);
  syncPath(parentOf(dir));
}

/** Overwrites a file once, and removes it. */
export function forgetFile(path: string): void {
  if (!fs.existsSync(path)) return;
  const fd = fs.openSync(path, "r+");
  try {
    const { size: bytes, nlink } = fs.fstatSync(fd);
    // With another name it is somebody's database: only this name goes.
    const size = nlink > 1 ? 0 : bytes;
    const chunk = new Uint8Array(Math.min(size, CHUNK_BYTES));
    for (let at = 0; at < size;) {
      randomFillSync(chunk);
      const want = Math.min(chunk.length, size - at);
      at += fs.writeSync(fd, chunk, 0, want, at);
    }
    fs.fsyncSync(fd);
  } finally {
    fs.closeSync(fd);
  }
  fs.unlinkSync(path);
}

/**
 * The version of a database that is settled, from its header
 * (https://www.sqlite.org/fileformat2.html §1.3); 0 if there is none.
 */
export function versionOf(path: string): number {
  if (!fs.existsSync(path)) return 0;
  const fd = fs.openSync(path, "r");
  try {
    const octets = new Uint8Array(4);
    fs.readSync(fd, octets, 0, 4, 60);
    return new DataView(octets.buffer).getUint32(0);
  } finally {
    fs.closeSync(fd);
  }
}

/** Makes the two directories of a copy, which must not be there. */
export function makeCopyDirs(dirs: Dirs): void {
  for (const dir of [dirs.queue, dirs.events]) {
    fs.mkdirSync(dir, { mode: 0o700 });
    syncPath(parentOf(dir));
  }
}

/** Both databases of a pair of directories. */
export function databasesOf(dirs: Dirs): readonly string[] {
  return [databasePath(dirs.queue), eventsPath(dirs.events)];
}

/** Writes a new file, on the disk when this returns. */
export function writeNew(path: string, octets: Uint8Array): void {
  const fd = fs.openSync(path, "wx", 0o600);
  try {
    for (let at = 0; at < octets.length;) {
      at += fs.writeSync(fd, octets, at, octets.length - at);
    }
  } finally {
    fs.closeSync(fd);
  }
  syncPath(path);
}

/** Syncs a file's octets, or a directory's names. */
export function syncPath(path: string): void {
  const fd = fs.openSync(path, "r");
  try {
    fs.fsyncSync(fd);
  } finally {
    fs.closeSync(fd);
  }
}

/** The directory of a file. */
export function parentOf(path: string): string {
  return path.slice(0, path.lastIndexOf("/"));
}
