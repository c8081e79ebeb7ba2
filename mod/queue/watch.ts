/** What happens by the clock: due messages are looked for, events forgotten. */
import type { EventLog } from "./event_log.ts";
import type { Forgetting } from "./forgetting.ts";
import type { Surroundings } from "./surroundings.ts";

const TICK_MS = 500;
const EVENTS_MS = 10_000;

/** The timers. */
export class Watch {
  readonly #forgetting: Pick<Forgetting, "start" | "stop">;
  readonly #history: Pick<EventLog, "forget" | "scrub">;
  readonly #around: Surroundings;
  #timers: ReturnType<typeof setInterval>[] = [];

  constructor(options: {
    forgetting: Pick<Forgetting, "start" | "stop">;
    history: Pick<EventLog, "forget" | "scrub">;
    around: Surroundings;
  }) {
    this.#forgetting = options.forgetting;
    this.#history = options.history;
    this.#around = options.around;
  }

  /** Starts the timers; `tick` is called twice a second, or more often. */
  start(on: { tick: () => void }): void {
    const { firstRetryMs, forgetWithinMs } = this.#around.part();
    // A laboratory's short retries need a finer clock.
    const tickMs = Math.min(TICK_MS, Math.max(20, firstRetryMs / 2));
    this.#timers = [
      setInterval(on.tick, tickMs),
      setInterval(
        () => this.#forgetEvents(),
        Math.min(EVENTS_MS, forgetWithinMs / 4),
      ),
    ];
    this.#forgetting.start();
  }

  /** Stops the timers. */
  stop(): void {
    for (const timer of this.#timers) clearInterval(timer);
    this.#forgetting.stop();
  }

  #forgetEvents(): void {
    this.#history.forget();
    void this.#history.scrub();
  }
}
