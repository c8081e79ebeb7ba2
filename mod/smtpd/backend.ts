/**
 * The roles behind smtpd, as a session sees them. An interface, so that the
 * whole server runs in a test without any of them.
 */
import type { AskStream } from "../ipc/asking_end.ts";
import type { AskOf, Reply } from "../ipc/call.ts";
import type { ContentRef, Mailbox } from "../core/shapes.ts";
import type { SaslAnswer, SaslQuestion } from "./sasl_step.ts";
import type { queueContract } from "../queue/queue_ipc.ts";
import type { resolveContract } from "../resolve/resolve_ipc.ts";
import type { spoolContract } from "../spool/spool_ipc.ts";

type Queue = typeof queueContract.calls;
type Resolve = typeof resolveContract.calls;
type Spool = typeof spoolContract.calls;

/**
 * What came of an ETRN. `not-ours`: nothing is relayed there for strangers,
 * and nobody is told more.
 */
export type Flush = "started" | "not-ours" | "failed";

/** A message's octets on their way into the spool. */
export type ContentStream = AskStream<Spool["store"]>;
/** What came of storing a message. */
export type StoreReply = Reply<Spool["store"]>;
/** The envelope, as the queue takes it. */
export type AcceptAsk = AskOf<Queue["accept"]>;

/** What a session asks of the other roles. Nothing here ever rejects. */
export interface Backend {
  /** Does this recipient exist, and may a stranger send to it? */
  recipient(address: string): Promise<Reply<Resolve["recipient"]>>;
  /** It is about to be asked about this recipient. */
  foresee?(address: string): void;
  /** Opens a stream into the spool; undefined if the spool is not there. */
  store(): Promise<ContentStream | undefined>;
  /** Answered when key and envelope survive a crash. */
  accept(ask: AcceptAsk): Promise<Reply<Queue["accept"]>>;
  /** Tries what waits for a domain that we relay for, RFC 1985. */
  flush(domain: string, andBelow: boolean): Promise<Flush>;
  /** Gives back a record that nobody took over. */
  drop(ref: ContentRef): Promise<unknown>;
  /** What only submission may ask; port 25 has no such edges. */
  readonly forLogins?: LoginBackend;
}

/** What is asked of and for clients that log in. */
export interface LoginBackend {
  /** Asks auth. */
  login(question: SaslQuestion): Promise<SaslAnswer>;
  /** Does this recipient exist, wherever it is? */
  relay(address: string): Promise<Reply<Resolve["relay"]>>;
  /** As {@link Backend.foresee}, for {@link relay}. */
  foresee?(address: string): void;
  /** May this mailbox send as this address? */
  sender(address: string, login: Mailbox): Promise<Reply<Resolve["sender"]>>;
}
