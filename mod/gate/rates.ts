/**
 * How much each client did lately, and how many connections it has: anvil's
 * job. Pure; time is a parameter.
 *
 * A sliding window of two counters: what was counted in the unit before fades
 * as the present one passes. It is wrong by little, costs two numbers, and no
 * client gains by waiting for a window's edge.
 */
import type { COUNTED } from "./gate_ipc.ts";

/** What is counted. */
export type Counted = (typeof COUNTED)[number];

const INDEX: Readonly<Record<Counted, number>> = {
  "connections": 0,
  "messages": 1,
  "recipients": 2,
  "errors": 3,
  "auth-failures": 4,
  "tls-handshakes": 5,
};
const KINDS = 6;

interface Window {
  unit: number;
  /** This unit's counts, then those of the one before. */
  readonly counts: Uint32Array;
}

/** Counters by client. */
export class Rates {
  readonly #unitMs: number;
  readonly #max: number;
  readonly #clients = new Map<string, Window>();

  /** @param max Most clients; beyond it those counted longest ago go */
  constructor(unitMs: number, max: number) {
    this.#unitMs = unitMs;
    this.#max = max;
  }

  /** Clients that are counted. */
  get size(): number {
    return this.#clients.size;
  }

  /**
   * Counts, and returns how much that makes within the last unit of time.
   *
   * What is beyond the limit is not kept: who tries a little too often is
   * slowed down to the limit, and not shut out for as long as it tries.
   *
   * @param more.limit 0 for none
   * @param nowMs Milliseconds on any clock that does not go back far
   */
  count(
    client: string,
    more: { what: Counted; by: number; limit: number },
    nowMs: number,
  ): number {
    const window = this.#window(client, nowMs);
    const at = INDEX[more.what];
    const { counts } = window;
    const share = 1 - (nowMs / this.#unitMs - window.unit);
    const before = counts[at]! + Math.floor(counts[KINDS + at]! * share);
    const room = more.limit === 0
      ? 0xffff_ffff - counts[at]!
      : Math.max(0, more.limit - before);
    counts[at] = counts[at]! + Math.min(more.by, room);
    return before + more.by;
  }

  /** How much there was within the last unit of time; counts nothing. */
  of(client: string, what: Counted, nowMs: number): number {
    const window = this.#clients.get(client);
    if (window === undefined) return 0;
    const now = nowMs / this.#unitMs;
    const passed = Math.floor(now) - window.unit;
    if (passed > 1) return 0;
    const at = INDEX[what];
    const { counts } = window;
    const [recent, before] = passed === 1
      ? [0, counts[at]!]
      : [counts[at]!, counts[KINDS + at]!];
    return recent + Math.floor(before * (1 - (now - Math.floor(now))));
  }

  /** Forgets the clients that `isMeant` says. */
  forget(isMeant: (client: string) => boolean): void {
    for (const client of [...this.#clients.keys()]) {
      if (isMeant(client)) this.#clients.delete(client);
    }
  }

  #window(client: string, nowMs: number): Window {
    const unit = Math.floor(nowMs / this.#unitMs);
    let window = this.#clients.get(client);
    if (window === undefined) {
      window = { unit, counts: new Uint32Array(2 * KINDS) };
    } else {
      this.#clients.delete(client);
    }
    if (window.unit !== unit) {
      if (window.unit === unit - 1) window.counts.copyWithin(KINDS, 0, KINDS);
      else window.counts.fill(0, KINDS);
      window.counts.fill(0, 0, KINDS);
      window.unit = unit;
    }
    this.#clients.set(client, window);
    if (this.#clients.size > this.#max) {
      this.#clients.delete(this.#clients.keys().next().value!);
    }
    return window;
  }
}

/** Clients that one process is believed to hold: it has fewer sockets. */
export const MAX_HELD = 50_000;

/** Connections that clients have open, by the process that holds them. */
export class Concurrency {
  readonly #total = new Map<string, number>();
  readonly #by = new Map<string, Map<string, number>>();

  /**
   * Counts one in; returns how many the client has now. A process that counts
   * in more than it can hold was taken over, and is not counted any further.
   */
  enter(client: string, holder: string): number {
    let held = this.#by.get(holder);
    if (held === undefined) this.#by.set(holder, held = new Map());
    if (held.size >= MAX_HELD && !held.has(client)) return 1;
    held.set(client, (held.get(client) ?? 0) + 1);
    const total = (this.#total.get(client) ?? 0) + 1;
    this.#total.set(client, total);
    return total;
  }

  /** Counts one out; one that was never counted in changes nothing. */
  leave(client: string, holder: string): void {
    const held = this.#by.get(holder);
    const count = held?.get(client);
    if (held === undefined || count === undefined) return;
    if (count === 1) held.delete(client);
    else held.set(client, count - 1);
    this.#lower(client, 1);
  }

  /** A process died, and its connections with it. */
  gone(holder: string): void {
    for (const [client, count] of this.#by.get(holder) ?? []) {
      this.#lower(client, count);
    }
    this.#by.delete(holder);
  }

  /** True if nobody has any. */
  get isEmpty(): boolean {
    return this.#total.size === 0;
  }

  /** Connections that a client has. */
  of(client: string): number {
    return this.#total.get(client) ?? 0;
  }

  #lower(client: string, by: number): void {
    const left = this.of(client) - by;
    if (left > 0) this.#total.set(client, left);
    else this.#total.delete(client);
  }
}
