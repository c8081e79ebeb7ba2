/**
 * Which job is next. Pure: no I/O, and the time is given.
 *
 * Start-time fair queueing: every job carries a tag, one more than the later
 * of the last started tag and its message's previous tag. So the jobs of a
 * list with a thousand destinations lie far apart, and a single message that
 * comes after them still goes next. The smallest tag among the destinations
 * that have room wins.
 *
 * A destination's room is its window (`concurrency.ts`), or fewer if an
 * administrator says so; and if deliveries to it must start some time apart,
 * it has none until then.
 */
import { Concurrency } from "./concurrency.ts";
import { Heap } from "./heap.ts";

/** Most idle destinations whose last delivery failed that are remembered. */
const MAX_TROUBLED = 10_000;

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
  readonly allowance: Allowance;
  /** No job starts before this. */
  notBeforeMs: number;
  /** It is among those that wait for it. */
  isPaused: boolean;
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
  /** Those among them that are kept for their trouble only, oldest first. */
  readonly #troubled = new Set<string>();
  readonly #ready = new Heap<Ready<J>>();
  /** Destinations whose interval is not over, by its end. */
  readonly #paused = new Heap<Destination<J>>();
  #running = 0;
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

  /** True if a delivery reached this destination since it became busy. */
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
      const { job } = destination.waiting.pop()!;
      this.#tag = Math.max(this.#tag, tag);
      this.#running++;
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
    const isDead = this.#feed(destination, feedback);
    this.#running--;
    destination.running--;
    if (isDead) destination.concurrency = this.#concurrency(destination);
    this.#offer(destination);
    this.#dropIdle(destination);
    return isDead;
  }

  /** One job at a time, and dead again at its first failure: see `dead_list.ts`. */
  probe(name: string): void {
    this.#destination(name).concurrency = new Concurrency(1);
  }

  /** It is there again, whatever was known: as many at once as at first. */
  revive(name: string): void {
    const destination = this.#destinations.get(name);
    if (destination === undefined) return;
    destination.concurrency = this.#concurrency(destination);
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
      this.#troubled.delete(name);
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
      version: 0,
    };
    this.#destinations.set(name, made);
    return made;
  }

  #concurrency({ allowance }: Pick<Destination<J>, "allowance">) {
    return new Concurrency(this.#slowStart ? undefined : allowance.most);
  }

  // What is idle and not in trouble is forgotten: who comes next is new.
  #dropIdle(destination: Destination<J>): void {
    if (destination.running > 0 || destination.waiting.size > 0) return;
    const { name, concurrency, allowance } = destination;
    if (!concurrency.isTroubled && allowance.intervalMs === 0) {
      this.#destinations.delete(name);
      return;
    }
    this.#troubled.add(name);
    if (this.#troubled.size <= MAX_TROUBLED) return;
    const oldest = this.#troubled.values().next().value!;
    this.#troubled.delete(oldest);
    this.#destinations.delete(oldest);
  }

  #hasRoom({ running, concurrency, allowance }: Destination<J>): boolean {
    return running < Math.min(concurrency.room, allowance.most);
  }

  #offer(destination: Destination<J>): void {
    const tag = destination.waiting.firstKey;
    if (tag === undefined || destination.isPaused) return;
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
