/**
 * Tickets of administrators. The console, whom any browser reaches, may do
 * nothing by itself: with everything that it asks for somebody goes a grant,
 * and queue and gate look at it themselves. Pure.
 *
 * - `bulkhead console` makes a `link`, with a key that root alone can read:
 *   good for one sign-in within ten minutes.
 * - The queue exchanges a link for a `grant`, good for twelve hours.
 *
 * The supervisor makes the key anew at each start. A role believes no ticket
 * that is older than itself: so it need not remember, across its own death,
 * which links were used and who signed out. That start is counted back from
 * now, on a clock that nobody sets, so the wall clock may be set meanwhile.
 */
import { createHmac, randomBytes, timingSafeEqual } from "node:crypto";

/** A link's life. */
export const LINK_MS = 600_000;
/** A grant's life. */
export const GRANT_MS = 43_200_000;
/** Longest ticket. */
export const MAX_TICKET = 160;
/** Octets of a key. */
export const KEY_OCTETS = 32;

/** What a ticket is for. */
export type TicketKind = "link" | "grant";

/** What a ticket says. */
export interface TicketFacts {
  readonly kind: TicketKind;
  /** The user of the system who asked for the link; for the log. */
  readonly by: string;
  readonly issuedMs: number;
  readonly untilMs: number;
  /** Its own: by this it is told from others. */
  readonly nonce: string;
}

const LIFE_MS = { link: LINK_MS, grant: GRANT_MS } as const;
/** Tickets remembered as used or revoked; each was signed by us. */
const MAX_SPENT = 4_096;
/** Our clock and that of who made a ticket are the same machine's. */
const SKEW_MS = 5_000;

/** A name of a user, harmless in a ticket and in the log. */
export function plainUser(name: string): string {
  const plain = name.replace(/[^A-Za-z0-9_-]/g, "_").slice(0, 32);
  return plain === "" ? "somebody" : plain;
}

/** Enough of a grant to tell sessions apart in the log. */
export function sessionName({ nonce }: TicketFacts): string {
  return nonce.slice(0, 8);
}

/** Makes a ticket. */
export function makeTicket(
  key: string,
  { kind, by, nowMs }: { kind: TicketKind; by: string; nowMs: number },
): string {
  const body = [
    kind,
    plainUser(by),
    Math.floor(nowMs).toString(36),
    Math.floor(nowMs + LIFE_MS[kind]).toString(36),
    randomBytes(16).toString("base64url"),
  ].join(".");
  return `${body}.${macOf(key, body).toString("base64url")}`;
}

/** Reads what `makeTicket` made with this key; undefined if it did not. */
export function readTicket(key: string, text: string): TicketFacts | undefined {
  if (key === "" || text.length > MAX_TICKET) return undefined;
  const end = text.lastIndexOf(".");
  if (end < 0) return undefined;
  const body = text.slice(0, end);
  const expected = macOf(key, body).toString("base64url");
  // Of text, so that each ticket has one spelling.
  const [said, right] = [
    encoder.encode(text.slice(end + 1)),
    encoder.encode(
      expected,
    ),
  ];
  if (said.length !== right.length || !timingSafeEqual(said, right)) {
    return undefined;
  }
  const [kind, by = "", issued = "", until = "", nonce = ""] = body.split(".");
  if (kind !== "link" && kind !== "grant") return undefined;
  return {
    kind,
    by,
    issuedMs: parseInt(issued, 36),
    untilMs: parseInt(until, 36),
    nonce,
  };
}

const encoder = new TextEncoder();

function macOf(key: string, body: string) {
  return createHmac("sha256", key).update(`bulkhead ticket 1\n${body}`)
    .digest();
}

/** What a look at a ticket says. */
export type Looked =
  | { readonly is: "good"; readonly facts: TicketFacts }
  /**
   * - `invalid`: not ours, or of another kind
   * - `expired`: its time is over, or older than this process
   * - `used`: a link that was used, a grant whose owner signed out
   */
  | { readonly is: "invalid" | "expired" | "used" };

/** Looks at tickets, and remembers which are worth nothing any more. */
export class TicketDesk {
  readonly #key: () => string;
  readonly #nowMs: () => number;
  readonly #upMs: () => number;
  readonly #spent = new Set<string>();
  /** Ends of the grants that were good when they were seen, by their nonce. */
  readonly #seenUntilUpMs = new Map<string, number>();
  /** Tickets from before this are worth nothing, on the steady clock. */
  #sinceUpMs: number;

  constructor(options: {
    /** Empty: no ticket is good. */
    key: () => string;
    nowMs?: () => number;
    /** A clock that nobody sets. */
    upMs?: () => number;
  }) {
    this.#key = options.key;
    this.#nowMs = options.nowMs ?? (() => Date.now());
    this.#upMs = options.upMs ?? (() => performance.now());
    this.#sinceUpMs = this.#upMs();
  }

  /** Looks at a ticket. */
  look(text: string, kind: TicketKind): Looked {
    const facts = readTicket(this.#key(), text);
    if (facts === undefined || facts.kind !== kind) return { is: "invalid" };
    const nowMs = this.#nowMs();
    const sinceMs = nowMs - (this.#upMs() - this.#sinceUpMs);
    const isOver = nowMs >= facts.untilMs || facts.issuedMs < sinceMs - 1 ||
      facts.issuedMs > nowMs + SKEW_MS;
    if (isOver) return { is: "expired" };
    if (this.#spent.has(facts.nonce)) return { is: "used" };
    if (kind === "grant") {
      const untilUpMs = this.#upMs() + facts.untilMs - nowMs;
      this.#seenUntilUpMs.set(facts.nonce, untilUpMs);
      if (this.#seenUntilUpMs.size > MAX_SPENT) {
        const [oldest] = this.#seenUntilUpMs.keys();
        this.#seenUntilUpMs.delete(oldest!);
      }
    }
    return { is: "good", facts };
  }

  /** True until every grant that was seen to be good is over, or spent. */
  get isInUse(): boolean {
    const nowUpMs = this.#upMs();
    for (const [nonce, untilUpMs] of this.#seenUntilUpMs) {
      if (nowUpMs < untilUpMs) return true;
      this.#seenUntilUpMs.delete(nonce);
    }
    return false;
  }

  /** Looks at a ticket; if it is good it never is again. */
  spend(text: string, kind: TicketKind): Looked {
    const looked = this.look(text, kind);
    if (looked.is !== "good") return looked;
    this.#spent.add(looked.facts.nonce);
    this.#seenUntilUpMs.delete(looked.facts.nonce);
    if (this.#spent.size > MAX_SPENT) {
      // Nobody may forget who signed out: rather is nobody signed in.
      this.#spent.clear();
      this.spendAll();
    }
    return looked;
  }

  /** No ticket that there is now is good any more. */
  spendAll(): void {
    this.#sinceUpMs = this.#upMs() + 2;
    this.#seenUntilUpMs.clear();
  }
}
