/** SCRAM exchanges between their two halves: each good once, for a minute. */
import { randomBytes } from "node:crypto";

/** Exchanges kept; beyond, the oldest goes, whose client must begin anew. */
const MAX_EXCHANGES = 10_000;
const LIFE_MS = 60_000;

/** See the file's header. */
export class Exchanges<T> {
  /** In the order of their begin. */
  readonly #open = new Map<string, { what: T; asker: string; until: number }>();

  /** Exchanges that wait for their second half, or are forgotten soon. */
  get size(): number {
    return this.#open.size;
  }

  /** Keeps one for its asker; returns its name. */
  begin(what: T, asker: string, nowMs: number): string {
    for (const [name, { until }] of this.#open) {
      if (until > nowMs && this.#open.size < MAX_EXCHANGES) break;
      this.#open.delete(name);
    }
    const name = randomBytes(16).toString("hex");
    this.#open.set(name, { what, asker, until: nowMs + LIFE_MS });
    return name;
  }

  /** Takes one out, if it is there, not too old, and of this asker. */
  take(name: string, asker: string, nowMs: number): T | undefined {
    const found = this.#open.get(name);
    if (found?.asker !== asker) return undefined;
    this.#open.delete(name);
    return found.until > nowMs ? found.what : undefined;
  }

  /** Forgets those of an asker that is gone. */
  forget(asker: string): void {
    for (const [name, one] of this.#open) {
      if (one.asker === asker) this.#open.delete(name);
    }
  }
}
