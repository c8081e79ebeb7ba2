/**
 * A role's counters. Names may come from another role (a rule's name, say):
 * they are cut and bounded, for a report of the wrong shape costs the role its
 * life, and a name once counted is kept for ever.
 */

/** Longest name; the supervisor takes no longer one. */
export const MAX_COUNTER_NAME = 40;
/** Names; a role's own are some dozens. */
export const MAX_COUNTERS = 500;

/** Names in a report: those, and what is measured. */
export const MAX_REPORTED = MAX_COUNTERS + 100;
/** Highest count. */
export const MAX_COUNT = 2 ** 50;

/**
 * What a role counted over several lives: bounded as one report is, however
 * many lives it had.
 */
export function sumOf(
  one: Readonly<Record<string, number>>,
  other: Readonly<Record<string, number>>,
): Readonly<Record<string, number>> {
  const sum = new Map(Object.entries(one));
  for (const [name, n] of Object.entries(other)) {
    const before = sum.get(name);
    if (before === undefined && sum.size >= MAX_REPORTED) continue;
    sum.set(name, Math.min(MAX_COUNT, (before ?? 0) + n));
  }
  return Object.fromEntries(sum);
}

/** See the file's header. */
export class Counters {
  readonly #counts = new Map<string, number>();
  readonly #gauges = new Map<string, () => number>();

  /** Adds to a counter. */
  add(name: string, by = 1): void {
    const key = name.slice(0, MAX_COUNTER_NAME);
    const count = this.#counts.get(key);
    if (count === undefined && this.#counts.size >= MAX_COUNTERS) return;
    this.#counts.set(key, (count ?? 0) + by);
  }

  /** Has something measured whenever all are asked for; not below 0. */
  measure(name: string, read: () => number): void {
    this.#gauges.set(name.slice(0, MAX_COUNTER_NAME), read);
  }

  /** All of them, by name. */
  all(): Record<string, number> {
    return Object.fromEntries([
      ...this.#counts,
      ...[...this.#gauges].map(([name, read]) =>
        [name, Math.max(0, Math.round(read()))] as const
      ),
    ]);
  }
}
