/** Entry of the gate. */
import { runRole } from "../ipc/role_runtime.ts";
import { gateContract, type GateVerdict } from "./gate_ipc.ts";
import { gatePart } from "./role.ts";

const PASS: GateVerdict = {
  action: "pass",
  code: 0,
  enhanced: "",
  reply: "",
  rule: "",
  evidence: "",
  undo: "",
};

/** Runs the role until its supervisor stops it. */
export async function main(): Promise<void> {
  await runRole(gatePart, (context) => {
    context.answer(gateContract, {
      arrive: () => ({ answer: { verdict: PASS, tests: [] } }),
      leave: () => ({ answer: {} }),
      score: () => ({ answer: { verdict: PASS, hits: [], allowed: false } }),
      tested: () => ({ answer: {} }),
      judge: () => ({ answer: { verdict: PASS } }),
      tally: () => ({ answer: { verdict: PASS } }),
    });
  });
}
