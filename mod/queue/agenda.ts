/**
 * Which job is next. Pure: no I/O, and the time is given.
 *
 * Start-time fair queueing: every job carries a tag, one more than the later
 * of the last started tag and its message's previous tag. So the jobs of a
 * list with a thousand destinations lie far apart, and a single message that
 * comes after them still goes next. The smallest tag among the destinations
 * that have room wins.
 *
 * Destinations that nobody has reached yet may not take all there is: when half
 * of it is in use each of them gets one job at a time, and a tenth is kept for
 * those that were reached. Or 20 dead ones would hold everything for as long
 * as a connection may take.
 *
 * A destination's room is its window (`concurrency.ts`), or fewer if an
 * administrator says so; and if deliveries to it must start some time apart,
 * it has none until then.
 */
import { Concurrency } from "./concurrency.ts";
import { Heap } from "./heap.ts";

/** Idle destinations that are remembered, with what is known of them. */
const MAX_REMEMBERED = 10_000;
/** Part of all jobs that destinations may have that were not reached yet. */
const MOST_UNPROVEN = 0.9;
/** From this part of all jobs on, each of these has one at a time. */
const PRESSED = 0.5;

/** Whoever owns jobs: a message. Only the agenda changes `tag`. */
export interface Owner {
  tag: number;
}

/** What an administrator allows for one destination. */
export interface Allowance {
  /** Jobs at once. */
  readonly most: number;
  /** Least time between the starts of two jobs. */
  readonly intervalMs: number;
}

interface Destination<J> {
  readonly name: string;
  waiting: Heap<Waiting<J>>;
  running: number;
  concurrency: Concurrency;
  allowance: Allowance;
  /** No job starts before this. */
  notBeforeMs: number;
  /** It is among those that wait for it. */
  isPaused: boolean;
  /** It is among those that wait for others that were not reached yet. */
  isKeptBack: boolean;
  /** Tells a valid entry of the ready heap from those that became stale. */
  version: number;
}

interface Waiting<J> {
  readonly job: J;
  readonly owner: Owner;
}

interface Ready<J> {
  readonly destination: Destination<J>;
  readonly version: number;
}

/**
 * What a job's end says of its destination: it answered, nobody answered, or
 * nothing can be said.
 */
export type Feedback = "reached" | "failed" | "nothing";

/** The waiting jobs of one kind of delivery. */
export class Agenda<J> {
  readonly #atOnce: () => number;
  readonly #allowance: (destination: string) => Allowance;
  readonly #slowStart: boolean;
  readonly #destinations = new Map<string, Destination<J>>();
  /** The idle ones among them, idle longest first. */
  readonly #remembered = new Set<string>();
  readonly #ready = new Heap<Ready<J>>();
  /** Destinations whose interval is not over, by its end. */
  readonly #paused = new Heap<Destination<J>>();
  /** Destinations that are kept back, in the order of their turn. */
  readonly #keptBack = new Set<Destination<J>>();
  #running = 0;
  /** Jobs of these at destinations that were not reached yet. */
  #unproven = 0;
  #tag = 0;

  constructor(options: {
    /** Jobs at once in all; read anew each time. */
    atOnce: () => number;
    /** Asked when a destination becomes busy. */
    allowance: (destination: string) => Allowance;
    /** False: every destination has its full window from the start. */
    slowStart: boolean;
  }) {
    this.#atOnce = options.atOnce;
    this.#allowance = options.allowance;
    this.#slowStart = options.slowStart;
  }

  /** Jobs started and not done. */
  get running(): number {
    return this.#running;
  }

  /** When {@link next} has something although nothing ended until then. */
  get wakeMs(): number | undefined {
    return this.#paused.firstKey;
  }

  /** Jobs of a destination that wait. */
  waiting(name: string): number {
    return this.#destinations.get(name)?.waiting.size ?? 0;
  }

