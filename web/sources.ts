/**
 * Where the pages' facts come from, as the pages see it. `main.ts` fills it by
 * asking other roles; tests and the page laboratory fill it by hand. Every
 * answer is undefined where nobody answers now.
 */
import type { gateContract } from "../mod/gate/gate_ipc.ts";
import type { Journey } from "../mod/journey/journey.ts";
import type { AnswerOf } from "../mod/ipc/call.ts";
import type { queueContract } from "../mod/queue/queue_ipc.ts";
import type { Facts, FlowSample, News } from "./news.ts";

type QueueAnswer<Name extends keyof typeof queueContract.calls> = AnswerOf<
  typeof queueContract.calls[Name]
>;

/** Recipients by state, and totals. */
export type Counts = QueueAnswer<"counts">;

/** One page of the queue. */
export type MessagePage = QueueAnswer<"messages">;

/** A message in a list. */
export type ListedMessage = MessagePage["messages"][number];

/** What the queue knows of a destination. */
export type Destination = QueueAnswer<"destinations">["destinations"][number];

/** What the gate knows of clients. */
export type Clients = AnswerOf<typeof gateContract.calls.clients>;

/** A client that was refused, or would have been. */
export type ClientVerdict = Clients["verdicts"][number];

/** What somebody said of a network: `allow` or `deny`. */
export type SaidOfClient = Clients["said"][number];

/** See the file's head. */
export interface Sources {
  nowMs(): number;
  news(): News | undefined;
  facts(): Facts | undefined;
  /** The last hour, a minute each, oldest first. */
  flow(): readonly FlowSample[];
  counts(): Promise<Counts | undefined>;
  messages(filter: {
    /** Empty: all. */
    readonly state: string;
    /** A recipients' domain; empty: all. */
    readonly domain: string;
    readonly after: string;
    readonly limit: number;
  }): Promise<MessagePage | undefined>;
  destinations(): Promise<readonly Destination[] | undefined>;
  /** Messages by queue id, address or word of a subject, newest first. */
  find(words: string): Promise<
    | readonly {
      readonly queueId: string;
      readonly atMs: number;
      readonly reversePath: string;
      readonly to: readonly string[];
      readonly state: string;
    }[]
    | undefined
  >;
  /** Null if nobody has heard of it. */
  journey(queueId: string): Promise<Journey | null | undefined>;
  clients(filter: { readonly client: string }): Promise<Clients | undefined>;
}
