/** What those who look after a home have to say, and others who say it so. */

/** Something is wrong, in words for the administrator. */
export class CareError extends Error {
  override name = "CareError";
}

/** An error's words. */
export function wordsOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** `1 message`, `2 messages`. */
export function counted(n: number, what: string): string {
  return `${n} ${what}${n === 1 ? "" : "s"}`;
}

/** Octets as people read them: `812 B`, `3.4 MiB`, `12 GiB`. */
export function sizeText(octets: number): string {
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  let size = octets;
  let unit = 0;
  while (size >= 1_024 && unit < units.length - 1) {
    size /= 1_024;
    unit++;
  }
  const digits = unit === 0 || size >= 10 ? 0 : 1;
  return `${size.toFixed(digits)} ${units[unit]}`;
}
