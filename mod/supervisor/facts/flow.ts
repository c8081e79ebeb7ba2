/**
 * Totals -> what flowed each minute of the last hour. The totals are since a
 * role's start, so one that is lower than before began anew: what it has now
 * is new. Pure.
 */
import { DELAY_BOUNDS_S, quantileMs } from "../../core/delay_histogram.ts";
import { MAX_COUNT } from "../../ipc/counters.ts";
import { DELAY_COUNTER } from "../../queue/delay_counters_ipc.ts";
import type { FlowSample } from "../../../web/news.ts";

const MINUTE_MS = 60_000;
/** Minutes kept. */
const KEPT = 60;

/** What is counted. */
export interface Totals {
  readonly accepted: number;
  readonly delivered: number;
  readonly deferred: number;
  readonly bounced: number;
  readonly refused: number;
  /** See `delay_histogram.ts`. */
  readonly delays: readonly number[];
}

/** What is looked at of a process. */
export interface CountingRole {
  readonly instance: string;
  readonly counters: Readonly<Record<string, number>>;
}

/** Totals out of what the roles count. */
export function totalsOf(roles: readonly CountingRole[]): Totals {
  const queue = new Map(
    roles.filter((one) => one.instance === "queue.0")
      .flatMap((one) => Object.entries(one.counters)),
  );
  return {
    accepted: queue.get("accepted") ?? 0,
    delivered: queue.get("delivered") ?? 0,
    deferred: queue.get("deferred") ?? 0,
    bounced: queue.get("bounced") ?? 0,
    refused: refusalsOf(roles),
    delays: Array.from(
      { length: DELAY_BOUNDS_S.length + 1 },
      (_, i) => queue.get(`${DELAY_COUNTER}${i}`) ?? 0,
    ),
  };
}

/** Verdicts of the gate against clients. */
function refusalsOf(roles: readonly CountingRole[]): number {
  let sum = 0;
  for (const { instance, counters } of roles) {
    if (!instance.startsWith("gate.")) continue;
    for (const [name, n] of Object.entries(counters)) {
      if (name.startsWith("verdict-")) sum += n;
    }
  }
  return sum;
}

interface Minute {
  readonly atMs: number;
  readonly counted: Record<Plain, number>;
  readonly delays: number[];
}

const PLAIN = [
  "accepted",
  "delivered",
  "deferred",
  "bounced",
  "refused",
] as const;
type Plain = typeof PLAIN[number];

/** The last hour. */
export class Flow {
  readonly #minutes: Minute[] = [];
  #before: Totals | undefined;

  /** Takes a reading; call it each second or so. */
  add(totals: Totals, nowMs: number): void {
    const before = this.#before ?? totals;
    this.#before = totals;
    const minute = this.#minute(nowMs);
    for (const name of PLAIN) {
      minute.counted[name] = bounded(
        minute.counted[name] + grown(before[name], totals[name]),
      );
    }
    const isAnew = (totals.delays.at(-1) ?? 0) < (before.delays.at(-1) ?? 0);
    totals.delays.forEach((n, i) => {
      const more = isAnew ? n : n - (before.delays[i] ?? 0);
      minute.delays[i] = bounded((minute.delays[i] ?? 0) + more);
    });
  }

  /** The minutes there are, without gaps, oldest first. */
  samples(): readonly FlowSample[] {
    return this.#minutes.map(({ atMs, counted, delays }) => ({
      atMs,
      ...counted,
      delayP50Ms: quantileMs([], delays, 0.5),
      delayP95Ms: quantileMs([], delays, 0.95),
    }));
  }

  #minute(nowMs: number): Minute {
    const atMs = Math.floor(nowMs / MINUTE_MS) * MINUTE_MS;
    const last = this.#minutes.at(-1);
    if (last?.atMs === atMs) return last;
    // A clock that was set makes an hour that never was.
    const isFar = last === undefined || atMs < last.atMs ||
      atMs - last.atMs > KEPT * MINUTE_MS;
    if (isFar) this.#minutes.length = 0;
    const from = isFar ? atMs : last.atMs + MINUTE_MS;
    for (let at = from; at <= atMs; at += MINUTE_MS) {
      this.#minutes.push(newMinute(at));
    }
    this.#minutes.splice(0, this.#minutes.length - KEPT);
    return this.#minutes.at(-1)!;
  }
}

function newMinute(atMs: number): Minute {
  const counted = {
    accepted: 0,
    delivered: 0,
    deferred: 0,
    bounced: 0,
    refused: 0,
  };
  return { atMs, counted, delays: [] };
}

/** A role may count what it likes: the console takes no more, and no less. */
function bounded(n: number): number {
  return Math.min(MAX_COUNT, Math.max(0, n));
}

function grown(before: number, now: number): number {
  return now < before ? now : now - before;
}
