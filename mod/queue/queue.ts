/**
 * The queue as a whole: opens the files, sweeps, and joins the parts. Knows
 * no sockets: edges are given, and `main.ts` connects the calls.
 */
import fs from "node:fs";
import type { DatabaseSync } from "node:sqlite";
import { log } from "../core/log.ts";
import type { AnswerOf, AskedOf, Verdict } from "../ipc/call.ts";
import { ConsoleDesk } from "./console_desk.ts";
import {
  askReadOnly,
  databasePath,
  openDatabase,
  QueueUnusable,
  SCHEMA_VERSION,
  unusable,
} from "./database_io.ts";
import type { DeliveryEdges } from "./deliver.ts";
import { DelayHistogram } from "../core/delay_histogram.ts";
import { Dispatcher } from "./dispatch.ts";
import { EventLog } from "./event_log.ts";
import { EventStore } from "./event_store_io.ts";
import { faultOf } from "./fault_io.ts";
import { boundedStory } from "./finding.ts";
import { Finisher } from "./finisher.ts";
import { Flush, type FlushAsk } from "./flush.ts";
import { Forgetting } from "./forgetting.ts";
import { GroupCommit } from "./group_commit.ts";
import { shownMessage } from "./inspect.ts";
import { Intake } from "./intake.ts";
import { KeyFile } from "./keys_io.ts";
import { stateOf } from "./listing.ts";
import { LogSync } from "./log_sync_io.ts";
import { type Message, MESSAGE_STATES } from "./message.ts";
import { NoticeWriter } from "./notice_writer.ts";
import { Notices } from "./notices.ts";
import { Orders } from "./orders.ts";
import { lastMeant } from "./orders_io.ts";
import { OwnMail } from "./own_mail.ts";
import { MAX_STORY, type queueContract, STATES } from "./queue_ipc.ts";
import { Reserve } from "./reserve_io.ts";
import type { QueuePart } from "./role.ts";
import { SteadyClock } from "./schedule.ts";
import { StateCounts } from "./state_counts.ts";
import { Stragglers } from "./stragglers.ts";
import { type SpoolEdge, SpoolLink } from "./spool_link.ts";
import { type MessageRow, SLICE, Store } from "./store_io.ts";
import { sweep, type Swept } from "./sweep.ts";
import { type Texts, TlsReporter } from "./tls_reporter.ts";
import { Watch } from "./watch.ts";
import { WriteAheadLog } from "./write_ahead_log_io.ts";

type Calls = typeof queueContract.calls;

/** Absences shorter than this count towards a message's age. */
const SHORT_ABSENCE_MS = 3_600_000;
/** For deliveries under way at an orderly stop; the role has 5 s in all. */
const STOP_WITHIN_MS = 2_000;
/** EX_IOERR of sysexits(3): the supervisor starts us again. */
const EXIT_LOG_LOST = 74;

/** The edges that the queue asks. */
export interface Edges extends DeliveryEdges {
  readonly spool: SpoolEdge;
}

/** The queue manager. */
export class Queue {
  readonly #part: () => QueuePart;
  readonly #clock: SteadyClock;
  readonly #keys: KeyFile;
  readonly #store: Store;
  readonly #log: LogSync;
  readonly #reserve: Reserve;
  readonly #commit: GroupCommit;
  readonly #link: SpoolLink;
  readonly #dispatcher: Dispatcher;
  readonly #intake: Intake;
  readonly #history: EventLog;
  readonly #wal: WriteAheadLog;
  readonly #forgetting: Forgetting;
  readonly #stragglers: Stragglers;
  readonly #watch: Watch;
  readonly #reporter: TlsReporter;
  readonly #flush: Flush;
  readonly #orders: Orders;
  /** What the console asks. */
  readonly desk: ConsoleDesk;
  readonly #totals = new Map<string, number>();
  readonly #delays = new DelayHistogram();
  readonly #states: StateCounts;
  #messages = 0;
  #isStarted = false;
  #isStopping = false;
  #nextNumber: number;

