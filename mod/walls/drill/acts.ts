/** The drill's acts, all of them, for one role's targets. */
import type { RoleName } from "../../ipc/call.ts";
import type { DrillAct, Mode } from "./act.ts";
import { kernelActs } from "./acts_on_kernel.ts";
import { networkActs } from "./acts_on_network.ts";
import { processActs } from "./acts_on_processes.ts";
import { readingActs, writingActs } from "./acts_on_files.ts";
import { runtimeActs } from "./acts_on_runtime.ts";
import { isExempt } from "./exemptions.ts";
import type { Targets } from "./targets.ts";

/** Fewest acts for each role in each mode: a drill of less proves little. */
export const LEAST_ACTS = 40;

/** Every act, whoever tries it. */
export function allActs(at: Targets): DrillAct[] {
  return [
    ...readingActs(at),
    ...writingActs(at),
    ...networkActs(at),
    ...processActs(at),
    ...kernelActs(at),
    ...runtimeActs(at),
  ];
}

/** What a role tries in a mode: everything but what is exempt. */
export function actsFor(role: RoleName, mode: Mode, at: Targets): DrillAct[] {
  return allActs(at).filter((one) =>
    one.modes.includes(mode) && !isExempt(one.act, role, mode)
  );
}
