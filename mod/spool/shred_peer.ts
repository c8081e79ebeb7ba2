/** Asks shred over its edge. */
import type { Edge } from "../ipc/edge.ts";
import type { shredContract } from "../shred/shred_ipc.ts";
import type { Shred } from "./erasing.ts";

/** What shred says, or that it does not. */
export function shredPeer(
  edge: Pick<Edge<typeof shredContract.calls>, "ask">,
): Shred {
  return async (ask) => {
    const reply = await edge.ask("overwrite", ask);
    switch (reply.kind) {
      case "answered":
        return "overwritten";
      case "refused":
        return reply.refusal;
      case "failed":
        return "away";
    }
  };
}
