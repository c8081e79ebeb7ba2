/**
 * Makes a failing script as small as it can be while it still fails: first
 * whole steps go, then parts of what is sent, then held answers.
 */
import type { Script, Step } from "./session_script.ts";

/** Runs that are spent on one script. */
const MAX_TRIES = 3_000;

/** @param fails Is it still the same failure? */
export async function minimise(
  script: Script,
  fails: (script: Script) => Promise<boolean>,
): Promise<Script> {
  let best = script;
  let tries = 0;
  const tryIt = async (candidate: Script): Promise<boolean> => {
    if (tries++ >= MAX_TRIES || !await fails(candidate)) return false;
    best = candidate;
    return true;
  };
  const shrink = async <T>(
    list: () => readonly T[],
    build: (list: readonly T[]) => Script,
  ) => {
    for (let size = list().length; size >= 1; size = Math.floor(size / 2)) {
      for (let at = 0; at < list().length;) {
        const less = list().toSpliced(at, size);
        if (!await tryIt(build(less))) at += size;
      }
    }
  };
  await shrink(() => best.steps, (steps) => ({ ...best, steps }));
  await shrink(() => best.answers, (answers) => ({ ...best, answers }));
  for (let at = 0; at < best.steps.length; at++) {
    const here = () => best.steps[at] as Step & { do: "send" };
    if (best.steps[at]!.do !== "send") continue;
    await shrink(
      () => [...here().octets],
      (units) => {
        const step = { ...here(), octets: units.join("") };
        return { ...best, steps: best.steps.with(at, step) };
      },
    );
  }
  return best;
}
