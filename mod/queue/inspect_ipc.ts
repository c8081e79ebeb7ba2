/**
 * What the one-shot process in the queue's jail prints for `bulkhead queue`
 * and `bulkhead check`. The command line checks it like anything else that
 * comes out of a compartment.
 */
import { int, list, object, text, z } from "../ipc/schema.ts";
import { orderAnswer } from "./order_ipc.ts";
import { attemptedHost } from "../smtpc/smtpc_ipc.ts";

const time = int({ min: 0, max: 2 ** 50 });

const listedMessage = object({
  id: text({ max: 16 }),
  state: text({ max: 16 }),
  arrivedMs: time,
  sizeBytes: int({ min: 0, max: 2 ** 40 }),
  sender: text({ max: 320 }),
  /** Where an administrator sends it; empty: where its routes lead. */
  nextHop: text({ max: 300 }),
  recipients: list(
    object({
      address: text({ max: 320 }),
      original: text({ max: 320 }),
      state: text({ max: 16 }),
      attempts: int({ min: 0, max: 2 ** 40 }),
      nextAttemptMs: time,
      lastOutcome: text({ max: 1_000 }),
      lastHost: text({ max: 255 }),
    }),
    { max: 10_000 },
  ),
});

/** Answer to `inspect QUEUE EVENTS order JSON`. */
export const ordering = object({
  /** Null if no queue carried the order out yet: perhaps none runs. */
  answer: z.union([z.null(), orderAnswer]),
});

/** A message in `bulkhead queue list`. */
export type ListedMessage = z.infer<typeof listedMessage>;

/** Answer to `inspect QUEUE EVENTS list`. */
export const listing = object({
  messages: list(listedMessage, { max: 1_000 }),
  /** Of all, the listed ones and the later ones. */
  total: int({ min: 0, max: 2 ** 40 }),
});

/** Answer to `inspect QUEUE EVENTS show ID`. */
export const showing = object({
  /** Null if it left the queue; its events stay for a while. */
  message: z.union([
    z.null(),
    listedMessage.extend({
      client: object({
        address: text({ max: 64 }),
        helo: text({ max: 255 }),
        protocol: text({ max: 16 }),
      }),
    }),
  ]),
  events: list(
    object({
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
    }),
    { max: 10_000 },
  ),
});

/** See {@link showing}. */
export type Showing = z.infer<typeof showing>;
