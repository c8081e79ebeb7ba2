/** One act of the drill: what a role's hostile script tries, and when. */
import type { Deed, HostileAct } from "./deed.ts";

/**
 * How much of the jail stands: `flags` is the role as it runs; in `kernel`
 * Deno checks nothing, as if V8 had been taken over.
 */
export type Mode = "flags" | "kernel";

/** An act, and the modes in which it means something. */
export interface DrillAct extends HostileAct {
  readonly modes: readonly Mode[];
}

/** What stopped an act. `uid` is users, groups, modes and capabilities. */
export type Wall = "deno" | "uid" | "landlock" | "seccomp" | "none";

/** One line of the drill's result. */
export interface Act {
  readonly role: string;
  readonly mode: Mode;
  readonly act: string;
  readonly denied: boolean;
  readonly wall: Wall;
  /** Only if not denied: `succeeded`, or the error that proves nothing. */
  readonly error?: string;
}

/** An act for both modes. */
export function tried(
  act: string,
  deed: Deed,
  alsoDenied: readonly string[] = [],
): DrillAct {
  return { act, deed, alsoDenied, modes: ["flags", "kernel"] };
}

/** An act against what Deno alone guards. */
export function triedOnDeno(
  act: string,
  deed: Deed,
  alsoDenied: readonly string[] = [],
): DrillAct {
  return { act, deed, alsoDenied, modes: ["flags"] };
}
