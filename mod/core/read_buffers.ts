/**
 * Has what was read collected while it is young.
 *
 * A buffer that a socket or file was read into is foreign memory: V8 sees only
 * its small handle, and lets 64 MiB of them pile up before it collects. A role
 * through which one large message passes would grow by that, and keep it. A
 * collection of young objects alone takes well under a millisecond, and frees
 * them when it comes every few megabytes.
 */

/** Octets read between two collections. */
const EVERY = 4 * 1_048_576;

type Collect = (options: { type: "minor" }) => void;

// There with V8's --expose-gc, which every role has; not in a test.
const collect = (globalThis as { gc?: Collect }).gc;

let octetsRead = 0;

/** Counts what was read into a new buffer. */
export function countRead(octets: number): void {
  octetsRead += octets;
  if (octetsRead < EVERY) return;
  octetsRead = 0;
  collect?.({ type: "minor" });
}
