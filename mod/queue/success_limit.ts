/**
 * Bounds the notices of success that strangers ask for. A reverse-path is what
 * its sender says it is, so each such notice may be one that nobody asked for,
 * with a header of somebody else's making, from our address (RFC 5321 §6.2).
 * Some for everybody, so that RFC 3461 is served, and too few to be worth an
 * attacker's while. Pure; time is a parameter.
 */

const HOUR_MS = 3_600_000;
/** To one reverse-path in an hour. */
export const MAX_EACH = 10;
/** To all of them. */
export const MAX_ALL = 600;

/** See the file's header. */
export class SuccessLimit {
  /** Those of this hour; bounded by {@link MAX_ALL}. */
  readonly #told = new Map<string, number>();
  #all = 0;
  #endsMs = 0;

  /** Counts a notice; false if it is one too many. */
  allows(reversePath: string, nowMs: number): boolean {
    if (nowMs >= this.#endsMs) {
      this.#told.clear();
      this.#all = 0;
      this.#endsMs = nowMs + HOUR_MS;
    }
    const key = reversePath.toLowerCase();
    const told = this.#told.get(key) ?? 0;
    if (told >= MAX_EACH || this.#all >= MAX_ALL) return false;
    this.#told.set(key, told + 1);
    this.#all++;
    return true;
  }
}
