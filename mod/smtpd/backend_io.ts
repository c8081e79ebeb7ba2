/** The {@link Backend} of a real smtpd: three edges of the process graph. */
import type { Edge } from "../ipc/edge.ts";
import type { queueContract } from "../queue/queue_ipc.ts";
import type { resolveContract } from "../resolve/resolve_ipc.ts";
import type { spoolContract } from "../spool/spool_ipc.ts";
import type { Backend } from "./backend.ts";
import { KnownRecipients } from "./known_recipients.ts";

/** The edges that smtpd asks. */
export interface Edges {
  readonly resolve: Edge<typeof resolveContract.calls>;
  readonly spool: Edge<typeof spoolContract.calls>;
  readonly queue: Edge<typeof queueContract.calls>;
}

/** Asks over the given edges. */
export function edgeBackend({ resolve, spool, queue }: Edges): Backend {
  const known = new KnownRecipients((address: string) =>
    resolve.ask("recipient", { address })
  );
  return {
    recipient: (address) => known.recipient(address),
    store: () => spool.stream("store", {}),
    accept: (ask) => queue.ask("accept", ask),
    drop: (ref) => spool.ask("drop", { ref }),
  };
}

/** The same for submission, which may ask more. */
export function submissionBackend(edges: Edges): Backend {
  const { resolve } = edges;
  const known = new KnownRecipients((address: string) =>
    resolve.ask("relay", { address })
  );
  return {
    ...edgeBackend(edges),
    forLogins: {
      relay: (address) => known.recipient(address),
      sender: (address, login) => resolve.ask("sender", { address, login }),
    },
  };
}
