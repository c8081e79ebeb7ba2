/**
 * The loop of the role: one message at a time, owners in turns. Names come
 * from the kernel as they appear; the directory is listed at the start, when
 * names did not fit, and now and then, for the kernel may have lost some.
 */
import { log } from "../core/log.ts";
import type { Taking } from "./taking.ts";
import { kindOfName } from "./drop_file.ts";
import type { DropFiles } from "./drop_files.ts";
import { type TurnLimits, Turns } from "./turns.ts";

const LIMITS: TurnLimits = { perOwner: 1_000, inAll: 50_000 };
/** Names that are looked at before others have their turn. */
const SLICE = 1_000;
/** Watched, the directory is listed that often all the same. */
const LIST_EVERY_MS = 60_000;
/** The kernel may have no watch left: then it is looked at each second. */
const LIST_UNWATCHED_MS = 1_000;
/** As often as that a file may change under our eyes. */
const MAX_CHANGES = 5;
const CHANGED_REST_MS = 200;
const MAX_CHANGING = 10_000;
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
  #isTaking = false;
  #wake = Promise.withResolvers<void>();
  #isStopped = false;
  #restMs = 0;
  #listEveryMs = LIST_EVERY_MS;

  constructor(options: PickupOptions) {
    this.#options = options;
    this.#turns = new Turns(options.limits ?? LIMITS);
  }

  /** A name has appeared, or changed. */
  arrived(name: string): void {
    // One that is being written gets its own name when it is complete.
    if (kindOfName(name) === "part") return;
    const facts = this.#options.files.look(name);
    if (facts === undefined) return;
    this.#turns.add({ uid: facts.uid, name });
    this.#wake.resolve();
  }

  /** True if no message is being taken, or waits to be. */
  get isIdle(): boolean {
    return !this.#isTaking && this.#turns.size === 0;
  }

  /** Nobody tells of names any more: they must be looked for. */
  unwatched(): void {
    this.#listEveryMs = LIST_UNWATCHED_MS;
    this.#wake.resolve();
  }

  /** Ends {@link run} after the message that is being taken. */
  stop(): void {
    this.#isStopped = true;
    this.#wake.resolve();
  }

  /** Works until it is stopped. */
  async run(): Promise<void> {
    await this.#list();
    while (!this.#isStopped) {
      const turn = this.#turns.next();
      if (turn !== undefined) {
        await this.#take(turn);
        continue;
      }
      if (!this.#turns.isCut) await this.#rest(this.#listEveryMs, true);
      if (!this.#isStopped && this.#turns.size === 0) await this.#list();
    }
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
        if (taking.why !== "abandoned" || uid !== 0) {
          log("drop-removed", { name, uid, why: taking.why });
        }
        return;
      case "later":
        count("later");
        this.#restMs = Math.min(
          LONGEST_REST_MS,
          this.#restMs === 0 ? FIRST_REST_MS : 2 * this.#restMs,
        );
        log("pickup-waits", { why: taking.why, ms: this.#restMs });
        this.#turns.add(turn);
        await this.#rest(this.#restMs, false);
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
      log("drop-removed", { name, uid, why: "changing" });
      return;
    }
    this.#changes.set(name, changes);
    this.#turns.add(turn);
    if (this.#turns.size === 1) await this.#rest(CHANGED_REST_MS, false);
  }

  async #list(): Promise<void> {
    const { files, count } = this.#options;
    this.#turns.isCut = false;
    // Names begin with their time: the oldest first.
    const names = [...await files.list()].sort();
    // An empty one is no work, and keeps nobody from resting.
    if (names.length > 0) count("listings");
    for (let at = 0; at < names.length && !this.#isStopped; at++) {
      const name = names[at]!;
      const facts = files.look(name);
      if (facts !== undefined) this.#turns.add({ uid: facts.uid, name });
      if (at % SLICE === SLICE - 1) await turnOfEventLoop();
    }
  }

  async #rest(ms: number, untilWoken: boolean): Promise<void> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, ms);
    });
    if (untilWoken || this.#isStopped) {
      await Promise.race([late, this.#wake.promise]);
    } else await late;
    clearTimeout(timer);
    this.#wake = Promise.withResolvers<void>();
    if (this.#isStopped) this.#wake.resolve();
  }
}

function turnOfEventLoop(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 0));
}
