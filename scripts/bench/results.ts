/** What one run of a bench measured, one object for each thing. */
import type { ServerName } from "./options.ts";

/** Where the mail of a load went. */
export type Destination = "maildir" | "relay";

/** Many messages over some sessions. */
export interface LoadRun {
  readonly kind: "load";
  readonly server: ServerName;
  readonly round: number;
  readonly to: Destination;
  readonly sizeBytes: number;
  readonly sessions: number;
  readonly messages: number;
  /** Messages acknowledged a second; null if the load failed. */
  readonly accepted: number | null;
  /** Messages arrived a second; null if not all came. */
  readonly delivered: number | null;
  readonly arrived: number;
  /** User and system time of the server, until it is idle again. */
  readonly cpuMsPerMessage: number;
  /** The same by part of the server, of processes that still live. */
  readonly cpuMsByPart: Readonly<Record<string, number>>;
  /** Processors that somebody else kept busy; null if that is not known. */
  readonly foreignCores: number | null;
  readonly fault: string | null;
}

/** One message at a time, each in a session of its own. */
export interface LatencyRun {
  readonly kind: "latency";
  readonly server: ServerName;
  readonly round: number;
  readonly messages: number;
  /** From connecting to 250. */
  readonly acknowledgedMs: Quantiles;
  /** From connecting to the file in the Maildir. */
  readonly visibleMs: Quantiles;
}

/**
 * How clients come in.
 *
 * - `plain`: greeting and QUIT
 * - `tls`: EHLO, STARTTLS with a whole handshake, EHLO, QUIT
 * - `screened`: as `plain`, but of clients whom postscreen(8), or our gate,
 *   knows: they are looked up and let in
 */
export const DOORS = ["plain", "tls", "screened"] as const;
/** See {@link DOORS}. */
export type Door = typeof DOORS[number];

/** Many connections that bring no mail. */
export interface ConnectionRun {
  readonly kind: "connections";
  readonly server: ServerName;
  readonly round: number;
  readonly door: Door;
  readonly connections: number;
  readonly atOnce: number;
  /** Connections a second; null if one failed. */
  readonly perSecond: number | null;
  readonly cpuMsPerConnection: number;
  readonly fault: string | null;
}

/** One message to many recipients in many domains. */
export interface FanOutRun {
  readonly kind: "fan-out";
  readonly server: ServerName;
  readonly round: number;
  readonly recipients: number;
  readonly arrived: number;
  readonly transactions: number;
  /** From connecting to 250. */
  readonly acceptedMs: number;
  /** From connecting to the last copy; null if not all came. */
  readonly drainedMs: number | null;
  readonly cpuMs: number;
}

/** A queue that waited for one next hop and is let out. */
export interface DrainRun {
  readonly kind: "drain";
  readonly server: ServerName;
  readonly round: number;
  /** Sessions that the next hop gets at once. */
  readonly atOnce: number;
  readonly messages: number;
  readonly arrived: number;
  /** From the first to the last; null if not all came. */
  readonly perSecond: number | null;
  /** A message. */
  readonly cpuMs: number;
  readonly fault: string | null;
}

/** Sum of Pss over all processes of a server that has nothing to do. */
export interface MemoryRun {
  readonly kind: "memory";
  readonly server: ServerName;
  readonly when: "after start" | "after load";
  readonly pssMib: number | null;
  readonly processes: number;
}

/** Syncs a second that the disk made before a round. */
export interface DiskRun {
  readonly kind: "disk";
  readonly round: number;
  readonly append: number;
  readonly overwrite: number;
  /** Load average of the machine over a minute. */
  readonly loadAverage: number;
}

/** See the kinds. */
export type Run =
  | LoadRun
  | LatencyRun
  | ConnectionRun
  | FanOutRun
  | DrainRun
  | MemoryRun
  | DiskRun;

/** Two quantiles. */
export interface Quantiles {
  readonly p50: number;
  readonly p99: number;
}

/** Quantiles of some values. */
export function quantiles(values: readonly number[]): Quantiles {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (part: number) =>
    sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ??
      NaN;
  return { p50: at(0.5), p99: at(0.99) };
}

/** The middle value, or the mean of the two; NaN of nothing. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length / 2;
  const high = sorted[Math.floor(middle)];
  if (high === undefined) return NaN;
  return Number.isInteger(middle) ? (sorted[middle - 1]! + high) / 2 : high;
}
