/**
 * Destinations that could not be reached, and until when nobody tries. So the
 * other messages for them do not each wait for a timeout of their own. Pure.
 */
import { retryDelayMs } from "./schedule.ts";

/** Most destinations remembered; beyond it the oldest is forgotten. */
const MAX_REMEMBERED = 10_000;

/** The dead destinations. Lives in memory: a restart tries everybody anew. */
export class DeadList {
  readonly #dead = new Map<string, { untilMs: number; failures: number }>();

  /** When it may be tried again, or undefined if it may be now. */
  untilMs(destination: string, nowMs: number): number | undefined {
    const entry = this.#dead.get(destination);
    return entry === undefined || entry.untilMs <= nowMs
      ? undefined
      : entry.untilMs;
  }

  /** It could not be reached: nobody tries until the returned time. */
  unreachable(destination: string, options: {
    nowMs: number;
    random: number;
    limits: { firstRetryMs: number; maxRetryMs: number };
  }): number {
    const { nowMs, random, limits } = options;
    const entry = this.#dead.get(destination);
    // Sessions that were under way together fail together: one failure.
    if (entry !== undefined && entry.untilMs > nowMs) return entry.untilMs;
    const failures = (entry?.failures ?? 0) + 1;
    const untilMs = nowMs + retryDelayMs(failures, random, limits);
    this.#dead.delete(destination);
    this.#dead.set(destination, { untilMs, failures });
    if (this.#dead.size > MAX_REMEMBERED) {
      this.#dead.delete(this.#dead.keys().next().value!);
    }
    return untilMs;
  }

  /** It answered. */
  reached(destination: string): void {
    this.#dead.delete(destination);
  }
}
