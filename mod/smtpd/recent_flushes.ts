/**
 * Remembers which queues were flushed lately. ETRN (RFC 1985) is a stranger's
 * order to start work; for one domain it is obeyed once in a while.
 */

/** How long a domain is left alone after a flush. */
export const REST_MS = 60_000;
/** Domains remembered at most; the oldest goes. */
export const MAX_REMEMBERED = 1_000;

/** Domains whose queue was flushed a moment ago. */
export class RecentFlushes {
  readonly #nowMs: () => number;
  /** When each may be flushed again; the oldest stands first. */
  readonly #restUntilMs = new Map<string, number>();

  /** @param nowMs Monotonic clock; a parameter for tests */
  constructor(nowMs: () => number = () => performance.now()) {
    this.#nowMs = nowMs;
  }

  /** True if a domain was flushed a moment ago. */
  rests(domain: string): boolean {
    return this.#nowMs() < (this.#restUntilMs.get(domain) ?? -Infinity);
  }

  /** Notes that a domain is flushed now. */
  note(domain: string): void {
    this.#restUntilMs.delete(domain);
    this.#restUntilMs.set(domain, this.#nowMs() + REST_MS);
    if (this.#restUntilMs.size > MAX_REMEMBERED) {
      this.#restUntilMs.delete(this.#restUntilMs.keys().next().value!);
    }
  }
}
