/** The MTA-STS role's process. */
import { runRole } from "../ipc/role_runtime.ts";
import { stsPart } from "./role.ts";
import { stsContract } from "./sts_ipc.ts";

/** Runs the role for the life of the process. */
export async function main(): Promise<void> {
  await runRole(stsPart, (context) => {
    context.answer(stsContract, { policy: () => ({ refusal: "none" }) });
  });
}
