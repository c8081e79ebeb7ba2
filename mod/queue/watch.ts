/**
 * What happens by the clock: due messages are looked for, old events are
 * deleted, and the write-ahead log is written back, so that it stays small
 * and addresses of finished messages do not linger in it.
 */
import { log } from "../core/log.ts";
import { faultOf } from "./fault_io.ts";
import type { GroupCommit } from "./group_commit.ts";
import type { Store } from "./store_io.ts";
import type { Surroundings } from "./surroundings.ts";

const TICK_MS = 500;
const EVENTS_MS = 10_000;
const ROOM_MS = 2_000;

/** The timers. */
export class Watch {
  readonly #store: Store;
  readonly #commit: GroupCommit;
  readonly #around: Surroundings;
  #timers: ReturnType<typeof setInterval>[] = [];
  #isIdle = false;
  #commitsSeen = 0;
  #roomAtMs = 0;

  constructor(options: {
    store: Store;
    commit: GroupCommit;
    around: Surroundings;
  }) {
    this.#store = options.store;
    this.#commit = options.commit;
    this.#around = options.around;
  }

  /** Starts the timers; `tick` is called twice a second, or more often. */
  start(on: { tick: () => void }): void {
    const { firstRetryMs, checkpointMs } = this.#around.part();
    // A laboratory's short retries need a finer clock.
    const tickMs = Math.min(TICK_MS, Math.max(20, firstRetryMs / 2));
    this.#timers = [
      setInterval(on.tick, tickMs),
      setInterval(() => this.#forgetEvents(), EVENTS_MS),
      setInterval(() => this.checkpoint(), checkpointMs),
    ];
  }

  /** Stops the timers. */
  stop(): void {
    for (const timer of this.#timers) clearInterval(timer);
  }

  /**
   * Writes the log back. While mail flows the file keeps its size, so that
   * commits overwrite and need no new blocks; when nothing was committed
   * since the last time, it is emptied.
   */
  checkpoint(): void {
    const { commits } = this.#commit;
    const wasQuiet = commits === this.#commitsSeen;
    this.#commitsSeen = commits;
    if (wasQuiet && this.#isIdle) return;
    this.#isIdle = wasQuiet;
    this.#checkpoint(wasQuiet);
  }

  /** The disk is full: empties the log, every other second at most. */
  makeRoom(): void {
    const nowMs = this.#around.nowMs();
    if (nowMs < this.#roomAtMs) return;
    this.#roomAtMs = nowMs + ROOM_MS;
    this.#checkpoint(true);
  }

  #checkpoint(truncate: boolean): void {
    try {
      this.#store.checkpoint(truncate);
    } catch (error) {
      log("checkpoint-failed", { refusal: faultOf(error) });
    }
  }

  #forgetEvents(): void {
    const beforeMs = this.#around.nowMs() - this.#around.part().keepEventsMs;
    if (!this.#store.hasEventsBefore(beforeMs)) return;
    const forget = () => {
      let more = false;
      void this.#commit.write(() => more = this.#store.forgetEvents(beforeMs))
        .then(() => more && forget());
    };
    forget();
  }
}
