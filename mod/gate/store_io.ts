/**
 * Writes what the gate remembers, a second late and in batches, and reads
 * what an administrator said meanwhile. A write that fails is tried again
 * with the next batch; nobody waits for it, and no mail hangs on it.
 */
import { log } from "../core/log.ts";
import type { Network } from "../core/network.ts";
import { type GateDatabase, openGate, ORDERS_AT_ONCE } from "./database_io.ts";
import { MAX_SHOWN } from "./console_ipc.ts";
import type { Recorded } from "./gate.ts";
import { saidIn, touches, verdictOf } from "./inspect.ts";
import type { SaidOf, ShownVerdict } from "./inspect_ipc.ts";
import type { Shelf } from "./shelf.ts";

/** Changes written in one transaction: some 5 ms. */
const BATCH = 1_000;
/** Verdicts beyond `max_verdicts` that there may be for a while. */
const MAX_ADDED = 10_000;
const WRITE_EACH_MS = 1_000;
/** An administrator's word takes effect within this. */
const LOOK_EACH_MS = 250;
/** Verdicts written in a second; what is beyond it is only counted. */
const MAX_WAITING = 2_000;
const STOP_WITHIN_MS = 1_000;
const SWEEP_EACH_MS = 300_000;

/** Verdicts read in one turn, and in all, for one answer to the console. */
const SLICE = 500;
const MAX_SEARCHED = 50_000;

/** A shelf, and how its values are written. */
export interface Kept<V> {
  /** Its number in the database; never used for another. */
  readonly number: number;
  readonly shelf: Shelf<V>;
  /** undefined if the text is none of ours. */
  read(value: unknown): V | undefined;
}

/** What happens around the store. */
export interface StoreOptions {
  readonly dir: string;
  keepVerdictsMs(): number;
  maxVerdicts(): number;
  /** An administrator said something; at the start, too. */
  onSaid(network: string, word: "allow" | "deny" | "forget"): void;
  nowMs(): number;
}

/** The store of the running gate. */
export class Store {
  readonly #db: GateDatabase;
  readonly #options: StoreOptions;
  readonly #kept: Kept<unknown>[] = [];
  readonly #timers: ReturnType<typeof setInterval>[] = [];
  #verdicts: { atMs: number; what: Recorded }[] = [];
  #lost = 0;
  /** Verdicts added since there were seen to be not too many. */
  #added = 0;
  #lastOrder = 0;
  #dataVersion = -1;
  #isFailing = false;

  /** Of this database alone; for hashes. */
  readonly salt: string;

