/**
 * The tallies for TLS reports in the history's database, a row a domain and
 * day, until they are reported or nobody wants them. A table beside the
 * history's own, which an older program does not look at.
 */
import type { DatabaseSync, StatementSync } from "node:sqlite";
import { addTally, type DayTally, readTally, tallyText } from "./tls_tally.ts";

/** Whose tally, and of when: a number of periods since the epoch. */
export interface TallyKey {
  readonly day: number;
  readonly domain: string;
}

/** A tally to be added. */
export interface Addition extends TallyKey {
  /** When it is to be reported. */
  readonly dueMs: number;
  readonly tally: DayTally;
}

/** Most rows, and most octets of their tallies. */
const MOST_ROWS = 50_000;
const MOST_OCTETS = 33_554_432;

const SCHEMA = `
CREATE TABLE IF NOT EXISTS tls_tallies (
  day INTEGER NOT NULL,
  domain TEXT NOT NULL,
  due_ms INTEGER NOT NULL,
  report TEXT NOT NULL,
  tally TEXT NOT NULL,
  PRIMARY KEY (day, domain)
) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS tls_tallies_due ON tls_tallies (due_ms);
`;

const TEXTS = {
  sizes: "SELECT count(*) AS n, coalesce(sum(length(tally)), 0) AS octets " +
    "FROM tls_tallies",
  find: "SELECT tally, report FROM tls_tallies WHERE day = ? AND domain = ?",
  put: "INSERT INTO tls_tallies (day, domain, due_ms, report, tally) " +
    "VALUES (?,?,?,'',?) ON CONFLICT (day, domain) " +
    "DO UPDATE SET tally = excluded.tally",
  due: "SELECT day, domain, tally FROM tls_tallies " +
    "WHERE due_ms <= ? AND report = '' ORDER BY due_ms LIMIT 1",
  later: "UPDATE tls_tallies SET due_ms = ? WHERE day = ? AND domain = ?",
  mark: "UPDATE tls_tallies SET report = ? WHERE day = ? AND domain = ?",
  remove: "DELETE FROM tls_tallies WHERE day = ? AND domain = ?",
  clear: "DELETE FROM tls_tallies",
  removeMarked: "DELETE FROM tls_tallies WHERE report <> ''",
  begin: "BEGIN IMMEDIATE",
  commit: "COMMIT",
  rollback: "ROLLBACK",
} as const;

type Statements = { readonly [K in keyof typeof TEXTS]: StatementSync };

/** The rows. Whatever fails is thrown, as by the history's own store. */
export class TlsRows {
  readonly #db: DatabaseSync;
  readonly #run: Statements;
  #rows: number;
  #octets: number;
  #hasForgotten = false;

  constructor(db: DatabaseSync) {
    this.#db = db;
    db.exec(SCHEMA);
    this.#run = Object.fromEntries(
      Object.entries(TEXTS).map(([name, text]) => [name, db.prepare(text)]),
    ) as Statements;
    const sizes = this.#run.sizes.get();
    this.#rows = Number(sizes?.["n"]);
    this.#octets = Number(sizes?.["octets"]);
  }

  /**
   * Adds tallies to what is there.
   *
   * @returns Sessions that there was no room for
   */
  add(additions: readonly Addition[]): number {
    let dropped = 0;
    this.#run.begin.run();
    try {
      for (const one of additions) dropped += this.#addOne(one);
      this.#run.commit.run();
    } catch (error) {
      if (this.#db.isTransaction) this.#run.rollback.run();
      throw error;
    }
    return dropped;
  }

  /** The next tally that is to be reported. */
  due(nowMs: number): TallyKey & { tally: DayTally } | undefined {
    const row = this.#run.due.get(nowMs);
    return row === undefined ? undefined : {
      day: Number(row["day"]),
      domain: String(row["domain"]),
      tally: readTally(String(row["tally"])),
    };
  }

  /** Not now. */
  postpone({ day, domain }: TallyKey, dueMs: number): void {
    this.#run.later.run(Math.ceil(dueMs), day, domain);
  }

  /** It is as good as reported: whatever happens now, it is not again. */
  mark({ day, domain }: TallyKey, id: string): void {
    this.#run.mark.run(id, day, domain);
  }

  /** It is reported, or nobody wants to know. */
  remove({ day, domain }: TallyKey): void {
    const row = this.#run.find.get(day, domain);
    if (row === undefined) return;
    this.#run.remove.run(day, domain);
    this.#hasForgotten = true;
    this.#rows--;
    this.#octets -= String(row["tally"]).length;
  }

  /** Removes what a former process had reported, or had been about to. */
  removeMarked(): void {
    this.#hasForgotten = Number(this.#run.removeMarked.run().changes) > 0;
    const sizes = this.#run.sizes.get();
    this.#rows = Number(sizes?.["n"]);
    this.#octets = Number(sizes?.["octets"]);
  }

  /** Removes all: nobody is told any more. */
  clear(): void {
    this.#hasForgotten = Number(this.#run.clear.run().changes) > 0;
    this.#rows = 0;
    this.#octets = 0;
  }

  /** True if rows were removed since this was asked last. */
  takeForgotten(): boolean {
    const hasForgotten = this.#hasForgotten;
    this.#hasForgotten = false;
    return hasForgotten;
  }

  #addOne({ day, domain, dueMs, tally: more }: Addition): number {
    const row = this.#run.find.get(day, domain);
    // Too late: its report is written.
    if (row !== undefined && row["report"] !== "") return 0;
    const before = row === undefined ? "" : String(row["tally"]);
    const tally = readTally(before || "[]");
    addTally(tally, more);
    const text = tallyText(tally);
    const octets = this.#octets + text.length - before.length;
    const rows = this.#rows + (row === undefined ? 1 : 0);
    if (rows > MOST_ROWS || octets > MOST_OCTETS) {
      return more.reduce(
        (sum, { successes, failures }) =>
          sum + successes + failures.reduce((n, { count }) => n + count, 0),
        0,
      );
    }
    this.#run.put.run(day, domain, Math.ceil(dueMs), text);
    this.#rows = rows;
    this.#octets = octets;
    return 0;
  }
}
