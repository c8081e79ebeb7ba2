/** How times and lists are put in words. Pure. */

/** The time in UTC to the second: `2026-11-21 14:39:57 UTC`. */
export function utc(ms: number): string {
  if (!Number.isFinite(ms) || Math.abs(ms) > 8.64e15) return "(no time)";
  return new Date(ms).toISOString().slice(0, 19).replace("T", " ") + " UTC";
}

const UNITS = [
  ["day", 86_400_000],
  ["hour", 3_600_000],
  ["minute", 60_000],
  ["second", 1_000],
] as const;

/** A time in its largest unit: `12 minutes`. */
export function span(ms: number): string {
  if (ms < 1_000) return `${Math.max(0, Math.round(ms))} ms`;
  // One of the next smaller unit is better said in that: 90 minutes.
  const [name, unit] = UNITS.find(([, size]) => ms >= 1.5 * size) ??
    UNITS[3];
  const n = Math.round(ms / unit);
  return `${n} ${name}${n === 1 ? "" : "s"}`;
}

/** When something will be: `in 12 minutes (2026-...)`, or `now`. */
export function inTime(ms: number, nowMs: number): string {
  const left = ms - nowMs;
  return left <= 1_000
    ? "now, as soon as its turn comes"
    : `in ${span(left)} (${utc(ms)})`;
}

/** Most that are named one by one. */
const MAX_NAMED = 3;

/** `a`, `a and b`, `a, b and c`, `a, b, c and 5 more`. */
export function listed(names: readonly string[]): string {
  if (names.length === 0) return "nobody";
  const left = names.length - MAX_NAMED;
  const named = left > 0
    ? [...names.slice(0, MAX_NAMED), `${left} more`]
    : names;
  return named.length === 1
    ? named[0]!
    : `${named.slice(0, -1).join(", ")} and ${named.at(-1)}`;
}