  /**
   * Opens the files and sweeps them. Nothing is asked or delivered yet, see
   * {@link start}.
   *
   * @throws {QueueUnusable} If the files cannot be used; nothing was changed
   */
  constructor(options: {
    part: () => QueuePart;
    edges: Edges;
    /** Asks for text records; without it no TLS reports are sent. */
    texts?: Texts;
    count: (name: string, by?: number) => void;
    /** Uniform in [0, 1); parameters, so that tests are exact. */
    random?: () => number;
    clock?: SteadyClock;
    /** Ends the process; a parameter for tests. */
    end?: () => void;
  }) {
    const { part, edges, count } = options;
    this.#part = part;
    this.#clock = options.clock ?? new SteadyClock({
      onJump: (byMs) => log("clock-jumped", { byMs }),
    });
    const { dir } = part();
    this.#keys = openKeys(dir);
    this.#reserve = new Reserve(`${dir}/reserve`, part().minFreeBytes);
    const history = this.#history = new EventLog({
      open: () => new EventStore(part().eventsDir),
      limits: () => ({
        keepMs: part().keepEventsMs,
        maxBytes: part().maxEventsBytes,
      }),
      nowMs: () => this.#clock.nowMs(),
      mayWrite: () => this.#reserve.isKept,
      count,
    });
    const db = openDatabase(dir, {
      takeEvents: (batches) => history.takeOver(batches),
    });
    this.#store = new Store(db, history);
    this.#states = new StateCounts(this.#store);
    this.#wal = openLog(db, databasePath(dir));
    this.#log = new LogSync(databasePath(dir));
    this.#nextNumber = Math.max(this.#store.lastNumber(), lastMeant(dir)) + 1;
    const store = this.#store;
    const keys = this.#keys;
    const around = {
      part,
      nowMs: () => this.#clock.nowMs(),
      wallMs: Date.now,
      random: options.random ?? Math.random,
      count: (name: string, by = 1) => {
        count(name, by);
        this.#totals.set(name, (this.#totals.get(name) ?? 0) + by);
      },
      delivered: (delayMs: number) => this.#delays.add(delayMs),
      nextNumber: () => this.#nextNumber++,
    };
    const commit = this.#commit = new GroupCommit({
      store,
      keys,
      log: this.#log,
      onLost: () => {
        log("queue-log-lost", { alarm: true });
        (options.end ?? (() => Deno.exit(EXIT_LOG_LOST)))();
      },
      probe: () => store.setLastSeen(this.#clock.nowMs()),
      onFault: (refusal, why) => {
        log("queue-fault", { refusal, why });
        if (refusal === "full") this.#reserve.giveUp();
      },
    });
    const link = this.#link = new SpoolLink({ spool: edges.spool, store });
    const finisher = new Finisher({
      commit,
      spool: link,
      onGone: () => this.#messages--,
      onErased: ({ id: queueId, ref }) =>
        history.add([{
          atMs: this.#clock.nowMs(),
          queueId,
          recipient: "",
          what: "erased",
          text: ref.segment,
        }]),
    });
    const notices = new Notices({
      writer: new NoticeWriter({
        spool: edges.spool,
        link,
        store,
        keys,
        commit,
        around,
        onNotice: (notice) => this.#noticed(notice),
      }),
      store,
      commit,
      around,
    });
    const reporter = this.#reporter = new TlsReporter({
      history,
      texts: options.texts ?? nobodyToAsk,
      around,
      mail: new OwnMail({
        spool: edges.spool,
        link,
        store,
        keys,
        commit,
        around,
        mayAccept: () => this.#mayAccept(),
        onQueued: (message) => this.#noticed(message),
      }),
    });
    const dispatcher = this.#dispatcher = new Dispatcher({
      edges,
      store,
      keys,
      commit,
      finisher,
      notices,
      around,
      onTlsResults: (results) => reporter.add(results),
    });
    this.#intake = new Intake({
      store,
      keys,
      commit,
      link,
      dispatcher,
      finisher,
      around,
      onAccepted: () => this.#messages++,
    });
    this.#stragglers = new Stragglers({
      spool: edges.spool,
      link,
      store,
      commit,
      isActive: (n) => dispatcher.isActive(n),
      count: around.count,
    });
    this.#forgetting = new Forgetting({
      log: this.#wal,
      commits: () => commit.commits,
      withinMs: () => part().forgetWithinMs,
    });
    this.#flush = new Flush({ store, commit, dispatcher, around });
    this.#orders = new Orders({
      store,
      keys,
      commit,
      dispatcher,
      finisher,
      flush: this.#flush,
      around,
    });
    this.desk = new ConsoleDesk({
      part,
      source: {
        store,
        activeRows: () => dispatcher.activeRows(),
        isActive: (n) => dispatcher.isActive(n),
      },
      messages: () => Math.max(0, this.#messages),
      destinations: () => dispatcher.destinations(),
      carryOut: async () => {
        await this.#orders.look();
        this.#states.expire();
      },
    });
    this.#watch = new Watch({ forgetting: this.#forgetting, history, around });
    commit.onRecovered = () => {
      log("queue-recovered");
      dispatcher.refill();
    };
  }

  /**
   * Sweeps what a former process left, and begins to deliver. Before it nothing
   * is accepted. In an upgrade's trial it does nothing: it is called again
   * when the trial is over.
   */
  start(): void {
    const part = this.#part();
    if (this.#isStarted || part.isTrial) return;
    this.#isStarted = true;
    const startedMs = performance.now();
    this.#renewKeys();
    const swept = sweep({
      store: this.#store,
      keys: this.#keys,
      nowMs: this.#clock.nowMs(),
      furthestMs: part.maxRetryMs * 2,
    });
    this.#messages = swept.messages;
    this.#mend(swept);
    if (swept.awayMs > SHORT_ABSENCE_MS) {
      // Time that nobody tried is not counted against the mail, and a clock
      // that was set while we were away looks the same.
      const nowMs = this.#clock.nowMs();
      this.#dispatcher.graceUntilMs = nowMs +
        Math.min(swept.awayMs, part.expireMs);
      this.#dispatcher.warnFromMs = nowMs + part.delayWarningMs;
    }
    log("queue-swept", {
      messages: swept.messages,
      unconfirmed: swept.unconfirmed.length,
      neverAcknowledged: swept.keyless.length,
      corrupt: swept.corrupt.length,
      finished: swept.childless,
      strayKeys: swept.strays.length,
      clockWentBack: swept.clockWentBack,
      tookMs: Math.round(performance.now() - startedMs),
    });
    this.#watch.start({
      tick: () => {
        this.#dispatcher.refill();
        void this.#orders.look();
        if (!this.#reserve.isKept && !this.#restoreReserve()) {
          this.#forgetting.makeRoom();
        }
      },
    });
    this.#stragglers.start();
    this.#reporter.start();
    this.#dispatcher.refill();
  }

  /** Moves what pins the spool's segments now, and not within a minute. */
  moveStragglers(): Promise<void> {
    return this.#stragglers.round();
  }

  /** Carries out what administrators ordered, now and not within a second. */
  carryOutOrders(): Promise<void> {
    return this.#orders.look();
  }

  /** A spool plugged in. */
  spoolPlugged(): void {
    void this.#link.plugged();
  }

  /** See `queue_ipc.ts`. */
  async accept(
    ask: AskedOf<Calls["accept"]>,
    asker: string,
  ): Promise<Verdict<Calls["accept"]>> {
    if (!this.#mayAccept()) {
      return { refusal: "full" };
    }
    const verdict = await this.#intake.accept(ask, asker);
    return verdict === "done" ? { answer: {} } : { refusal: verdict };
  }

  /** See `queue_ipc.ts`. */
  flush(ask: FlushAsk): Promise<number> {
    return this.#flush.flush(ask);
  }

  /** Recipients that waited no longer than the i-th bound; all, beyond them. */
  delaysUpTo(i: number): number {
    return this.#delays.read().upTo[i] ?? 0;
  }

  /** See `queue_ipc.ts`; states as of some seconds ago. */
  counts(): AnswerOf<Calls["counts"]> {
    const stored = this.#states.read();
    const active = this.#dispatcher.activeCounts();
    const of = (state: typeof STATES[number]) => stored.get(state) ?? 0;
    return {
      byState: {
        incoming: Math.max(0, of("incoming") - active.incoming),
        active: active.incoming + active.deferred,
        deferred: Math.max(0, of("deferred") - active.deferred),
        hold: of("hold"),
        bounce: of("bounce"),
        corrupt: of("corrupt"),
      },
      accepted: this.#totals.get("accepted") ?? 0,
      delivered: this.#totals.get("delivered") ?? 0,
      deferred: this.#totals.get("deferred") ?? 0,
      bounced: this.#totals.get("bounced") ?? 0,
      delays: this.#delays.read(),
    };
  }

  /** See `queue_ipc.ts`. */
  find(
    { words, limit }: Omit<AskedOf<Calls["find"]>, "grant">,
  ): AnswerOf<Calls["find"]> {
    const told = this.#history.look((store) => store.find({ words, limit })) ??
      [];
    return {
      found: told.map((one) => {
        const row = this.#store.byId(one.queueId);
        return row === undefined ? one : { ...one, state: this.#stateOf(row) };
      }),
    };
  }

  /** See `queue_ipc.ts`. */
  story(
    { queueId }: Omit<AskedOf<Calls["story"]>, "grant">,
  ): AnswerOf<Calls["story"]> | undefined {
    const row = this.#store.byId(queueId);
    const events = this.#history.look((store) => store.story(queueId)) ?? [];
    if (row === undefined && events.length === 0) return undefined;
    const message = row && shownMessage(this.#part().dir, queueId);
    // The types of answers know no `readonly` lists.
    return {
      message: message === undefined ? null : {
        ...message,
        recipients: message.recipients.slice(0, MAX_STORY.recipients),
      },
      events: boundedStory(events, MAX_STORY.events),
    } as AnswerOf<Calls["story"]>;
  }

  /**
   * Starts nothing more, waits a little for what is being delivered (so that
   * it need not be delivered again), commits, and closes the files.
   */
  async stop(): Promise<void> {
    this.#isStopping = true;
    this.#states.stop();
    this.#watch.stop();
    this.#stragglers.stop();
    this.#dispatcher.stop();
    const until = performance.now() + STOP_WITHIN_MS;
    while (this.#dispatcher.running > 0 && performance.now() < until) {
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    await this.#reporter.stop();
    this.#link.close();
    this.#intake.mark();
    await this.#commit.drain();
    await this.#history.close();
    await this.#forgetting.finish();
    this.#log.close();
    this.#store.close();
    this.#wal.close();
    this.#keys.close();
  }

  #mayAccept(): boolean {
    return this.#isStarted && !this.#isStopping && this.#reserve.isKept &&
      this.#messages < this.#part().maxMessages;
  }

  // A disk that is full must not keep queued mail from going out.
  #renewKeys(): void {
    try {
      this.#keys.renew();
    } catch (error) {
      log("queue-fault", {
        refusal: faultOf(error),
        why: "the keys could not be written again",
      });
    }
  }

  // Not while commits fail: they are tried again once a second, and what was
  // given up for them must still be there then.
  #restoreReserve(): boolean {
    return this.#commit.failing === undefined && this.#reserve.restore();
  }

  #stateOf({ n }: MessageRow) {
    if (this.#dispatcher.isActive(n)) return "active" as const;
    const recipients = this.#store.recipientsOf(n, SLICE);
    return stateOf(recipients.find((one) => one.state !== "incoming"));
  }

  #noticed(notice: Message): void {
    this.#messages++;
    if (!this.#dispatcher.offer(notice)) this.#dispatcher.overflowed(notice.n);
  }

  #mend(swept: Swept): void {
    for (const slot of swept.strays) void this.#commit.wipeKey(slot);
    for (const row of swept.keyless) void this.#intake.neverAcknowledged(row);
    for (const row of swept.unconfirmed) {
      this.#intake.leftOver(this.#store.load(row, this.#clock.nowMs()));
    }
    for (const row of swept.corrupt) {
      log("message-corrupt", { id: row.id, why: "no key", alarm: true });
      void this.#commit.write(() => this.#store.corrupt(row.n));
    }
  }
}

