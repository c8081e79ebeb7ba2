/**
 * When the database's log is made to forget, so that the addresses of
 * finished messages are gone within `forget_within`: at half of that time
 * while mail flows (the file keeps its size), and, its blocks given back, as
 * soon as it is quiet. A reader in the way is waited for; one that stays too
 * long is told in the log.
 */
import { log } from "../core/log.ts";
import { faultOf } from "./fault_io.ts";
import type { WriteAheadLog } from "./write_ahead_log_io.ts";

const MIN_TICK_MS = 100;
const MAX_TICK_MS = 1_000;
/** A log larger than this was held by a reader, and is not kept at that. */
const MAX_KEPT_BYTES = 16 * 1_048_576;
const ROOM_MS = 2_000;

/** The timing; see the file's head. */
export class Forgetting {
  readonly #log: Pick<WriteAheadLog, "scrub" | "empty" | "sizeBytes">;
  readonly #commits: () => number;
  readonly #withinMs: () => number;
  readonly #nowMs: () => number;
  #timer: ReturnType<typeof setInterval> | undefined;
  /** Commits that are forgotten, and those seen at the last tick. */
  #forgotten = -1;
  #seen = -1;
  #tickedMs: number;
  /** No commit that is not forgotten is older; undefined if there is none. */
  #dirtySinceMs: number | undefined;
  #quietSinceMs: number;
  #isEmptied = false;
  #isScrubbing = false;
  #isLate = false;
  #roomAtMs = 0;

  constructor(options: {
    log: Pick<WriteAheadLog, "scrub" | "empty" | "sizeBytes">;
    /** Transactions committed so far. */
    commits: () => number;
    withinMs: () => number;
    /** Monotonic. @default {performance.now} */
    nowMs?: () => number;
  }) {
    this.#log = options.log;
    this.#commits = options.commits;
    this.#withinMs = options.withinMs;
    this.#nowMs = options.nowMs ?? (() => performance.now());
    this.#tickedMs = this.#quietSinceMs = this.#nowMs();
  }

  /** Starts the timer. */
  start(): void {
    const tickMs = Math.min(
      MAX_TICK_MS,
      Math.max(MIN_TICK_MS, this.#withinMs() / 8),
    );
    this.#timer = setInterval(() => void this.tick(), tickMs);
  }

  /** Stops the timer. */
  stop(): void {
    clearInterval(this.#timer);
  }

  /** For the end: forgets all, as far as a failing disk lets it. */
  async finish(): Promise<void> {
    this.stop();
    await this.#scrub(this.#commits());
    // Closing gives the log's blocks back as they are.
    this.#empty();
  }

  /** Does what is due. */
  async tick(): Promise<void> {
    const nowMs = this.#nowMs();
    const commits = this.#commits();
    if (commits !== this.#seen) this.#quietSinceMs = nowMs;
    // The first of them may have come right after the tick before.
    if (commits !== this.#forgotten) this.#dirtySinceMs ??= this.#tickedMs;
    this.#seen = commits;
    this.#tickedMs = nowMs;
    if (this.#isScrubbing) return;
    const withinMs = this.#withinMs();
    const isQuiet = nowMs - this.#quietSinceMs >= withinMs / 4;
    const dirtyMs = nowMs - (this.#dirtySinceMs ?? nowMs);
    const isDirty = this.#dirtySinceMs !== undefined;
    if (isDirty && (isQuiet || dirtyMs >= withinMs / 2)) {
      await this.#scrub(commits);
    } else if (!isDirty && !this.#isEmptied) {
      // A log that a reader made grow is not kept at that size.
      const isLarge = this.#log.sizeBytes > MAX_KEPT_BYTES;
      if (isQuiet || isLarge) this.#empty();
    }
    this.#tellLate(dirtyMs, withinMs);
  }

  /** The disk is full: gives the log's blocks back, every other second at most. */
  makeRoom(): void {
    const nowMs = this.#nowMs();
    if (nowMs < this.#roomAtMs || this.#isScrubbing) return;
    this.#roomAtMs = nowMs + ROOM_MS;
    this.#empty();
  }

  async #scrub(commits: number): Promise<void> {
    this.#isScrubbing = true;
    this.#isEmptied = false;
    const beganMs = this.#nowMs();
    try {
      if (await this.#log.scrub() !== "done") return;
      this.#forgotten = commits;
      this.#isLate = false;
      // What was committed meanwhile is as old as the scrub at most.
      this.#dirtySinceMs = this.#commits() === commits ? undefined : beganMs;
    } catch (error) {
      log("checkpoint-failed", { refusal: faultOf(error) });
    } finally {
      this.#isScrubbing = false;
    }
  }

  #empty(): void {
    try {
      this.#isEmptied = this.#log.empty() === "done";
    } catch (error) {
      log("checkpoint-failed", { refusal: faultOf(error) });
    }
  }

  #tellLate(dirtyMs: number, withinMs: number): void {
    if (this.#dirtySinceMs === undefined || dirtyMs <= withinMs) return;
    if (!this.#isLate) log("forget-late", { dirtyMs, withinMs, alarm: true });
    this.#isLate = true;
  }
}
