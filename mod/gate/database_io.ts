/**
 * The gate's database: what it remembers of clients, what an administrator
 * said of them, and the verdicts. Written late and in batches: what a crash
 * takes is the last second of a memory, never mail (`synchronous = NORMAL`).
 *
 * A database that is damaged is put aside and begun anew, and where none can
 * be kept (the disk is full) there is one in memory: both are worth less than
 * a server that takes mail. One that is newer stops the start.
 */
import fs from "node:fs";
import { DatabaseSync, type StatementSync } from "node:sqlite";
import { FORMATS } from "../core/formats.ts";

/** Numbers of the shelves in `memory`; none is ever used for another. */
export const SHELVES = {
  clients: 1,
  triplets: 2,
  greylistClients: 3,
  probed: 4,
} as const;

/** Version of the tables below, in `user_version`. */
export const GATE_VERSION = FORMATS.gate;

// `memory` holds every shelf (see `shelf.ts`). `said` is the administrator's
// word on networks, `orders` tells the running gate that it changed: the
// commands write both, in a process of their own.
const SCHEMA = `
CREATE TABLE memory (
  shelf INTEGER NOT NULL,
  key TEXT NOT NULL,
  until_ms INTEGER NOT NULL,
  value TEXT NOT NULL,
  PRIMARY KEY (shelf, key)
) STRICT, WITHOUT ROWID;
CREATE TABLE said (
  network TEXT PRIMARY KEY,
  word TEXT NOT NULL,
  at_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE orders (
  n INTEGER PRIMARY KEY AUTOINCREMENT,
  network TEXT NOT NULL,
  word TEXT NOT NULL
) STRICT;
CREATE TABLE verdicts (
  n INTEGER PRIMARY KEY,
  at_ms INTEGER NOT NULL,
  client TEXT NOT NULL,
  what TEXT NOT NULL
) STRICT;
CREATE TABLE salt (one INTEGER PRIMARY KEY, octets TEXT NOT NULL) STRICT;
INSERT INTO salt VALUES (1, lower(hex(randomblob(16))));
PRAGMA user_version = ${GATE_VERSION};
`;

/** Orders read at once. */
export const ORDERS_AT_ONCE = 1_000;

const TEXTS = {
  begin: "BEGIN IMMEDIATE",
  commit: "COMMIT",
  rollback: "ROLLBACK",
  salt: "SELECT octets FROM salt WHERE one = 1",
  remember: "INSERT INTO memory (shelf, key, until_ms, value) " +
    "VALUES (?,?,?,?) ON CONFLICT (shelf, key) DO UPDATE SET " +
    "until_ms = excluded.until_ms, value = excluded.value",
  forget: "DELETE FROM memory WHERE shelf = ? AND key = ?",
  remembered: "SELECT key, until_ms, value FROM memory " +
    "WHERE shelf = ? AND until_ms > ?",
  isOver: "DELETE FROM memory WHERE until_ms <= ?",
  said: "SELECT network, word, at_ms FROM said ORDER BY network",
  say: "INSERT INTO said (network, word, at_ms) VALUES (?,?,?) " +
    "ON CONFLICT (network) DO UPDATE SET word = excluded.word, " +
    "at_ms = excluded.at_ms",
  unsay: "DELETE FROM said WHERE network = ?",
  order: "INSERT INTO orders (network, word) VALUES (?,?)",
  orders: "SELECT n, network, word FROM orders WHERE n > ? ORDER BY n " +
    `LIMIT ${ORDERS_AT_ONCE}`,
  lastOrder: "SELECT coalesce(max(n), 0) AS n FROM orders",
  oldOrders: "DELETE FROM orders WHERE n <= ?",
  addVerdict: "INSERT INTO verdicts (at_ms, client, what) VALUES (?,?,?)",
  verdicts: "SELECT at_ms, client, what FROM verdicts ORDER BY n DESC",
  verdictsBefore: "SELECT n, at_ms, client, what FROM verdicts " +
    "WHERE n < ? ORDER BY n DESC LIMIT ?",
  // A first look, without an index: the words are in JSON.
  verdictsWith: "SELECT at_ms, client, what FROM verdicts " +
    "WHERE instr(lower(what), ?) > 0 ORDER BY n DESC",
  tooMany: "DELETE FROM verdicts WHERE n <= " +
    "(SELECT max(n) - ? FROM verdicts)",
  tooOld: "DELETE FROM verdicts WHERE n IN (SELECT n FROM " +
    "(SELECT n, at_ms FROM verdicts ORDER BY n LIMIT 1000) WHERE at_ms < ?)",
  dataVersion: "PRAGMA data_version",
} as const;

