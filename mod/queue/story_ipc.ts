/**
 * What the queue tells of one message, whoever asks: the jailed one-shot
 * process for the command line, the console by IPC. `mod/journey` puts it in
 * plain words.
 */
import { int, list, object, text, z } from "../ipc/schema.ts";
import { intake } from "../core/intake.ts";
import { attemptedHost } from "../smtpc/smtpc_ipc.ts";

const time = int({ min: 0, max: 2 ** 50 });

const listedRecipient = object({
  address: text({ max: 320 }),
  original: text({ max: 320 }),
  state: text({ max: 16 }),
  attempts: int({ min: 0, max: 2 ** 40 }),
  nextAttemptMs: time,
  lastOutcome: text({ max: 1_000 }),
  lastHost: text({ max: 255 }),
});

/** A message of the queue with its recipients. */
export function listedMessage(maxRecipients: number) {
  return object({
    id: text({ max: 16 }),
    state: text({ max: 16 }),
    arrivedMs: time,
    sizeBytes: int({ min: 0, max: 2 ** 40 }),
    sender: text({ max: 320 }),
    /** Where an administrator sends it; empty: where its routes lead. */
    nextHop: text({ max: 300 }),
    recipients: list(listedRecipient, { max: maxRecipients }),
  });
}

/** Recipients that are told of a message that was taken. */
export const MAX_TAKEN_RECIPIENTS = 50;

/** How a message was taken over: with its event `accepted`. */
export const taken = object({
  sender: text({ max: 320 }),
  /** The first ones. */
  recipients: list(text({ max: 320 }), { max: MAX_TAKEN_RECIPIENTS }),
  recipientCount: int({ min: 0, max: 1_000_000 }),
  address: text({ max: 64 }),
  helo: text({ max: 255 }),
  protocol: text({ max: 16 }),
  /** The mailbox that logged in, or whose drop file it was; or empty. */
  login: text({ max: 320 }),
  sizeBytes: int({ min: 0, max: 2 ** 40 }),
  /** The file of the spool that holds its record, and its key's slot. */
  segment: text({ max: 40 }),
  slot: int({ min: 0, max: 2 ** 40 }),
  /** Null if whoever handed it over said nothing more. */
  intake: intake.nullable(),
});

/** See {@link taken}. */
export type Taken = z.infer<typeof taken>;

/** One entry of the history. */
export const shownEvent = object({
  atMs: time,
  recipient: text({ max: 320 }),
  what: text({ max: 64 }),
  host: text({ max: 255 }),
  tls: text({ max: 100 }),
  code: int({ min: 0, max: 999 }),
  text: text({ max: 2_000 }),
  address: text({ max: 64 }),
  tookMs: int({ min: 0, max: 2 ** 40 }),
  hosts: list(attemptedHost, { max: 20 }),
  transcript: list(text({ max: 400 }), { max: 100 }),
  /** With `accepted`; null with anything else, and of older programs. */
  taken: taken.nullable(),
});

/** A message with its story, with at most so many recipients and events. */
export function storyOf(max: { recipients: number; events: number }) {
  return object({
    /** Null if it left the queue; its events stay for a while. */
    message: z.union([
      z.null(),
      listedMessage(max.recipients).extend({
        client: object({
          address: text({ max: 64 }),
          helo: text({ max: 255 }),
          protocol: text({ max: 16 }),
        }),
      }),
    ]),
    /** In their order; if there are too many, the first and the last. */
    events: list(shownEvent, { max: max.events }),
  });
}

/** Messages in one answer to `find`. */
export const MAX_FOUND = 100;

/** A message that was found. */
export const found = object({
  queueId: text({ max: 16 }),
  /** When it was taken. */
  atMs: time,
  sender: text({ max: 320 }),
  /** The first recipients. */
  to: list(text({ max: 320 }), { max: 3 }),
  recipients: int({ min: 0, max: 1_000_000 }),
  /**
   * Its state in the queue; or, if it left it, what happened last: `delivered`,
   * `failed`, `deleted`...
   */
  state: text({ max: 64 }),
});

/** See {@link found}. */
export type Found = z.infer<typeof found>;
