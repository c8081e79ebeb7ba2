/**
 * Where the pages' facts come from, as the pages see it. `main.ts` fills it by
 * asking other roles; tests and the page laboratory fill it by hand. Every
 * answer is undefined where nobody answers now.
 */
import type { Journey } from "../mod/journey/journey.ts";
import type { AnswerOf } from "../mod/ipc/call.ts";
import type { queueContract } from "../mod/queue/queue_ipc.ts";
import type { Facts, FlowSample, News } from "./news.ts";

/** Recipients by state, and totals. */
export type Counts = AnswerOf<typeof queueContract.calls.counts>;

/** A message in a list. */
export interface ListedMessage {
  readonly queueId: string;
  readonly arrivedMs: number;
  readonly sizeBytes: number;
  /** Empty for `<>`. */
  readonly reversePath: string;
  readonly recipients: number;
  /** The first recipients, at most 3. */
  readonly to: readonly string[];
  readonly state: string;
  /** Why it is still here: the last outcome's text, cut. */
  readonly why: string;
  /** When it is tried again; 0 if that is now, or never. */
  readonly nextAttemptMs: number;
}

/** One page of the queue. */
export interface MessagePage {
  readonly messages: readonly ListedMessage[];
  readonly total: number;
  /** Give this for the next page; empty if there is none. */
  readonly after: string;
}

/** What the queue knows of a destination. */
export interface Destination {
  /** The recipients' domain, or the next hop. */
  readonly name: string;
  readonly waiting: number;
  readonly active: number;
  /** Until when it is remembered as dead; 0 if it is not. */
  readonly deadUntilMs: number;
  /** Of the last delivery there, if there was one. */
  readonly last: {
    readonly atMs: number;
    readonly host: string;
    /** `dane`, `verified`, `encrypted`, `clear`, or empty, as the attempt says. */
    readonly reached: string;
    readonly tls: string;
    readonly certificate: string;
    /** `secure`, `insecure`, `bogus` ... of MX, address and TLSA. */
    readonly dns: {
      readonly mx: string;
      readonly address: string;
      readonly tlsa: string;
    };
    readonly mtaSts: string;
    readonly outcome: string;
  } | null;
}

/** A client that was refused, or would have been. */
export interface ClientVerdict {
  readonly atMs: number;
  readonly client: string;
  readonly action: string;
  readonly shadow: boolean;
  readonly rule: string;
  readonly evidence: string;
  readonly reply: string;
  readonly undo: string;
  readonly helo: string;
  readonly sender: string;
  readonly recipient: string;
}

/** What somebody said of a network: `allow` or `deny`. */
export interface SaidOfClient {
  readonly network: string;
  readonly word: string;
  readonly atMs: number;
}

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
  clients(filter: { readonly client: string }): Promise<
    | {
      readonly verdicts: readonly ClientVerdict[];
      readonly said: readonly SaidOfClient[];
    }
    | undefined
  >;
}
