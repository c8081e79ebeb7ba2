/**
 * Which job is next. Pure: no time, no I/O.
 *
 * Start-time fair queueing: every job carries a tag, one more than the later
 * of the last started tag and its message's previous tag. So the jobs of a
 * list with a thousand destinations lie far apart, and a single message that
 * comes after them still goes next. The smallest tag among the destinations
 * that have room wins.
 *
 * A destination's room is a window that starts small, grows by one a window
 * full of successes, and falls to one when the destination cannot be reached,
 * like a TCP sender's (and Postfix's qmgr).
 */
import { Heap } from "./heap.ts";

/** Jobs that a destination with an unknown temper gets at once. */
const FIRST_WINDOW = 5;

/** Whoever owns jobs: a message. Only the agenda changes `tag`. */
export interface Owner {
  tag: number;
}

interface Destination<J> {
  readonly name: string;
  waiting: Heap<J>;
  running: number;
  window: number;
  /** Tells a valid entry of the ready heap from those that became stale. */
  version: number;
}

interface Ready<J> {
  readonly destination: Destination<J>;
  readonly version: number;
}

/** The waiting jobs of one kind of delivery. */
export class Agenda<J> {
  readonly #limits: () => { all: number; each: number };
  readonly #slowStart: boolean;
  readonly #destinations = new Map<string, Destination<J>>();
  readonly #ready = new Heap<Ready<J>>();
  #running = 0;
  #tag = 0;

  constructor(options: {
    /** Jobs at once, in all and to one destination; read anew each time. */
    limits: () => { all: number; each: number };
    /** False: every destination has its full window from the start. */
    slowStart: boolean;
  }) {
    this.#limits = options.limits;
    this.#slowStart = options.slowStart;
  }

  /** Jobs started and not done. */
  get running(): number {
    return this.#running;
  }

  /** Jobs of a destination that wait. */
  waiting(name: string): number {
    return this.#destinations.get(name)?.waiting.size ?? 0;
  }

  /** Adds a job. */
  add(job: J, options: { destination: string; owner: Owner }): void {
    const { owner } = options;
    owner.tag = Math.max(owner.tag, this.#tag) + 1;
    const destination = this.#destination(options.destination);
    destination.waiting.push(owner.tag, job);
    this.#offer(destination);
  }

  /** The next job that has room, now running; undefined if there is none. */
  next(): { job: J; destination: string } | undefined {
    if (this.#running >= this.#limits().all) return undefined;
    let ready: Ready<J> | undefined;
    while ((ready = this.#ready.pop()) !== undefined) {
      const { destination, version } = ready;
      if (version !== destination.version) continue;
      const tag = destination.waiting.firstKey;
      if (tag === undefined || !this.#hasRoom(destination)) continue;
      const job = destination.waiting.pop()!;
      this.#tag = Math.max(this.#tag, tag);
      this.#running++;
      destination.running++;
      this.#offer(destination);
      return { job, destination: destination.name };
    }
    return undefined;
  }

  /** A job ended. `reached` is false if nobody answered over there. */
  done(name: string, reached: boolean): void {
    const destination = this.#destination(name);
    this.#running--;
    destination.running--;
    destination.window = reached
      ? Math.min(
        destination.window + 1 / destination.window,
        this.#limits().each,
      )
      : 1;
    if (destination.running === 0 && destination.waiting.size === 0) {
      this.#destinations.delete(name);
    } else {
      this.#offer(destination);
    }
  }

  /** Takes back every waiting job of a destination. */
  withdraw(name: string): J[] {
    const destination = this.#destinations.get(name);
    if (destination === undefined) return [];
    const jobs: J[] = [];
    for (
      let job = destination.waiting.pop();
      job !== undefined;
      job = destination.waiting.pop()
    ) jobs.push(job);
    if (destination.running === 0) this.#destinations.delete(name);
    return jobs;
  }

  #destination(name: string): Destination<J> {
    const known = this.#destinations.get(name);
    if (known !== undefined) return known;
    const each = this.#limits().each;
    const made: Destination<J> = {
      name,
      waiting: new Heap(),
      running: 0,
      window: this.#slowStart ? Math.min(FIRST_WINDOW, each) : each,
      version: 0,
    };
    this.#destinations.set(name, made);
    return made;
  }

  #hasRoom(destination: Destination<J>): boolean {
    const window = Math.min(destination.window, this.#limits().each);
    return destination.running < Math.max(1, Math.floor(window));
  }

  #offer(destination: Destination<J>): void {
    const tag = destination.waiting.firstKey;
    if (tag === undefined || !this.#hasRoom(destination)) return;
    destination.version++;
    this.#ready.push(tag, { destination, version: destination.version });
  }
}
