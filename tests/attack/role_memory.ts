/** What a role's process holds of the machine, as the kernel counts it. */

/** Resident memory in octets. */
export function rssBytes(pid: number): number {
  const text = Deno.readTextFileSync(`/proc/${pid}/smaps_rollup`);
  return 1_024 * Number(/^Rss: +([0-9]+) kB$/m.exec(text)![1]);
}

/** Open file descriptors. */
export function openFiles(pid: number): number {
  return [...Deno.readDirSync(`/proc/${pid}/fd`)].length;
}

/** Processor time so far. */
export function cpuMs(pid: number): number {
  const stat = Deno.readTextFileSync(`/proc/${pid}/stat`);
  // Behind the name, which may have spaces: user and system time in 1/100 s.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return 10 * (Number(fields[11]) + Number(fields[12]));
}

/** Memory before, at its highest, and when it has settled. */
export interface Growth {
  readonly beforeBytes: number;
  readonly peakBytes: number;
  readonly settledBytes: number;
}

/** Time for a heap to be collected when its load is gone. */
const SETTLE_MS = 1_000;
/** What is nothing: a page table, a log line. */
const NOISE_BYTES = 1e6;

/** Watches a role's memory while something is done. */
export async function growth(
  pid: number,
  act: () => Promise<void>,
): Promise<Growth> {
  const beforeBytes = rssBytes(pid);
  let peakBytes = beforeBytes;
  let settledBytes = Infinity;
  const watch = setInterval(() => {
    peakBytes = Math.max(peakBytes, rssBytes(pid));
  }, 20);
  try {
    await act();
    const until = performance.now() + SETTLE_MS;
    while (
      performance.now() < until && settledBytes > beforeBytes + NOISE_BYTES
    ) {
      settledBytes = Math.min(settledBytes, rssBytes(pid));
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  } finally {
    clearInterval(watch);
  }
  return { beforeBytes, peakBytes, settledBytes };
}

/** For a report: `12.3 MB`. */
export function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`;
}
