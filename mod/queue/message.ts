/** A message and its recipients, as the queue holds them in memory. */
import type { z } from "../ipc/schema.ts";
import {
  type bodyType,
  type ContentRef,
  type MessageWishes,
  NO_WISHES,
  type RecipientWishes,
} from "../core/shapes.ts";
import type { Outcome } from "../core/outcome.ts";
import type { Hop } from "./order_ipc.ts";
import { STATES } from "./queue_ipc.ts";
import { NOTHING_ASKED } from "./wishes.ts";

/** State of a recipient, see `mod/recovery`. */
export type State = typeof STATES[number];

/**
 * State of a message:
 *
 * - `incoming`: committed; whether its key is on disk, the row does not say
 * - `queued`: ours to deliver
 * - `corrupt`: kept for a human; its content or key is damaged
 */
export const MESSAGE_STATES = [
  "incoming",
  "queued",
  "corrupt",
] as const;

/** See {@link MESSAGE_STATES}. */
export type MessageState = typeof MESSAGE_STATES[number];

/** How a message's octets are labelled. */
export type BodyType = z.infer<typeof bodyType>;

/** See {@link BodyType}, in the order of the database's numbers. */
export const BODY_TYPES = [
  "7bit",
  "8bitmime",
  "binarymime",
] as const satisfies readonly BodyType[];

/**
 * What a notice says of a recipient in state `bounce`, RFC 3464 §2.3.3, in the
 * order of the database's numbers.
 */
export const ACTIONS = [
  "failed",
  "delivered",
  "relayed",
  "expanded",
] as const;

/** See {@link ACTIONS}. */
export type NoticeAction = typeof ACTIONS[number];

/** Number of a recipient's state in the database. */
export function stateNumber(state: State): number {
  return STATES.indexOf(state);
}

/** Number of a message's state in the database. */
export function messageStateNumber(state: MessageState): number {
  return MESSAGE_STATES.indexOf(state);
}

/** One recipient with its row. */
export interface Recipient {
  /** Number within the message, from 0; never reused. */
  readonly ordinal: number;
  address: string;
  /** The address before an alias replaced it; empty if none did. */
  original: string;
  /** How often aliases replaced it. */
  readonly depth: number;
  /** What its sender wants to be told. */
  readonly wishes: RecipientWishes;
  /** `gone`: it has no row any more. */
  state: State | "gone";
  /** Failed attempts. */
  attempts: number;
  /** Not before this. */
  nextMs: number;
  /** What came of the last attempt. */
  last: Outcome | undefined;
  /** When that was; 0 if there was none. */
  lastMs: number;
  /** How it went, in words for its sender; empty if `last` says it all. */
  account: string;
  /** What the notice says that a recipient in state `bounce` waits for. */
  action: NoticeAction;
}

/** One message in memory. */
export interface Message {
  /** Row number, in order of arrival. */
  readonly n: number;
  readonly id: string;
  readonly slot: number;
  readonly ref: ContentRef;
  /** Empty for `<>`. */
  readonly reversePath: string;
  readonly bodyType: BodyType;
  readonly wishes: MessageWishes;
  /** Its sender logged in, or it is a notice of ours: it may go anywhere. */
  readonly mayRelay: boolean;
  /** A TLS report of ours: no failure of TLS may keep it (RFC 8460 §3). */
  readonly isTlsReport: boolean;
  readonly arrivedMs: number;
  /** Its sender was told that it is late. */
  isWarned: boolean;
  /** Where an administrator sends it instead of where its routes lead. */
  readonly nextHop: Hop;
  /** It leaves memory as soon as nothing of it is under way. */
  isRecalled: boolean;
  /**
   * Recipients that had a row when it was loaded, and those added since: all,
   * or a slice of very many.
   */
  recipients: Recipient[];
  nextOrdinal: number;
  /** Recipients that have a row, in memory or not. */
  rows: number;
  /** When those are due that are not in memory; -1 if there are none. */
  elsewhereMs: number;
  /** Recipients in this round that wait for an outcome. */
  open: number;
  /** Where its recipients go, so that nobody gets it twice. */
  readonly targets: Set<string>;
  /** The record or the key turned out to be damaged. */
  isDamaged: boolean;
  /** For the agenda. */
  tag: number;
  /** Jobs of it that ended without anybody knowing how. */
  unknownEnds: number;
}

/** A new message in memory, before anything happened to it. */
export function newMessage(
  facts:
    & Pick<
      Message,
      "n" | "id" | "slot" | "ref" | "reversePath" | "bodyType" | "arrivedMs"
    >
    & Partial<
      Pick<
        Message,
        "wishes" | "mayRelay" | "isTlsReport" | "isWarned" | "nextHop"
      >
    >,
  recipients: Recipient[],
): Message {
  let nextOrdinal = 0;
  for (const { ordinal } of recipients) {
    nextOrdinal = Math.max(nextOrdinal, ordinal + 1);
  }
  return {
    ...facts,
    wishes: facts.wishes ?? NO_WISHES,
    mayRelay: facts.mayRelay ?? false,
    isTlsReport: facts.isTlsReport ?? false,
    isWarned: facts.isWarned ?? false,
    recipients,
    nextOrdinal,
    rows: recipients.length,
    elsewhereMs: -1,
    open: 0,
    targets: new Set(),
    nextHop: facts.nextHop ?? "",
    isRecalled: false,
    isDamaged: false,
    tag: 0,
    unknownEnds: 0,
  };
}

/** A recipient that nothing was tried for. */
export function newRecipient(
  ordinal: number,
  address: string,
  more: Partial<
    Pick<Recipient, "original" | "depth" | "wishes" | "state">
  > = {},
): Recipient {
  return {
    ordinal,
    address,
    original: more.original ?? "",
    depth: more.depth ?? 0,
    wishes: more.wishes ?? NOTHING_ASKED,
    state: more.state ?? "incoming",
    attempts: 0,
    nextMs: 0,
    last: undefined,
    lastMs: 0,
    account: "",
    action: "failed",
  };
}

/** The protocol by which our own notices came; in the database, so it stays. */
export const NOTICE = "notice";
/** The same of our TLS reports. */
export const TLS_REPORT = "tls-report";
