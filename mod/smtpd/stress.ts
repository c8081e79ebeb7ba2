/**
 * What changes as the slots for sessions fill: who does nothing with a slot has
 * it for a shorter time, so that somebody else can have it.
 */

/** How the server behaves now. */
export interface Stress {
  /** Longest wait for a command, or for a message that makes no progress. */
  readonly commandWithinMs: number;
  /** What is left of the wait before a greeting, from 0 to 1. */
  readonly greetWaitShare: number;
  /** What is left of the sessions that one client may have, from 0 to 1. */
  readonly clientShare: number;
}

/** No stress at all. */
export const AT_EASE: Stress = {
  commandWithinMs: Infinity,
  greetWaitShare: 1,
  clientShare: 1,
};

/**
 * By the share of slots in use from which it holds, fullest first. RFC 5321
 * §4.5.3.2.7 asks for 5 minutes a command, which a server that has no slot left
 * cannot give to everybody: it would give none to the next one.
 */
const TABLE: readonly (readonly [from: number, stress: Stress])[] = [
  [0.95, { commandWithinMs: 5_000, greetWaitShare: 0, clientShare: 0.1 }],
  [0.8, { commandWithinMs: 15_000, greetWaitShare: 0.25, clientShare: 0.25 }],
  [0.6, { commandWithinMs: 60_000, greetWaitShare: 0.5, clientShare: 0.5 }],
];

/** How to behave with `open` of `max` slots in use. */
export function stressAt(open: number, max: number): Stress {
  return TABLE.find(([from]) => open >= from * max)?.[1] ?? AT_EASE;
}

/** The sessions that one client may have; never none. */
export function sessionsPerClient(most: number, { clientShare }: Stress) {
  return Math.max(1, Math.floor(most * clientShare));
}
