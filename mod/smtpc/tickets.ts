/**
 * TLS sessions that may be taken up again (RFC 8446 §2.2, RFC 5077): a new
 * connection to the same place spares a part of the handshake. Each is used
 * once (RFC 8446 §C.4). Bounded in time and number.
 *
 * Deno 2.9.6 calls every session that was taken up `authorized`, even one
 * whose certificate no authority ever vouched for. So they are offered only
 * where nothing rests on an authority: the certificates themselves come with
 * them and are judged anew.
 */
import type { Demand } from "../dane/demand.ts";

/** How long one is kept, and how many there are. */
const KEEP_MS = 600_000;
const MAX_KEPT = 500;

/** Where a session may be taken up again. */
export interface Place {
  readonly sni: string;
  readonly address: string;
  readonly port: number;
}

/** See the file's header. */
export class Tickets<T> {
  readonly #kept = new Map<string, { ticket: T; untilMs: number }>();
  readonly #now: () => number;

  /** @param now A clock in milliseconds; a parameter so that tests are exact */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  /** Takes one for a place; it is not there afterwards. */
  take(place: Place): T | undefined {
    const key = keyOf(place);
    const kept = this.#kept.get(key);
    this.#kept.delete(key);
    return kept !== undefined && kept.untilMs > this.#now()
      ? kept.ticket
      : undefined;
  }

  /** Keeps the newest for a place. */
  put(place: Place, ticket: T): void {
    const key = keyOf(place);
    this.#kept.delete(key); // the newest at the end
    this.#kept.set(key, { ticket, untilMs: this.#now() + KEEP_MS });
    if (this.#kept.size <= MAX_KEPT) return;
    for (const oldest of this.#kept.keys()) {
      this.#kept.delete(oldest);
      return;
    }
  }
}

/** Whether a session that is taken up again can meet a demand. */
export function mayResume(demand: Demand): boolean {
  switch (demand.kind) {
    case "dane":
    case "fingerprint":
    case "encrypted":
      return demand.sni !== "";
    case "opportunistic":
      return demand.sni !== "" && demand.testing === undefined;
    case "clear":
    case "verified":
    case "unusable":
      return false;
  }
}

function keyOf({ sni, address, port }: Place): string {
  return `${sni} ${address} ${port}`;
}
