/**
 * Sessions kept for the next message to the same next hop. Opening one costs
 * a handshake and three replies; sending a message on an open one, two.
 *
 * Bounded in time, number and use. Keyed by next hop, never by host, so a
 * session is only used again for mail that was to go this way anyway.
 */

/** How long a session is kept, how often one is used, and how many there are. */
export const LIMITS = {
  idleMs: 2_000,
  uses: 100,
  perKey: 64,
  total: 512,
} as const;

/** What the pool needs of a session. */
export interface Poolable {
  /** Transactions carried so far. */
  readonly uses: number;
  /** Says goodbye. */
  quit(): void;
  /** Calls back, once, when the other side says or does anything. */
  watch(onStir: () => void): void;
  /** No more calls back; false if it stirred already. */
  unwatch(): boolean;
}

interface Kept<S> {
  readonly session: S;
  readonly untilMs: number;
}

/** See the file's header. */
export class IdlePool<S extends Poolable> {
  readonly #idle = new Map<string, Kept<S>[]>();
  readonly #now: () => number;
  #size = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** @param now A clock in milliseconds; a parameter so that tests are exact */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  /** Sessions kept now. */
  get size(): number {
    return this.#size;
  }

  /** Takes the session used last, which is the most likely to be alive. */
  take(key: string): S | undefined {
    const kept = this.#idle.get(key);
    while (kept !== undefined && kept.length > 0) {
      const { session, untilMs } = kept.pop()!;
      this.#size--;
      if (kept.length === 0) this.#idle.delete(key);
      const quiet = session.unwatch();
      if (quiet && untilMs > this.#now()) return session;
      session.quit();
    }
    return undefined;
  }

  /** Keeps a session, or says goodbye to it. */
  put(key: string, session: S): void {
    const kept = this.#idle.get(key) ?? [];
    if (
      session.uses >= LIMITS.uses || kept.length >= LIMITS.perKey ||
      this.#size >= LIMITS.total
    ) return session.quit();
    kept.push({ session, untilMs: this.#now() + LIMITS.idleMs });
    this.#idle.set(key, kept);
    this.#size++;
    session.watch(() => this.#drop(key, session));
    this.#timer ??= setTimeout(() => this.sweep(), LIMITS.idleMs / 4);
  }

  /** Says goodbye to sessions whose time is over; runs by itself. */
  sweep(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const now = this.#now();
    for (const [key, kept] of this.#idle) {
      for (const { session, untilMs } of [...kept]) {
        if (untilMs <= now) this.#drop(key, session);
      }
    }
    if (this.#size > 0) {
      this.#timer = setTimeout(() => this.sweep(), LIMITS.idleMs / 4);
    }
  }

  /** Says goodbye to all. */
  close(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    for (const [key, kept] of this.#idle) {
      for (const { session } of [...kept]) this.#drop(key, session);
    }
  }

  #drop(key: string, session: S): void {
    const kept = this.#idle.get(key);
    const at = kept?.findIndex((one) => one.session === session) ?? -1;
    if (kept === undefined || at < 0) return;
    kept.splice(at, 1);
    this.#size--;
    if (kept.length === 0) this.#idle.delete(key);
    session.unwatch();
    session.quit();
  }
}
