/**
 * Greylisting: a first message from a client's network, of a sender, to a
 * recipient, is deferred; the same once more after a while is taken, and so
 * is every further one. A client that came again often enough is known to be
 * a mail server and not asked any more. Pure; time is a parameter.
 *
 * Senders and recipients are kept as a hash with the database's own salt, so
 * that no address lies on the disk longer than its message.
 */
import type { GatePart } from "./role.ts";
import { Shelf } from "./shelf.ts";

/** Settings of greylisting. */
export type GreylistPart = NonNullable<GatePart["greylist"]>;

/** A triplet: since when it is known, and whether it passed. */
export interface Triplet {
  readonly firstMs: number;
  readonly passed: boolean;
}

/** What it says. */
export type Greylisted =
  | { readonly is: "pass"; readonly why: string }
  | { readonly is: "wait"; readonly forMs: number };

/** Most triplets remembered. */
const MAX_TRIPLETS = 200_000;

/** The memory of it. */
export class Greylist {
  readonly triplets = new Shelf<Triplet>(MAX_TRIPLETS);
  /** How many triplets of a client's network passed. */
  readonly clients: Shelf<number>;

  constructor(maxClients: number) {
    this.clients = new Shelf(maxClients);
  }

  /**
   * Judges one recipient.
   *
   * @param client The client's network, as greylisting counts it
   * @param triplet Hash of client, sender and recipient
   */
  judge(
    part: GreylistPart,
    asked: { client: string; triplet: string },
    nowMs: number,
  ): Greylisted {
    const passes = this.clients.get(asked.client, nowMs) ?? 0;
    if (part.clientsPassAfter > 0 && passes >= part.clientsPassAfter) {
      this.clients.set(asked.client, passes, nowMs + part.passesMs);
      return {
        is: "pass",
        why: `${asked.client} came again often enough to be known`,
      };
    }
    const known = this.triplets.get(asked.triplet, nowMs);
    if (known === undefined) {
      const first = { firstMs: nowMs, passed: false };
      this.triplets.set(asked.triplet, first, nowMs + part.windowMs);
      return { is: "wait", forMs: part.delayMs };
    }
    // A clock that went back must not make anybody wait longer than at first.
    const waitedMs = Math.max(0, nowMs - known.firstMs);
    if (!known.passed && waitedMs < part.delayMs) {
      return { is: "wait", forMs: part.delayMs - waitedMs };
    }
    const passed = { firstMs: known.firstMs, passed: true };
    this.triplets.set(asked.triplet, passed, nowMs + part.passesMs);
    if (!known.passed) {
      this.clients.set(asked.client, passes + 1, nowMs + part.passesMs);
    }
    const agoS = Math.round(waitedMs / 1_000);
    return {
      is: "pass",
      why: known.passed
        ? "this sender has written to this recipient before"
        : `it came again ${agoS} s after the first attempt`,
    };
  }
}
