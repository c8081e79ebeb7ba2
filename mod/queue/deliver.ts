/** One job: a message, its key, and up to a hundred recipients at one place. */
import { Buffer } from "node:buffer";
import type { Outcome } from "../core/outcome.ts";
import type { RecipientWishes } from "../core/shapes.ts";
import type { Edge } from "../ipc/edge.ts";
import type { maildirContract } from "../maildir/maildir_ipc.ts";
import type { Target } from "../resolve/resolve_ipc.ts";
import type { Attempt, smtpcContract } from "../smtpc/smtpc_ipc.ts";
import type { Feedback } from "./agenda.ts";
import type { KeyFile } from "./keys_io.ts";
import type { Message, Recipient } from "./message.ts";
import type { ResolveEdge } from "./route.ts";
import { reversePathFor } from "./verp.ts";
import { NOTHING_ASKED } from "./wishes.ts";

/** The edges, as far as they are needed. */
export interface DeliveryEdges {
  readonly resolve: ResolveEdge;
  readonly maildir: Pick<Edge<typeof maildirContract.calls>, "ask">;
  readonly smtpc: Pick<Edge<typeof smtpcContract.calls>, "ask">;
}

/** A recipient and where it goes. */
export interface Part {
  readonly recipient: Recipient;
  readonly target: Target;
}

/** See the header. `destination` is `""` for the Maildir role. */
export interface Job {
  readonly message: Message;
  readonly destination: string;
  readonly parts: readonly Part[];
}

/** What a job came to. */
export type Reached =
  | {
    readonly kind: "outcomes";
    readonly outcomes: readonly Outcome[];
    readonly attempt?: Attempt;
  }
  | { readonly kind: "damaged" }
  | { readonly kind: "unknown"; readonly why: string };

/** What {@link deliver} needs. */
export interface Means {
  readonly edges: DeliveryEdges;
  readonly keys: Pick<KeyFile, "read">;
}

/**
 * What a job's end says of its destination. A host that refuses its greeting
 * is as good as none; what it says of a message or a recipient is an answer.
 */
export function feedbackOf(job: Job, reached: Reached): Feedback {
  if (job.destination === "" || reached.kind !== "outcomes") return "nothing";
  if (reached.attempt?.isServed === true) return "reached";
  const { outcomes } = reached;
  // RFC 3463 §3.4: X.3 is the trouble of the system that says so: of ours.
  if (outcomes.every((one) => one.host === "" && isOurTrouble(one))) {
    return "nothing";
  }
  return outcomes.every(({ kind }) => kind === "temporary")
    ? "failed"
    : "reached";
}

function isOurTrouble({ enhanced }: Outcome): boolean {
  return enhanced.startsWith("4.3.");
}

/** Asks the role that can deliver a job; never throws. */
export async function deliver(
  job: Job,
  means: Means & {
    /** It may be done already: an end of it was not heard, or not committed. */
    isRepeat: boolean;
  },
): Promise<Reached> {
  const { message, parts } = job;
  const key = means.keys.read(message.slot, message.id);
  if (key === "missing") return { kind: "damaged" };
  if (key === "unreadable") {
    return { kind: "unknown", why: "the key file cannot be read" };
  }
  const first = parts[0]!.target;
  const common = {
    queueId: message.id,
    ref: message.ref,
    key: Buffer.from(key).toString("base64"),
    // With VERP a job is one recipient.
    reversePath: reversePathFor(message, parts[0]!.recipient),
    isRepeat: means.isRepeat,
  };
  key.fill(0);
  const reply = first.kind === "mailbox"
    ? await means.edges.maildir.ask("deliver", {
      ...common,
      bodyType: message.bodyType,
      recipients: parts.map(mailboxOf),
    })
    : await means.edges.smtpc.ask("deliver", {
      ...common,
      recipients: parts.map(({ target }) => target.address),
      bodyType: message.bodyType,
      wishes: message.wishes,
      recipientWishes: wishesOf(parts),
      nextHop: first.nextHop,
      isTlsReport: message.isTlsReport,
    });
  switch (reply.kind) {
    case "refused":
      return { kind: "damaged" };
    case "failed":
      return { kind: "unknown", why: reply.why };
    case "answered":
      if (reply.answer.outcomes.length !== parts.length) {
        return { kind: "unknown", why: "an outcome for each was not given" };
      }
      return { kind: "outcomes", ...reply.answer };
  }
}

/** One a recipient; none at all if nobody asked for anything. */
function wishesOf(parts: readonly Part[]): RecipientWishes[] {
  return parts.every(({ recipient }) => recipient.wishes === NOTHING_ASKED)
    ? []
    : parts.map(({ recipient }) => recipient.wishes);
}

function mailboxOf({ recipient, target }: Part) {
  if (target.kind !== "mailbox") {
    throw new RangeError("Cannot deliver locally: not a mailbox");
  }
  const { mailbox, address } = target;
  return { mailbox, address, ordinal: recipient.ordinal };
}
