/**
 * Which wall stopped an act, found by experiment: the role's user tries the
 * same with no other wall standing, then with Landlock alone beside it, then
 * with seccomp alone.
 *
 * The user is kept in all three, so that no hostile script ever runs as root.
 * That changes no answer: what the user alone is denied is the user's merit,
 * and to the rest the user adds nothing.
 */
import type { Weakened } from "../render.ts";
import type { Act, DrillAct, Mode, Wall } from "./act.ts";
import type { Attempt } from "./deed.ts";

/** The experiments, by the wall that they are about. */
export const EXPERIMENTS: readonly {
  readonly wall: Wall;
  readonly weakened: Weakened;
}[] = [
  {
    wall: "uid",
    weakened: { denoOff: true, landlockOff: true, seccompOff: true },
  },
  { wall: "landlock", weakened: { denoOff: true, seccompOff: true } },
  { wall: "seccomp", weakened: { denoOff: true, landlockOff: true } },
];

/** What came of each act in one jail, by the act's name. */
export type Attempts = ReadonlyMap<string, Attempt>;

/** Everything that one role's script did. */
export interface RoleAttempts {
  readonly flags: Attempts;
  readonly kernel: Attempts;
  readonly experiments: ReadonlyMap<Wall, Attempts>;
}

/** Judges one role's attempts. An act without an answer was not denied. */
export function judge(
  role: string,
  acts: Readonly<Record<Mode, readonly DrillAct[]>>,
  attempts: RoleAttempts,
): Act[] {
  return (["flags", "kernel"] as const).flatMap((mode) =>
    acts[mode].map(({ act }): Act => {
      const attempt = attempts[mode].get(act) ??
        { act, denied: false, error: "no answer" };
      if (!attempt.denied) {
        return {
          role,
          mode,
          act,
          denied: false,
          wall: "none",
          ...(attempt.error === "" ? {} : { error: attempt.error }),
        };
      }
      const wall = mode === "flags" && isDeno(attempt.error)
        ? "deno"
        : kernelWall(act, attempt.error, attempts.experiments);
      return { role, mode, act, denied: true, wall };
    })
  );
}

// Every refusal that is not an errno is worded by Deno.
function isDeno(error: string): boolean {
  return !/^E[A-Z0-9]+$/.test(error);
}

function kernelWall(
  act: string,
  error: string,
  experiments: ReadonlyMap<Wall, Attempts>,
): Wall {
  for (const { wall } of EXPERIMENTS) {
    if (experiments.get(wall)?.get(act)?.denied) return wall;
  }
  // Only together did they deny it. Our filter says EPERM and nothing else;
  // for files Landlock says EACCES.
  return error === "EPERM" ? "seccomp" : "landlock";
}
