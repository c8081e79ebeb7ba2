/**
 * The history's own database. Nothing here is needed to deliver mail: it is
 * written late (`synchronous = NORMAL`), and whatever fails is thrown to
 * `event_log.ts`, which goes on without.
 */
import fs from "node:fs";
import { DatabaseSync, type StatementSync } from "node:sqlite";
import { FORMATS } from "../core/formats.ts";
import { createEmpty, setPragma, versionIn } from "./database_io.ts";
import { type Event, storyText } from "./event.ts";
import { eventsOf, findIds, foundOf } from "./finding.ts";
import type { ShownEvent } from "./inspect.ts";
import type { Found } from "./story_ipc.ts";
import { eachTerm, openTermKey, Terms } from "./terms_io.ts";
import { TlsRows } from "./tls_rows_io.ts";
import { TOUCH_TABLE, WriteAheadLog } from "./write_ahead_log_io.ts";

/** Version of the tables below, in `user_version`. */
export const EVENTS_VERSION = FORMATS.events;

/** Pages in the log after which SQLite itself writes them back: 4 MiB. */
const LOG_PAGES = 1_000;
/** Rows deleted in one transaction, so that none delays an accept for long. */
const FORGET_ROWS = 500;

// What a row is found by, see `terms_io.ts`. A row knows its own, so that they
// go with it and no second index is needed.
const TERMS = `
CREATE TABLE terms (
  term BLOB NOT NULL,
  n INTEGER NOT NULL,
  PRIMARY KEY (term, n)
) STRICT, WITHOUT ROWID;
`;

// Version 1 was looked up by queue id alone; its rows still are.
const FROM_1 = `
ALTER TABLE events ADD COLUMN terms BLOB NOT NULL DEFAULT x'';
${TERMS}
PRAGMA user_version = ${EVENTS_VERSION};
`;

// A row is what happened to a message within one batch, as a list in JSON:
// half the rows and index entries, because most messages are delivered at
// once.
const SCHEMA = `
CREATE TABLE events (
  n INTEGER PRIMARY KEY,
  at_ms INTEGER NOT NULL,
  queue_id TEXT NOT NULL,
  story TEXT NOT NULL,
  terms BLOB NOT NULL DEFAULT x''
) STRICT;
CREATE INDEX events_queue_id ON events (queue_id);
${TERMS}
${TOUCH_TABLE}
PRAGMA user_version = ${EVENTS_VERSION};
`;

const TEXTS = {
  begin: "BEGIN IMMEDIATE",
  commit: "COMMIT",
  rollback: "ROLLBACK",
  insert: "INSERT INTO events (at_ms, queue_id, story, terms) " +
    "VALUES (?,?,?,?)",
  insertTerm: "INSERT INTO terms (term, n) VALUES (?,?)",
  deleteTerm: "DELETE FROM terms WHERE term = ? AND n = ?",
  stories: "SELECT story FROM events WHERE queue_id = ?",
  clear: "DELETE FROM events",
  clearTerms: "DELETE FROM terms",
  oldest: `SELECT n, at_ms, terms FROM events ORDER BY n LIMIT ${FORGET_ROWS}`,
  deleteUpTo: "DELETE FROM events WHERE n <= ?",
  pages: "PRAGMA page_count",
  freePages: "PRAGMA freelist_count",
  pageBytes: "PRAGMA page_size",
} as const;

type Statements = { readonly [K in keyof typeof TEXTS]: StatementSync };

/** Name of the history's database in its directory. */
export function eventsPath(dir: string): string {
  return `${dir}/events.db`;
}

/** The history's database. */
export class EventStore {
  readonly #db: DatabaseSync;
  readonly #run: Statements;
  readonly log: WriteAheadLog;
  readonly #terms: Terms;
  /** Tallies for TLS reports. */
  readonly tls: TlsRows;

