/** The {@link Backend} of a real server: edges of the process graph. */
import type { authContract } from "../auth/auth_ipc.ts";
import { address as addressShape } from "../core/shapes.ts";
import type { Edge } from "../ipc/edge.ts";
import type { queueContract } from "../queue/queue_ipc.ts";
import type { resolveContract } from "../resolve/resolve_ipc.ts";
import type { spoolContract } from "../spool/spool_ipc.ts";
import type { Backend, Flush } from "./backend.ts";
import { KnownRecipients } from "./known_recipients.ts";
import { RecentFlushes } from "./recent_flushes.ts";
import { askAuth } from "./sasl_step.ts";

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
  const flushes = new RecentFlushes();
  const flush = async (domain: string, andBelow: boolean): Promise<Flush> => {
    const address = `postmaster@${domain}`;
    // A domain may be so long that no address fits in front of it; to ask
    // about one that is none would cost us resolve's channel.
    if (!addressShape.safeParse(address).success) return "not-ours";
    // Resolve alone knows for whom we relay: whom a stranger may write to.
    const about = await resolve.ask("recipient", { address });
    if (about.kind === "failed") return "failed";
    const isRelayed = about.kind === "answered" &&
      about.answer.targets.every(({ kind }) => kind === "remote");
    if (!isRelayed) return "not-ours";
    const node = andBelow ? `@${domain}` : domain;
    if (flushes.rests(node)) return "started";
    const flushed = await queue.ask("flush", { domain, andBelow });
    if (flushed.kind !== "answered") return "failed";
    flushes.note(node);
    return "started";
  };
  return {
    recipient: (address) => known.recipient(address),
    foresee: (address) => known.foresee(address),
    store: () => spool.stream("store", {}),
    accept: (ask) => queue.ask("accept", ask),
    flush,
    drop: (ref) => spool.ask("drop", { ref }),
  };
}

/** The edges that submission asks. */
export interface SubmissionEdges extends Edges {
  readonly auth: Edge<typeof authContract.calls>;
}

/** The same for submission, which may ask more. */
export function submissionBackend(edges: SubmissionEdges): Backend {
  const { resolve, auth } = edges;
  const known = new KnownRecipients((address: string) =>
    resolve.ask("relay", { address })
  );
  return {
    ...edgeBackend(edges),
    forLogins: {
      login: (question) => askAuth(question, auth),
      relay: (address) => known.recipient(address),
      foresee: (address) => known.foresee(address),
      sender: (address, login) => resolve.ask("sender", { address, login }),
    },
  };
}
