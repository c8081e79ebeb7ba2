/**
 * Destinations that could not be reached, and until when nobody tries. So the
 * other messages for them do not each wait for a timeout of their own. When
 * the time is over a destination is on probation: one delivery goes first,
 * and only its success lets the others go. Pure.
 */
import { retryDelayMs } from "./schedule.ts";

/** Most destinations remembered; beyond it the oldest is forgotten. */
const MAX_REMEMBERED = 10_000;

/** What is known of a destination. */
export type Standing =
  | { readonly kind: "alive" }
  | { readonly kind: "dead"; readonly untilMs: number }
  | { readonly kind: "probation" };

const ALIVE: Standing = { kind: "alive" };
const PROBATION: Standing = { kind: "probation" };

/** The dead destinations. Lives in memory: a restart tries everybody anew. */
export class DeadList {
  readonly #dead = new Map<string, { untilMs: number; failures: number }>();

  /** See {@link Standing}. */
  standing(destination: string, nowMs: number): Standing {
    const entry = this.#dead.get(destination);
    if (entry === undefined) return ALIVE;
    return entry.untilMs <= nowMs
      ? PROBATION
      : { kind: "dead", untilMs: entry.untilMs };
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

  /** It answered, or somebody says so. True if that is news. */
  reached(destination: string): boolean {
    return this.#dead.delete(destination);
  }

  /** Until when nobody tries each of those that are dead. */
  untilMs(nowMs: number): ReadonlyMap<string, number> {
    const dead = [...this.#dead].filter(([, { untilMs }]) => untilMs > nowMs);
    return new Map(dead.map(([name, { untilMs }]) => [name, untilMs]));
  }

  /** All are to be tried. Returns those that were not alive. */
  reachedAll(): readonly string[] {
    const names = [...this.#dead.keys()];
    this.#dead.clear();
    return names;
  }
}
