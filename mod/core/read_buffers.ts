/**
 * Has what was read collected while it is young.
 *
 * A buffer that a socket or file was read into is foreign memory: V8 sees only
 * its small handle, and lets 64 MiB of them pile up before it collects. A role
 * through which one large message passes would grow by that, and keep it. A
 * collection of young objects alone takes well under a millisecond, and frees
 * them when it comes every few megabytes. Those that live through two of them,
 * because the disk is slower than the network, are collected with everything
 * else when the load is over.
 */

/** Octets read between two collections. */
const EVERY = 4 * 1_048_576;

/** After so many octets, everything is collected as soon as it is quiet. */
const MUCH = 16 * 1_048_576;
/** So long nothing is read when it is quiet. */
const QUIET_MS = 1_000;

type Collect = (options: { type: "minor" | "major" }) => void;

// There with V8's --expose-gc, which every role has; not in a test.
const collect = (globalThis as { gc?: Collect }).gc;

let octetsRead = 0;
let sinceQuiet = 0;
let lastReadMs = 0;
let waiting: ReturnType<typeof setTimeout> | undefined;

/** Counts what was read into a new buffer. */
export function countRead(octets: number): void {
  if (collect === undefined) return;
  octetsRead += octets;
  sinceQuiet += octets;
  if (sinceQuiet >= MUCH) {
    lastReadMs = performance.now();
    waiting ??= setTimeout(whenQuiet, QUIET_MS);
  }
  if (octetsRead < EVERY) return;
  octetsRead = 0;
  collect({ type: "minor" });
}

function whenQuiet(): void {
  const leftMs = lastReadMs + QUIET_MS - performance.now();
  if (leftMs > 0) {
    waiting = setTimeout(whenQuiet, leftMs);
    return;
  }
  waiting = undefined;
  sinceQuiet = 0;
  collect?.({ type: "major" });
}