  /** Jobs that wait or run, by destination. */
  jobs(): ReadonlyMap<string, number> {
    const jobs = new Map<string, number>();
    for (const [name, { waiting, running }] of this.#destinations) {
      if (waiting.size + running > 0) jobs.set(name, waiting.size + running);
    }
    return jobs;
  }

  /** True if a delivery reached this destination, not long ago. */
  isProven(name: string): boolean {
    return this.#destinations.get(name)?.concurrency.isProven ?? false;
  }

  /** Adds a job. */
  add(job: J, options: { destination: string; owner: Owner }): void {
    const { owner } = options;
    owner.tag = Math.max(owner.tag, this.#tag) + 1;
    const destination = this.#destination(options.destination);
    destination.waiting.push(owner.tag, { job, owner });
    this.#offer(destination);
  }

  /** The next job that has room, now running; undefined if there is none. */
  next(nowMs: number): { job: J; destination: string } | undefined {
    this.#resume(nowMs);
    if (this.#running >= this.#atOnce()) return undefined;
    let ready: Ready<J> | undefined;
    while ((ready = this.#ready.pop()) !== undefined) {
      const { destination, version } = ready;
      if (version !== destination.version) continue;
      const tag = destination.waiting.firstKey;
      if (tag === undefined || !this.#hasRoom(destination)) continue;
      if (destination.notBeforeMs > nowMs) {
        destination.isPaused = true;
        this.#paused.push(destination.notBeforeMs, destination);
        continue;
      }
      if (this.#mustWait(destination)) {
        destination.isKeptBack = true;
        this.#keptBack.add(destination);
        continue;
      }
      const { job } = destination.waiting.pop()!;
      this.#tag = Math.max(this.#tag, tag);
      this.#running++;
      if (!destination.concurrency.isProven) this.#unproven++;
      destination.running++;
      const { intervalMs } = destination.allowance;
      if (intervalMs > 0) destination.notBeforeMs = nowMs + intervalMs;
      this.#offer(destination);
      return { job, destination: destination.name };
    }
    return undefined;
  }

  /** A job ended. True: so many failed in a row that its destination is dead. */
  done(name: string, feedback: Feedback): boolean {
    const destination = this.#destination(name);
    const wasProven = destination.concurrency.isProven;
    const isDead = this.#feed(destination, feedback);
    const { isProven } = destination.concurrency;
    if (isProven && !wasProven) this.#unproven -= destination.running;
    if (!isProven) this.#unproven--;
    this.#running--;
    destination.running--;
    if (isDead) this.#renew(destination, this.#concurrency(destination));
    this.#letOn(destination);
    this.#offer(destination);
    this.#dropIdle(destination);
    return isDead;
  }

  /** One job at a time, and dead again at its first failure: see `dead_list.ts`. */
  probe(name: string): void {
    this.#renew(this.#destination(name), new Concurrency(1));
  }

  /** It is there again, whatever was known: as many at once as at first. */
  revive(name: string): void {
    const destination = this.#destinations.get(name);
    if (destination === undefined) return;
    this.#renew(destination, this.#concurrency(destination));
    this.#offer(destination);
    this.#dropIdle(destination);
  }

  /** Takes back every waiting job of a destination. */
  withdraw(name: string): J[] {
    const destination = this.#destinations.get(name);
    if (destination === undefined) return [];
    const jobs: J[] = [];
    for (
      let one = destination.waiting.pop();
      one !== undefined;
      one = destination.waiting.pop()
    ) jobs.push(one.job);
    this.#dropIdle(destination);
    return jobs;
  }

  /** Takes back every waiting job of these owners; looks at all that wait. */
  withdrawOf(owners: ReadonlySet<Owner>): J[] {
    const jobs: J[] = [];
    for (const destination of [...this.#destinations.values()]) {
      const kept = new Heap<Waiting<J>>();
      for (const [tag, one] of destination.waiting.entries()) {
        if (owners.has(one.owner)) jobs.push(one.job);
        else kept.push(tag, one);
      }
      if (kept.size === destination.waiting.size) continue;
      destination.waiting = kept;
      this.#offer(destination);
      this.#dropIdle(destination);
    }
    return jobs;
  }

  #renew(destination: Destination<J>, concurrency: Concurrency): void {
    if (destination.concurrency.isProven) {
      this.#unproven += destination.running;
    }
    destination.concurrency = concurrency;
  }

  #mustWait({ running, concurrency }: Destination<J>): boolean {
    if (!this.#slowStart || concurrency.isProven) return false;
    const all = this.#atOnce();
    return this.#unproven >= Math.ceil(all * MOST_UNPROVEN) ||
      (running > 0 && this.#running >= all * PRESSED);
  }

  /** Something ended at `ended`: one that was kept back may have its turn. */
  #letOn(ended: Destination<J>): void {
    if (this.#keptBack.size === 0) return;
    const isEased = this.#running < this.#atOnce() * PRESSED;
    for (const one of isEased ? [...this.#keptBack] : [ended, this.#first()]) {
      if (one === undefined || !this.#keptBack.delete(one)) continue;
      one.isKeptBack = false;
      this.#offer(one);
    }
  }

  #first(): Destination<J> | undefined {
    return this.#keptBack.values().next().value;
  }

  #feed(destination: Destination<J>, feedback: Feedback): boolean {
    const { concurrency, running, allowance } = destination;
    switch (feedback) {
      case "reached":
        concurrency.succeeded(running, allowance.most);
        return false;
      case "failed":
        return concurrency.failed();
      case "nothing":
        return false;
    }
  }

  #destination(name: string): Destination<J> {
    const known = this.#destinations.get(name);
    if (known !== undefined) {
      if (this.#remembered.delete(name)) {
        known.concurrency.rest();
        known.allowance = this.#allowance(name);
      }
      return known;
    }
    const allowance = this.#allowance(name);
    const made: Destination<J> = {
      name,
      waiting: new Heap(),
      running: 0,
      concurrency: this.#concurrency({ allowance }),
      allowance,
      notBeforeMs: 0,
      isPaused: false,
      isKeptBack: false,
      version: 0,
    };
    this.#destinations.set(name, made);
    return made;
  }

  #concurrency({ allowance }: Pick<Destination<J>, "allowance">) {
    return new Concurrency(this.#slowStart ? undefined : allowance.most);
  }

  // What is idle and of which nothing is known is forgotten.
  #dropIdle(destination: Destination<J>): void {
    if (destination.running > 0 || destination.waiting.size > 0) return;
    this.#keptBack.delete(destination);
    destination.isKeptBack = false;
    const { name, concurrency, allowance } = destination;
    const isKnown = concurrency.isProven || concurrency.isTroubled;
    if (!isKnown && allowance.intervalMs === 0) {
      this.#destinations.delete(name);
      return;
    }
    this.#remembered.add(name);
    if (this.#remembered.size <= MAX_REMEMBERED) return;
    const oldest = this.#remembered.values().next().value!;
    this.#remembered.delete(oldest);
    this.#destinations.delete(oldest);
  }

  #hasRoom({ running, concurrency, allowance }: Destination<J>): boolean {
    return running < Math.min(concurrency.room, allowance.most);
  }

  #offer(destination: Destination<J>): void {
    const tag = destination.waiting.firstKey;
    if (tag === undefined) return;
    if (destination.isPaused || destination.isKeptBack) return;
    if (!this.#hasRoom(destination)) return;
    destination.version++;
    this.#ready.push(tag, { destination, version: destination.version });
  }

  #resume(nowMs: number): void {
    while ((this.#paused.firstKey ?? Infinity) <= nowMs) {
      const destination = this.#paused.pop()!;
      destination.isPaused = false;
      this.#offer(destination);
    }
  }
}
