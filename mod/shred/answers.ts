/** What shred does when asked. */
import type { Handlers } from "../ipc/call.ts";
import type { Eraser } from "./eraser.ts";
import type { shredContract } from "./shred_ipc.ts";

/** Builds the handlers of `shred_ipc.ts`. */
export function shredAnswers(
  eraser: Eraser,
  /** The directory of spent segments. */
  dir: string,
): Handlers<typeof shredContract.calls> {
  return {
    async overwrite({ segment, bytes, restMs }) {
      const path = `${dir}/${segment}.seg`;
      const erased = await eraser.erase({ path, bytes, restMs });
      return "refusal" in erased
        ? erased
        : { answer: { readBack: erased.readBack } };
    },
  };
}
