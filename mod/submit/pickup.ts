/**
 * The loop of the role: one message at a time, owners in turns.
 *
 * The directory tells by its own time that a name appeared, so four looks at
 * it a second cost nothing, and only then it is listed. Deno's watching of
 * files, which would be told by the kernel, opens what it is told of: the
 * first FIFO would hold it up for ever.
 */
import { log } from "../core/log.ts";
import { LogBrake } from "../core/log_brake.ts";
import type { Taking } from "./taking.ts";
import { kindOfName } from "./drop_file.ts";
import type { DropFiles } from "./drop_files.ts";
import { type TurnLimits, Turns } from "./turns.ts";

const LIMITS: TurnLimits = { perOwner: 5_000, inAll: 50_000 };
/** Names that are looked at before others have their turn. */
const SLICE = 1_000;
/** From one look at the directory to the next, when nothing else is to do. */
const LOOK_EVERY_MS = 250;
/** A longer listing rests by so much: what it finds shall be worked off. */
const REST_PER_LISTING = 2;
/** Names that come within it may have the same time, as files know it. */
const TICK_MS = 100;
/** As often as that a file may change under our eyes. */
const MAX_CHANGES = 5;
const CHANGED_REST_MS = 200;
const MAX_CHANGING = 10_000;
/** Names of no message that wait to be removed, and that go at a time. */
const MAX_JUNK = 100_000;
const JUNK_SLICE = 50;
/** In a second. */
const REMOVALS_TOLD = 10;
const FIRST_REST_MS = 500;
const LONGEST_REST_MS = 30_000;

/** What {@link Pickup} works with. */
export interface PickupOptions {
  readonly files: DropFiles;
  readonly take: (name: string) => Promise<Taking>;
  readonly count: (name: string, by?: number) => void;
  readonly limits?: TurnLimits;
}

/** See the file's head. */
export class Pickup {
  readonly #options: PickupOptions;
  readonly #turns: Turns;
  /** How often files changed while they were read. */
  readonly #changes = new Map<string, number>();
  readonly #brake = new LogBrake(REMOVALS_TOLD);
  /** Names that no message has. */
  #junk: string[] = [];
  #isTaking = false;
  readonly #stopped = Promise.withResolvers<void>();
  #isStopped = false;
  #restMs = 0;
  /** The directory's time at the last listing; NaN if it must be listed. */
  #listedMs = NaN;
  /** Monotonic. */
  #listAgainMs = 0;

  constructor(options: PickupOptions) {
    this.#options = options;
    this.#turns = new Turns(options.limits ?? LIMITS);
  }

  /** True if nothing is being taken, or waits to be, or may have appeared. */
  get isIdle(): boolean {
    return !this.#isTaking && this.#turns.size === 0 && !this.#turns.isCut &&
      this.#junk.length === 0 &&
      this.#options.files.changedMs() === this.#listedMs;
  }

  /** Ends {@link run} after the message that is being taken. */
  stop(): void {
    this.#isStopped = true;
    this.#stopped.resolve();
  }

  /** Works until it is stopped. */
  async run(): Promise<void> {
    while (!this.#isStopped) {
      if (this.#isListingDue()) await this.#list();
      const turn = this.#turns.next();
      this.#clear();
      if (turn !== undefined) await this.#take(turn);
      else if (this.#junk.length > 0) await turnOfEventLoop();
      else if (this.#turns.isCut) await this.#list();
      else await this.#rest(LOOK_EVERY_MS);
    }
  }

  #isListingDue(): boolean {
    return performance.now() >= this.#listAgainMs &&
      this.#options.files.changedMs() !== this.#listedMs;
  }

  async #take(turn: { uid: number; name: string }): Promise<void> {
    const { count } = this.#options;
    const { name, uid } = turn;
    this.#isTaking = true;
    const taking = await this.#options.take(name);
    this.#isTaking = false;
    if (taking.is !== "changing") this.#changes.delete(name);
    if (taking.is !== "later") this.#restMs = 0;
    switch (taking.is) {
      case "taken":
        count("taken");
        log("picked-up", { ...taking.facts });
        return;
      case "removed":
        count("removed");
        this.#tellRemoved(name, uid, taking.why);
        return;
      case "later":
        count("later");
        this.#restMs = Math.min(
          LONGEST_REST_MS,
          this.#restMs === 0 ? FIRST_REST_MS : 2 * this.#restMs,
        );
        log("pickup-waits", { why: taking.why, ms: this.#restMs });
        this.#turns.add(turn);
        await this.#rest(this.#restMs);
        return;
      case "changing":
        await this.#changed(turn);
        return;
      case "stays":
        count("stays");
        return;
      case "gone":
      case "unfinished":
        return;
    }
  }

  /** Who writes into a complete file is no `sendmail`. */
  async #changed(turn: { uid: number; name: string }): Promise<void> {
    const { files, count } = this.#options;
    const { name, uid } = turn;
    const changes = (this.#changes.get(name) ?? 0) + 1;
    if (changes >= MAX_CHANGES || this.#changes.size >= MAX_CHANGING) {
      this.#changes.delete(name);
      files.remove(name, false);
      count("removed");
      this.#tellRemoved(name, uid, "changing");
      return;
    }
    this.#changes.set(name, changes);
    this.#turns.add(turn);
    if (this.#turns.size === 1) await this.#rest(CHANGED_REST_MS);
  }

  #tellRemoved(name: string, uid: number, why: string): void {
    if (!this.#brake.mayWrite(Date.now())) return;
    const unwritten = this.#brake.takeLeftOut() || undefined;
    log("drop-removed", { name, uid, why, unwritten });
  }

  async #list(): Promise<void> {
    const { files, count } = this.#options;
    const from = performance.now();
    const changedMs = files.changedMs();
    const isSettled = Math.abs(Date.now() - changedMs) > TICK_MS;
    this.#listedMs = isSettled ? changedMs : NaN;
    this.#turns.isCut = false;
    this.#junk = [];
    // Names begin with their time: the oldest first.
    const names = [...await files.list()].sort();
    // An empty one is no work, and keeps nobody from resting.
    if (names.length > 0) count("listings");
    for (let at = 0; at < names.length && !this.#isStopped; at++) {
      this.#found(names[at]!);
      if (at % SLICE === SLICE - 1) await turnOfEventLoop();
    }
    const now = performance.now();
    this.#listAgainMs = now +
      Math.max(LOOK_EVERY_MS, REST_PER_LISTING * (now - from));
  }

  #found(name: string): void {
    if (kindOfName(name) === "junk") {
      // Whose it is, is looked at when it goes.
      if (this.#junk.length >= MAX_JUNK) this.#turns.isCut = true;
      else this.#junk.push(name);
      return;
    }
    const facts = this.#options.files.look(name);
    if (facts !== undefined) this.#turns.add({ uid: facts.uid, name });
  }

  /** Some of it between messages, so that no flood delays one for long. */
  #clear(): void {
    const { files, count } = this.#options;
    for (const name of this.#junk.splice(-JUNK_SLICE)) {
      const facts = files.look(name);
      if (facts === undefined) continue;
      if (files.remove(name, facts.isDirectory)) {
        count("removed");
        this.#tellRemoved(name, facts.uid, "no-message");
      } else count("stays");
    }
  }

  /** Until it is stopped, at most. */
  async #rest(ms: number): Promise<void> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, ms);
    });
    await Promise.race([late, this.#stopped.promise]);
    clearTimeout(timer);
  }
}

function turnOfEventLoop(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 0));
}