  /** @throws {GateUnusable} If the database is newer than we are */
  constructor(options: StoreOptions) {
    this.#options = options;
    this.#db = openGate(options.dir, {
      onAside: (file, why) =>
        log("gate-database-damaged", { alarm: true, file, why }),
      onMemory: (why) => log("gate-not-kept", { alarm: true, why }),
    });
    this.salt = String(this.#db.run.salt.get()?.["octets"]);
  }

  /** Fills a shelf with what was kept, and keeps it from now on. */
  keep<V>(kept: Kept<V>): void {
    const rows = this.#db.run.remembered.iterate(
      kept.number,
      this.#options.nowMs(),
    );
    for (const row of rows) {
      const value = kept.read(parse(row["value"]));
      if (value === undefined) continue;
      kept.shelf.restore(String(row["key"]), value, Number(row["until_ms"]));
    }
    this.#kept.push(kept as Kept<unknown>);
  }

  /** Begins to write and to listen to the administrator. */
  start(): void {
    for (const row of this.#db.run.said.all()) {
      const word = String(row["word"]);
      if (isWord(word)) this.#options.onSaid(String(row["network"]), word);
    }
    this.#lastOrder = Number(this.#db.run.lastOrder.get()?.["n"]);
    this.#timers.push(
      setInterval(() => this.flush(), WRITE_EACH_MS),
      setInterval(() => this.look(), LOOK_EACH_MS),
      setInterval(() => this.sweep(), SWEEP_EACH_MS),
    );
  }

  /** Adds a verdict to those to be written. */
  add(what: Recorded): void {
    if (this.#verdicts.length >= MAX_WAITING) {
      this.#lost++;
      return;
    }
    this.#verdicts.push({ atMs: this.#options.nowMs(), what });
  }

  /** Verdicts that were not stored, for there were too many of them. */
  takeLost(): number {
    const lost = this.#lost;
    this.#lost = 0;
    return lost;
  }

  /** Writes a batch of what waits. */
  flush(): void {
    const verdicts = this.#verdicts;
    const batches = this.#kept.map((kept) => ({
      kept,
      changes: kept.shelf.take(BATCH),
    }));
    if (
      verdicts.length === 0 &&
      batches.every(({ changes }) => changes.length === 0)
    ) return;
    this.#verdicts = [];
    try {
      const { run } = this.#db;
      this.#db.transaction(() => {
        for (const { kept: { number }, changes } of batches) {
          for (const { key, untilMs, value } of changes) {
            if (value === undefined) run.forget.run(number, key);
            else run.remember.run(number, key, untilMs, JSON.stringify(value));
          }
        }
        for (const { atMs, what } of verdicts) {
          run.addVerdict.run(atMs, what.client, verdictJson(what));
        }
        this.#added += verdicts.length;
        // Under a flood the sweep would come too late.
        if (this.#added >= MAX_ADDED) {
          this.#added = 0;
          run.tooMany.run(this.#options.maxVerdicts());
        }
      });
      this.#isFailing = false;
    } catch (error) {
      for (const { kept, changes } of batches) kept.shelf.giveBack(changes);
      this.#verdicts = [...verdicts, ...this.#verdicts].slice(0, MAX_WAITING);
      this.#failed(error);
    }
  }

  /** Reads what an administrator said since. */
  look(): void {
    try {
      const { run } = this.#db;
      // Costs microseconds, and changes only when another process wrote.
      const version = Number(run.dataVersion.get()?.["data_version"]);
      if (version === this.#dataVersion) return;
      const orders = run.orders.all(this.#lastOrder);
      for (const row of orders) {
        this.#lastOrder = Number(row["n"]);
        const word = String(row["word"]);
        const network = String(row["network"]);
        if (isWord(word)) this.#options.onSaid(network, word);
        log("client-said", { network, word });
      }
      // A full answer may not be the last of it.
      if (orders.length < ORDERS_AT_ONCE) this.#dataVersion = version;
    } catch (error) {
      this.#failed(error);
    }
  }

  /**
   * An administrator says something of a network, by the console: kept, and
   * in force at once. False if it could not be written.
   */
  say(network: string, word: "allow" | "deny" | "forget"): boolean {
    const { run } = this.#db;
    try {
      this.#db.transaction(() => {
        if (word === "forget") run.unsay.run(network);
        else run.say.run(network, word, this.#options.nowMs());
      });
    } catch (error) {
      this.#failed(error);
      return false;
    }
    this.#options.onSaid(network, word);
    return true;
  }

  /**
   * The newest verdicts and what was said, of one network's clients or of all.
   * Reads a slice in each turn, and no further back than {@link MAX_SEARCHED}.
   */
  async shown(
    network: Network | null,
  ): Promise<{ verdicts: ShownVerdict[]; said: SaidOf[] }> {
    const isMeant = (text: string) =>
      network === null || touches(network, text);
    this.flush();
    const { run } = this.#db;
    const verdicts: ShownVerdict[] = [];
    let before = Number.MAX_SAFE_INTEGER;
    for (let seen = 0; seen < MAX_SEARCHED; seen += SLICE) {
      const rows = run.verdictsBefore.all(before, SLICE);
      for (const row of rows) {
        if (!isMeant(String(row["client"]))) continue;
        verdicts.push(verdictOf(row));
        if (verdicts.length === MAX_SHOWN) break;
      }
      if (rows.length < SLICE || verdicts.length === MAX_SHOWN) break;
      before = Number(rows.at(-1)!["n"]);
      await new Promise((resolve) => setImmediate(resolve));
    }
    const said: SaidOf[] = [];
    for (const row of run.said.iterate()) {
      const one = saidIn(row);
      if (isMeant(one.network)) said.push(one);
      if (said.length === MAX_SHOWN) break;
    }
    return { verdicts, said };
  }

  /** Writes what is left, as far as there is time, and closes. */
  stop(): void {
    for (const timer of this.#timers) clearInterval(timer);
    const untilMs = performance.now() + STOP_WITHIN_MS;
    do this.flush(); while (
      !this.#isFailing && performance.now() < untilMs &&
      this.#kept.some(({ shelf }) => shelf.waiting > 0)
    );
    this.#db.close();
  }

  /** Forgets what is over, in memory and on the disk. */
  sweep(): void {
    const nowMs = this.#options.nowMs();
    for (const { shelf } of this.#kept) shelf.sweep(nowMs);
    try {
      const { run } = this.#db;
      this.#db.transaction(() => {
        run.isOver.run(nowMs);
        run.tooOld.run(nowMs - this.#options.keepVerdictsMs());
        run.tooMany.run(this.#options.maxVerdicts());
        run.oldOrders.run(this.#lastOrder);
      });
    } catch (error) {
      this.#failed(error);
    }
  }

  #failed(error: unknown): void {
    if (!isSqlite(error)) throw error;
    if (this.#isFailing) return;
    this.#isFailing = true;
    log("gate-not-written", { why: (error as Error).message });
  }
}

/** A verdict as its row holds it, without what is empty. */
export function verdictJson({ verdict, ...about }: Recorded): string {
  const { action, code, enhanced, reply, rule, evidence, undo } = verdict;
  return JSON.stringify({
    action,
    code,
    reply: reply === "" ? "" : `${code} ${enhanced} ${reply}`,
    rule,
    evidence,
    undo,
    helo: about.helo,
    sender: about.sender,
    recipient: about.recipient,
    shadow: about.shadow,
  });
}

function isWord(word: string): word is "allow" | "deny" | "forget" {
  return word === "allow" || word === "deny" || word === "forget";
}

function isSqlite(error: unknown): boolean {
  return error instanceof Error &&
    (error as { code?: unknown }).code === "ERR_SQLITE_ERROR";
}

function parse(value: unknown): unknown {
  try {
    return JSON.parse(String(value));
  } catch {
    return undefined;
  }
}
