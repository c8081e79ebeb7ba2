/**
 * Durations and sizes as people write them: `5m`, `50MB`.
 *
 * One number, one unit, no space: what Postfix's `main.cf` takes, and what
 * leaves no doubt. A library; pure.
 */

const DURATIONS: readonly (readonly [unit: string, ms: number])[] = [
  ["w", 604_800_000],
  ["d", 86_400_000],
  ["h", 3_600_000],
  ["m", 60_000],
  ["s", 1_000],
  ["ms", 1],
];

// kB and KB are both in use for 1,000; KiB is 1,024 and nothing else is.
const SIZES: readonly (readonly [unit: string, octets: number])[] = [
  ["TiB", 2 ** 40],
  ["TB", 10 ** 12],
  ["GiB", 2 ** 30],
  ["GB", 10 ** 9],
  ["MiB", 2 ** 20],
  ["MB", 10 ** 6],
  ["KiB", 2 ** 10],
  ["KB", 10 ** 3],
  ["kB", 10 ** 3],
  ["B", 1],
];

/**
 * Reads a duration such as `30s`, `5m`, `4h`, `5d`; units ms, s, m, h, d, w.
 *
 * @returns Milliseconds, or undefined if the text is no duration
 */
export function durationMs(text: string): number | undefined {
  return quantity(text, DURATIONS);
}

/**
 * Reads a size such as `50MB` (50,000,000), `1GiB` (1,073,741,824), or plain
 * octets, `4096`.
 *
 * @returns Octets, or undefined if the text is no size
 */
export function sizeBytes(text: string): number | undefined {
  return quantity(text, [...SIZES, ["", 1]]);
}

/** Writes milliseconds with the largest unit that keeps them whole. */
export function durationText(ms: number): string {
  return quantityText(ms, DURATIONS);
}

/** Writes octets with the largest unit that keeps them whole. */
export function sizeText(octets: number): string {
  return quantityText(octets, SIZES);
}

type Units = readonly (readonly [unit: string, factor: number])[];

function quantity(text: string, units: Units): number | undefined {
  let digits = 0;
  while (digits < text.length && isDigit(text.charCodeAt(digits))) digits++;
  // 15 digits stay exact in a double.
  if (digits === 0 || digits > 15) return undefined;
  const unit = text.slice(digits);
  const factor = units.find(([name]) => name === unit)?.[1];
  if (factor === undefined) return undefined;
  const value = Number(text.slice(0, digits)) * factor;
  return Number.isSafeInteger(value) ? value : undefined;
}

function quantityText(value: number, units: Units): string {
  const fits = value === 0
    ? units.at(-1)!
    : units.find(([, factor]) => value % factor === 0)!;
  return `${value / fits[1]}${fits[0]}`;
}

function isDigit(code: number): boolean {
  return code >= 0x30 && code <= 0x39;
}