const nobodyToAsk: Texts = () =>
  Promise.resolve({ kind: "failed", why: "there is no DNS role" });

/**
 * Opens the database's log and empties it. After that nothing rests on frames
 * whose sync a former process may have seen fail: they were written again,
 * into the database, and synced.
 */
function openLog(db: DatabaseSync, path: string): WriteAheadLog {
  try {
    const found = new WriteAheadLog(db, path);
    found.empty();
    return found;
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    throw unusable(path, error.message);
  }
}

/**
 * Opens the key file. A database that is missing while there are keys is not
 * an empty queue, it is a lost one, and messages without a key file are no
 * damaged ones, each for itself: that is for a human.
 */
function openKeys(dir: string): KeyFile {
  const isMissing = !fs.existsSync(databasePath(dir));
  if (!isMissing && !fs.existsSync(`${dir}/keys`)) refuseWithoutKeys(dir);
  const keys = new KeyFile(`${dir}/keys`);
  if (!isMissing) return keys;
  let live = 0;
  const image = keys.image();
  for (let slot = 0; slot < keys.slots; slot++) {
    if (!image.isBlank(slot)) live++;
  }
  image.forget();
  if (live === 0) return keys;
  keys.close();
  throw new QueueUnusable(
    `Cannot use ${databasePath(dir)}: it is missing, but ${dir}/keys holds ` +
      `the keys of ${live} messages. Nothing was changed. Run \`bulkhead ` +
      "check\`, and restore queue.db from a backup; or, to give that mail " +
      "up, move both files away.",
  );
}

/** A key file that was never made has nobody who was told 250. */
function refuseWithoutKeys(dir: string): void {
  const confirmed = askReadOnly(
    databasePath(dir),
    SCHEMA_VERSION,
    (db) => {
      const tables = "SELECT 1 FROM sqlite_schema WHERE name = 'messages'";
      if (db.prepare(tables).get() === undefined) return 0;
      return Number(
        db.prepare("SELECT count(*) AS n FROM messages WHERE state = ?")
          .get(MESSAGE_STATES.indexOf("queued"))!["n"],
      );
    },
  );
  if (confirmed === 0) return;
  throw new QueueUnusable(
    `Cannot use ${databasePath(dir)}: ${dir}/keys is missing, and without it ` +
      `nobody can read the ${confirmed} messages that wait. Nothing was ` +
      "changed. Bring it back from where it was moved to, or restore a " +
      "backup; or, to give that mail up, move queue.db away, too.",
  );
}
