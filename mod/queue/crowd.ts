/**
 * When mail for a crowded destination comes back into memory. Pure: the time
 * is given.
 *
 * A destination with a long backlog has only so much of it in memory; the
 * rest is put off, each message for as long as those before it need at the
 * rate at which the destination takes mail now. So it is looked at about
 * once, and the destination never waits for us.
 *
 * Of a destination that nobody has reached yet, that may be up or dead, no
 * rate is known: its mail comes back after two seconds, then four, and so on.
 * By then it is usually known.
 */

/** Longest wait; also what becomes of a rate that was measured too low. */
export const LONGEST_MS = 60_000;
/** Deliveries a millisecond that a destination is believed to take at first. */
const FIRST_RATE = 1;
/** Lowest rate that is reckoned with. */
const LOWEST_RATE = 0.001;
/** Time over which a rate is measured. */
const SPAN_MS = 500;
/** Those that come too early cost a look, those that come too late a pause. */
const EAGERNESS = 1.25;
/** Waits for a destination that nobody has reached. */
const FIRST_DOUBT_MS = 2_000;
const LONGEST_DOUBT_MS = 600_000;
/** Destinations that are measured. */
const MAX_LINES = 1_000;

interface Line {
  /** Deliveries a millisecond. */
  rate: number;
  spanFromMs: number;
  inSpan: number;
  /** When the last of those that were put off comes back. */
  endMs: number;
  /** The wait in doubt, and when it is over. */
  doubtMs: number;
  doubtEndMs: number;
}

/** Lines of mail in front of crowded destinations. */
export class Crowd {
  readonly #lines = new Map<string, Line>();

  /** A delivery to the destination ended, however. */
  left(destination: string, nowMs: number): void {
    const line = this.#lines.get(destination);
    if (line === undefined) return;
    line.inSpan++;
    const spanMs = nowMs - line.spanFromMs;
    if (spanMs < SPAN_MS) return;
    line.rate = (line.rate + line.inSpan / spanMs) / 2;
    line.spanFromMs = nowMs;
    line.inSpan = 0;
  }

  /**
   * When a delivery that finds no room is to come again.
   *
   * @param waiting Deliveries to the destination that are in memory
   */
  turnMs(
    destination: string,
    { nowMs, waiting }: { nowMs: number; waiting: number },
  ): number {
    const line = this.#line(destination, nowMs);
    const rate = Math.max(line.rate, LOWEST_RATE) * EAGERNESS;
    // Half of what is in memory is gone by then.
    const soonestMs = nowMs + waiting / 2 / rate;
    line.endMs = Math.max(line.endMs + 1 / rate, soonestMs);
    // Behind the longest wait they come together, and are put off again.
    line.endMs = Math.min(line.endMs, nowMs + LONGEST_MS);
    line.doubtMs = 0;
    return Math.ceil(line.endMs);
  }

  /**
   * The same for a destination that nobody has reached yet.
   *
   * @param random Uniform in [0, 1): they do not all come back together
   */
  turnInDoubtMs(
    destination: string,
    { nowMs, random }: { nowMs: number; random: number },
  ): number {
    const line = this.#line(destination, nowMs);
    if (line.doubtMs === 0 || nowMs >= line.doubtEndMs) {
      line.doubtMs = Math.min(
        Math.max(FIRST_DOUBT_MS, line.doubtMs * 2),
        LONGEST_DOUBT_MS,
      );
      line.doubtEndMs = nowMs + line.doubtMs;
    }
    return Math.ceil(line.doubtEndMs + random * line.doubtMs / 2);
  }

  #line(destination: string, nowMs: number): Line {
    const known = this.#lines.get(destination);
    if (known !== undefined) return known;
    const line = {
      rate: FIRST_RATE,
      spanFromMs: nowMs,
      inSpan: 0,
      endMs: 0,
      doubtMs: 0,
      doubtEndMs: 0,
    };
    this.#lines.set(destination, line);
    if (this.#lines.size > MAX_LINES) {
      this.#lines.delete(this.#lines.keys().next().value!);
    }
    return line;
  }
}
