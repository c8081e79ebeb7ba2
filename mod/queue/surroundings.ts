/** What every part of the queue is given of the outside. */
import type { QueuePart } from "./role.ts";

/** Settings, time, chance and counters; parameters so that tests are exact. */
export interface Surroundings {
  /** The settings as they are now. */
  part(): QueuePart;
  /** Milliseconds since the epoch, steady; see `schedule.ts`. */
  nowMs(): number;
  /** The wall clock, for what people read. */
  wallMs(): number;
  /** Uniform in [0, 1). */
  random(): number;
  /** Adds to a counter. */
  count(name: string, by?: number): void;
  /** A recipient has its message, so long after that came. */
  delivered(delayMs: number): void;
  /** The number of the next message's row; never given twice. */
  nextNumber(): number;
}