  /**
   * Opens it, making it if it is missing.
   *
   * @throws {Error} If it cannot be used: damaged, newer than we are, or the
   * disk fails
   */
  constructor(dir: string) {
    const path = eventsPath(dir);
    if (!fs.existsSync(path)) createEmpty(path);
    this.#terms = new Terms(openTermKey(dir));
    const db = this.#db = new DatabaseSync(path, { timeout: 5_000 });
    try {
      setPragma(db, "PRAGMA trusted_schema = OFF");
      // Before anything is changed.
      const found = versionOf(db, path);
      setPragma(db, "PRAGMA secure_delete = ON");
      setPragma(db, "PRAGMA journal_mode = WAL");
      setPragma(db, "PRAGMA synchronous = NORMAL");
      setPragma(db, `PRAGMA wal_autocheckpoint = ${LOG_PAGES}`);
      setPragma(db, "PRAGMA temp_store = MEMORY");
      if (found === 0) db.exec(`BEGIN IMMEDIATE; ${SCHEMA} COMMIT;`);
      if (found === 1) db.exec(`BEGIN IMMEDIATE; ${FROM_1} COMMIT;`);
      this.#run = Object.fromEntries(
        Object.entries(TEXTS).map(([name, text]) => [name, db.prepare(text)]),
      ) as Statements;
      this.tls = new TlsRows(db);
      this.log = new WriteAheadLog(db, path);
    } catch (error) {
      db.close();
      throw error;
    }
  }

  /** Octets in use: what was deleted is free for new rows. */
  get usedBytes(): number {
    const value = (statement: StatementSync) =>
      Number(Object.values(statement.get() ?? {})[0]);
    const { pages, freePages, pageBytes } = this.#run;
    return (value(pages) - value(freePages)) * value(pageBytes);
  }

  /** Writes events, those of a message together, in one transaction. */
  write(events: readonly Event[]): void {
    this.#transaction(() => this.#insert(events));
  }

  /** True if one of these happened to a message of that id. */
  tells(queueId: string, kinds: readonly Event["what"][]): boolean {
    return this.#run.stories.all(queueId).some(({ story }) =>
      (JSON.parse(String(story)) as Pick<Event, "what">[])
        .some(({ what }) => kinds.includes(what))
    );
  }

  /** Replaces all there is, in one transaction: for taking over old events. */
  replace(batches: Iterable<readonly Event[]>): void {
    this.#transaction(() => {
      this.#run.clear.run();
      this.#run.clearTerms.run();
      for (const events of batches) this.#insert(events);
    });
  }

  /**
   * Removes some of what is older than `beforeMs`, or, if more than `maxBytes`
   * are in use, some of the oldest.
   *
   * @returns `none` if nothing was removed; `more` if there may be more
   */
  forget(beforeMs: number, maxBytes: number): "none" | "some" | "more" {
    const isTooLarge = this.usedBytes > maxBytes;
    // In order of arrival, which is in order of time: no index needed.
    let last: number | undefined;
    let seen = 0;
    const terms: [Uint8Array, number][] = [];
    for (const row of this.#run.oldest.iterate()) {
      if (!isTooLarge && Number(row["at_ms"]) >= beforeMs) break;
      last = Number(row["n"]);
      for (const term of eachTerm(row["terms"] as Uint8Array)) {
        terms.push([term, last]);
      }
      seen++;
    }
    if (last === undefined) return "none";
    const upTo = last;
    this.#transaction(() => {
      for (const [term, n] of terms) this.#run.deleteTerm.run(term, n);
      this.#run.deleteUpTo.run(upTo);
    });
    return seen === FORGET_ROWS ? "more" : "some";
  }

  /** Messages that all of `words` are true of, newest first. */
  find(asked: { words: readonly string[]; limit: number }): readonly Found[] {
    return findIds(this.#db, this.#terms, asked)
      .flatMap((id) => foundOf(this.#db, id) ?? []);
  }

  /** All that happened to a message, as far as it is kept. */
  story(queueId: string): readonly ShownEvent[] {
    return eventsOf(this.#db, queueId);
  }

  /** Closes it. */
  close(): void {
    this.#db.close();
    this.log.close();
  }

  #insert(events: readonly Event[]): void {
    const stories = new Map<string, Event[]>();
    for (const event of events) {
      const story = stories.get(event.queueId);
      if (story === undefined) stories.set(event.queueId, [event]);
      else story.push(event);
    }
    for (const [queueId, story] of stories) {
      const terms = this.#terms.ofStory(story);
      const { insert, insertTerm } = this.#run;
      const row = insert.run(
        story[0]!.atMs,
        queueId,
        storyText(story),
        terms,
      );
      for (const term of eachTerm(terms)) {
        insertTerm.run(term, row.lastInsertRowid);
      }
    }
  }

  #transaction(work: () => void): void {
    this.#run.begin.run();
    try {
      work();
      this.#run.commit.run();
    } catch (error) {
      if (this.#db.isTransaction) this.#run.rollback.run();
      throw error;
    }
  }
}

function versionOf(db: DatabaseSync, path: string): number {
  const found = versionIn(db);
  if (found <= EVENTS_VERSION) return found;
  throw new UnknownEvents(`${path} is of a newer version, ${found}`);
}

/** The history was written by a newer program. */
export class UnknownEvents extends Error {
  override name = "UnknownEvents";
  readonly code = "EVENTS_VERSION";
}