/** Its statements, by name. */
export type GateStatements = {
  readonly [K in keyof typeof TEXTS]: StatementSync;
};

/** Why the gate cannot start, in words for the administrator. */
export class GateUnusable extends Error {
  override name = "GateUnusable";
}

/** Name of the database in its directory. */
export function gatePath(dir: string): string {
  return `${dir}/gate.db`;
}

/** In place of a directory: a database that is gone with its process. */
const IN_MEMORY = ":memory:";

/** An open database. */
export class GateDatabase {
  readonly #db: DatabaseSync;
  readonly run: GateStatements;

  /**
   * Opens it, making it if it is missing.
   *
   * @throws {GateUnusable} If it is newer than we are
   * @throws {Error} If SQLite or the disk says no
   */
  constructor(dir: string) {
    const path = dir === IN_MEMORY ? IN_MEMORY : gatePath(dir);
    // SQLite's own would have the umask's mode.
    if (path !== IN_MEMORY && !fs.existsSync(path)) {
      fs.closeSync(fs.openSync(path, "wx", 0o600));
    }
    const db = this.#db = new DatabaseSync(path, { timeout: 1_000 });
    try {
      const set = (pragma: string) => void db.prepare(pragma).all();
      set("PRAGMA trusted_schema = OFF");
      const found = Number(
        db.prepare("PRAGMA user_version").get()?.["user_version"],
      );
      if (found > GATE_VERSION) {
        throw new GateUnusable(
          `Cannot use ${path}: it is of version ${found}, and this program ` +
            `knows versions up to ${GATE_VERSION}. Start the newer program ` +
            "again, or move the file away: it holds no mail.",
        );
      }
      set("PRAGMA secure_delete = ON");
      set("PRAGMA journal_mode = WAL");
      set("PRAGMA synchronous = NORMAL");
      set("PRAGMA wal_autocheckpoint = 1000");
      set("PRAGMA temp_store = MEMORY");
      if (found === 0) db.exec(`BEGIN IMMEDIATE; ${SCHEMA} COMMIT;`);
      this.run = Object.fromEntries(
        Object.entries(TEXTS).map(([name, text]) => [name, db.prepare(text)]),
      ) as GateStatements;
    } catch (error) {
      db.close();
      throw error;
    }
  }

  /** Does all of `work`, or nothing. */
  transaction(work: () => void): void {
    this.run.begin.run();
    try {
      work();
      this.run.commit.run();
    } catch (error) {
      if (this.#db.isTransaction) this.run.rollback.run();
      throw error;
    }
  }

  close(): void {
    this.#db.close();
  }
}

/**
 * Opens the database of the one writer, or what stands for it.
 *
 * @throws {GateUnusable} If it is newer than we are
 */
export function openGate(dir: string, told: GateTrouble): GateDatabase {
  try {
    return openOrBeginAnew(dir, told);
  } catch (error) {
    // SQLite's and the file system's errors have a code; ours, bugs, have none.
    const isWorld = typeof (error as { code?: unknown }).code === "string";
    if (error instanceof GateUnusable || !isWorld) throw error;
    told.onMemory(String((error as Error).message));
    return new GateDatabase(IN_MEMORY);
  }
}

/** What is told of a database that is not as it should be. */
export interface GateTrouble {
  /** A damaged file was put aside. */
  onAside(path: string, why: string): void;
  /** Nothing can be kept beyond this process. */
  onMemory(why: string): void;
}

function openOrBeginAnew(dir: string, told: GateTrouble): GateDatabase {
  try {
    return new GateDatabase(dir);
  } catch (error) {
    const code = (error as { errcode?: unknown }).errcode;
    // SQLITE_CORRUPT and SQLITE_NOTADB, and nothing else: a full disk or a
    // file that is held is no damage.
    const isDamage = typeof code === "number" && [11, 26].includes(code & 0xff);
    if (!isDamage) throw error;
    const aside = `${gatePath(dir)}.damaged`;
    for (const end of ["", "-wal", "-shm"]) {
      try {
        fs.renameSync(gatePath(dir) + end, aside + end);
      } catch (moved) {
        if ((moved as { code?: unknown }).code !== "ENOENT") throw moved;
      }
    }
    told.onAside(aside, String((error as Error).message));
    return new GateDatabase(dir);
  }
}
