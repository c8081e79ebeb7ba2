/** The validator: walks from the trust anchors down to an answer, RFC 4035 §5. */
import type { Judgement, Validator, ValidatorOptions } from "./judgement.ts";

/** A validator with nothing learned yet. */
export function validator(_options: ValidatorOptions): Validator {
  const nothing: Judgement = {
    security: "indeterminate",
    finding: { kind: "nothing" },
    why: "nothing is validated yet",
    proof: [],
  };
  return { judge: () => Promise.resolve(nothing) };
}
