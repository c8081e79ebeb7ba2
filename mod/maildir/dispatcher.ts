/**
 * Decides what is delivered together.
 *
 * Never waits for company: a message that comes alone is delivered alone, at
 * once. While a batch is under way whatever comes collects, and is the next
 * batch; so batches grow with the load by themselves. A second one is written
 * while the first one's sync has the disk. Big messages go alone, a few at a
 * time, so that they hold up no batch.
 *
 * A repeat begins when what is under way of the same message has ended: the
 * queue that asked first may have died, and its delivery goes on.
 */
import { ownOutcome } from "../core/outcome.ts";
import type { Delivery, Tools } from "./draft_writer.ts";
import type { Durability } from "./durability.ts";
import { type Delivered, runRound } from "./round.ts";

/** Mailbox files written in one batch: they all stay open until it is synced. */
export const MAX_BATCH = 256;
/** Batches under way at once. */
export const MAX_BATCHES = 2;
/** Files that are worth a second batch. */
export const SECOND_FROM = 12;
/** Messages from this size on go alone. */
export const BIG_BYTES = 1024 * 1024;
/** Big messages under way at once. */
export const MAX_BIG = 4;
/**
 * A delivery that has not begun by then is put off: its asker gives up at
 * 300 s and asks again, and beginning now would only make a second copy.
 */
export const BEGIN_WITHIN_MS = 240_000;

interface Waiting {
  readonly delivery: Delivery;
  readonly beginUntilMs: number;
  readonly done: (delivered: Delivered) => void;
}

/** Runs rounds of delivery as deliveries come in. */
export class Dispatcher {
  readonly #options: {
    tools: Tools;
    lone: Durability;
    alone: Durability;
    together: Durability;
    syncfsFrom: () => number;
    onBatch?: (deliveries: number) => void;
    monotonicMs?: () => number;
  };
  readonly #nowMs: () => number;
  readonly #small: Waiting[] = [];
  readonly #big: Waiting[] = [];
  /** Files that the waiting small messages will become. */
  #smallFiles = 0;
  #aloneFiles = 0;
  #bigRunning = 0;
  #batches = 0;
  #isStartDue = false;
  readonly #rounds = new Set<Promise<void>>();
  /** By queue id: resolves when all of it that was asked for is done. */
  readonly #underWay = new Map<string, Promise<unknown>>();

  /**
   * @param options.lone How a message is put on disk while nothing else is
   * under way
   * @param options.alone How one of a few is
   * @param options.together How many are
   * @param options.syncfsFrom Files that make a batch, 2 or more
   * @param options.onBatch Told the number of files of each batch
   * @param options.monotonicMs The clock; a parameter for tests
   */
  constructor(options: {
    tools: Tools;
    lone: Durability;
    alone: Durability;
    together: Durability;
    syncfsFrom: () => number;
    onBatch?: (deliveries: number) => void;
    monotonicMs?: () => number;
  }) {
    this.#options = options;
    this.#nowMs = options.monotonicMs ?? (() => performance.now());
  }

  /** Delivers one message; resolves when it is on disk or has failed. */
  async deliver(delivery: Delivery): Promise<Delivered> {
    const beginUntilMs = this.#nowMs() + BEGIN_WITHIN_MS;
    const { queueId, isRepeat } = delivery;
    const before = this.#underWay.get(queueId);
    const ended = isRepeat && before !== undefined
      ? before.then(() => this.#enlist(delivery, beginUntilMs))
      : this.#enlist(delivery, beginUntilMs);
    const all = before === undefined ? ended : Promise.all([before, ended]);
    this.#underWay.set(queueId, all);
    const delivered = await ended;
    if (this.#underWay.get(queueId) === all) this.#underWay.delete(queueId);
    return delivered;
  }

  #enlist(delivery: Delivery, beginUntilMs: number): Promise<Delivered> {
    return new Promise((done) => {
      if (delivery.ref.sizeBytes >= BIG_BYTES) {
        this.#big.push({ delivery, beginUntilMs, done });
      } else {
        this.#small.push({ delivery, beginUntilMs, done });
        this.#smallFiles += delivery.recipients.length;
      }
      if (this.#isStartDue) return;
      // What came in one read from the queue's socket is looked at together.
      this.#isStartDue = true;
      queueMicrotask(() => this.#start());
    });
  }

  /** Resolves when all that is under way is done. */
  async idle(): Promise<void> {
    while (this.#rounds.size > 0) await Promise.all(this.#rounds);
  }

  #start(): void {
    this.#isStartDue = false;
    if (this.#rounds.size === 0) this.#options.tools.breather.begin();
    while (this.#big.length > 0 && this.#bigRunning < MAX_BIG) {
      this.#bigRunning++;
      this.#run([this.#big.shift()!], this.#options.alone, () => {
        this.#bigRunning--;
      });
    }
    const batchFrom = this.#options.syncfsFrom();
    while (this.#batches < MAX_BATCHES) {
      const worthFrom = this.#batches === 0 ? 0 : SECOND_FROM;
      if (this.#smallFiles < Math.max(batchFrom, worthFrom)) break;
      this.#startBatch();
    }
    if (this.#batches > 0) return;
    while (this.#small.length > 0 && this.#aloneFiles < batchFrom) {
      const durability = this.#isLone()
        ? this.#options.lone
        : this.#options.alone;
      const one = this.#take();
      const files = one.delivery.recipients.length;
      this.#aloneFiles += files;
      this.#run([one], durability, () => {
        this.#aloneFiles -= files;
      });
    }
  }

  #isLone(): boolean {
    return this.#smallFiles === 1 && this.#rounds.size === 0;
  }

  #startBatch(): void {
    const batch: Waiting[] = [];
    let files = 0;
    while (this.#small.length > 0 && files < MAX_BATCH) {
      const one = this.#take();
      files += one.delivery.recipients.length;
      batch.push(one);
    }
    this.#batches++;
    this.#options.onBatch?.(files);
    this.#run(batch, this.#options.together, () => {
      this.#batches--;
    });
  }

  #take(): Waiting {
    const one = this.#small.shift()!;
    this.#smallFiles -= one.delivery.recipients.length;
    return one;
  }

  #run(
    taken: readonly Waiting[],
    durability: Durability,
    after: () => void,
  ): void {
    const nowMs = this.#nowMs();
    const waiting = taken.filter((one) => !putOff(one, nowMs));
    const round = runRound(
      waiting.map((one) => one.delivery),
      this.#options.tools,
      durability,
    ).then((delivered) => {
      this.#rounds.delete(round);
      waiting.forEach((one, at) => one.done(delivered[at]!));
      after();
      this.#start();
    });
    this.#rounds.add(round);
  }
}

/** Ends a delivery that has waited too long; true if it has. */
function putOff(
  { delivery, beginUntilMs, done }: Waiting,
  nowMs: number,
): boolean {
  if (nowMs < beginUntilMs) return false;
  const outcome = ownOutcome("temporary", 451, "4.3.2", "Too busy, try later");
  done({ kind: "done", outcomes: delivery.recipients.map(() => outcome) });
  return true;
}
