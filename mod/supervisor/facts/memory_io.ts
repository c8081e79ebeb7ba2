/**
 * How much memory each process takes: its proportional set size, as Linux has
 * it in /proc/PID/smaps_rollup. The kernel walks all its pages for an answer,
 * so it is asked for one process a second at most.
 */

/** The answer for one process is kept this long. */
const EVERY_MS = 30_000;

/** Remembers what processes take; see the file's header. */
export class MemoryWatch {
  readonly #read: (pid: number) => number;
  readonly #known = new Map<number, { atMs: number; bytes: number }>();

  /** @param read Octets that a process takes; 0 if that cannot be known */
  constructor(read: (pid: number) => number = pssOf) {
    this.#read = read;
  }

  /**
   * Looks at one of the processes at most: the one that was looked at longest
   * ago.
   *
   * @param nowMs A clock that only goes forward
   * @returns Octets by process; 0 of those not looked at yet
   */
  look(
    pids: readonly number[],
    nowMs: number,
  ): (pid: number) => number {
    const alive = new Set(pids);
    for (const pid of this.#known.keys()) {
      if (!alive.has(pid)) this.#known.delete(pid);
    }
    const age = (pid: number) =>
      nowMs - (this.#known.get(pid)?.atMs ?? -Infinity);
    const [oldest] = pids.toSorted((a, b) => age(b) - age(a) || 0);
    if (oldest !== undefined && age(oldest) >= EVERY_MS) {
      this.#known.set(oldest, { atMs: nowMs, bytes: this.#read(oldest) });
    }
    return (pid) => this.#known.get(pid)?.bytes ?? 0;
  }
}

/** The proportional set size in octets; 0 if it may not be read. */
export function pssOf(pid: number): number {
  try {
    return pssIn(Deno.readTextFileSync(`/proc/${pid}/smaps_rollup`));
  } catch {
    // It ended, or is another user's and we are not root: nobody's fault.
    return 0;
  }
}

/** The line `Pss:` of smaps_rollup, in octets; 0 without one. */
export function pssIn(text: string): number {
  for (const line of text.split("\n")) {
    const [name, amount] = line.split(" ").filter((word) => word !== "");
    if (name === "Pss:") return Number(amount) * 1_024 || 0;
  }
  return 0;
}
