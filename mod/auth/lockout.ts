/**
 * Lock-out by rate. Counts of failures, none of which knows a login alone: so
 * nobody can lock the owner of a mailbox out from elsewhere.
 *
 * | what is counted         | at once | and then        |
 * | ----------------------- | ------- | --------------- |
 * | a login from a network  | 10      | one every 90 s  |
 * | a network, all logins   | 50      | one every 18 s  |
 * | a /48 of IPv6, the same | 200     | one every 4.5 s |
 *
 * A network is a /24 of IPv4 or a /56 of IPv6. A /48 has 256 of those and can
 * be had for nothing, so there is a count for it, too; as others may be in it,
 * who has logged in from its own network before is not locked by it. Unknown logins count as known
 * ones do. A success forgets the failures of its login from its network, and
 * not those of the network: or one account would be a licence to guess at
 * others. 20,000 names of each kind are kept, about 5 MB.
 *
 * The same wrong password again is no further guess at a login
 * (`recent_guesses.ts`); SCRAM does not show it, so there it is.
 *
 * From where a login succeeded is remembered, too: who comes from there again
 * does not wait behind strangers (`work_queue.ts`).
 */
import { FailureCounts, type FailureLimit } from "./failure_counts.ts";
import { networkOf, siteOf } from "./network.ts";
import { RecentGuesses } from "./recent_guesses.ts";

/** After this without a failure nothing is locked. */
export const LOCK_WINDOW_MS = 15 * 60_000;
/** See the file's header. */
export const LOGIN_LIMIT: FailureLimit = {
  limit: 10,
  windowMs: LOCK_WINDOW_MS,
  maxNames: 20_000,
};
/** See the file's header. */
export const NETWORK_LIMIT: FailureLimit = {
  limit: 50,
  windowMs: LOCK_WINDOW_MS,
  maxNames: 20_000,
};
/** See the file's header. */
export const SITE_LIMIT: FailureLimit = {
  limit: 200,
  windowMs: LOCK_WINDOW_MS,
  maxNames: 20_000,
};
const MAX_KNOWN = 20_000;
/** Locked names that are told to the console. */
const MAX_TOLD = 100;

/** A lock that a failure has just closed. */
export interface Locked {
  readonly what: "login" | "network" | "site";
  /** The login's, or what is locked. */
  readonly network: string;
  /** Until the next try is allowed; a further failure prolongs it. */
  readonly forMs: number;
}

/** Where a failure counts. */
interface Counted extends Pick<Locked, "what" | "network"> {
  readonly count: FailureCounts;
  readonly key: string;
}

/** See the file's header. */
export class Lockout {
  readonly #logins = new FailureCounts(LOGIN_LIMIT);
  readonly #networks = new FailureCounts(NETWORK_LIMIT);
  readonly #sites = new FailureCounts(SITE_LIMIT);
  readonly #guesses = new RecentGuesses();
  /** Logins with networks that succeeded, in the order of the last time. */
  readonly #known = new Set<string>();

  /** True if this login may not be tried from there now. */
  isLocked(login: string, client: string, nowMs: number): boolean {
    const network = networkOf(client);
    const site = siteOf(client);
    if (
      site !== undefined && this.#sites.fullForMs(site, nowMs) > 0 &&
      !this.isKnown(login, client)
    ) return true;
    return this.#networks.fullForMs(network, nowMs) > 0 ||
      this.#logins.fullForMs(keyOf(login, network), nowMs) > 0;
  }

  /**
   * Counts a failure; tells what it locked.
   *
   * @param password The wrong one, if it is known: repeated, it counts for the
   * network alone
   */
  failed(
    { login, client, password }: {
      login: string;
      client: string;
      password?: string | undefined;
    },
    nowMs: number,
  ): Locked[] {
    const network = networkOf(client);
    const key = keyOf(login, network);
    const isGuess = password === undefined ||
      this.#guesses.isNew(key, password);
    const site = siteOf(client);
    const counts: Counted[] = [
      { what: "login", count: this.#logins, key, network },
      { what: "network", count: this.#networks, key: network, network },
    ];
    if (site !== undefined) {
      counts.push({
        what: "site",
        count: this.#sites,
        key: site,
        network: site,
      });
    }
    return counts.slice(isGuess ? 0 : 1).flatMap((one) => {
      const { what, count, key, network } = one;
      const before = count.fullForMs(key, nowMs);
      count.add(key, nowMs);
      const forMs = count.fullForMs(key, nowMs);
      return before === 0 && forMs > 0 ? [{ what, network, forMs }] : [];
    });
  }

  /** The login was right. */
  succeeded(login: string, client: string): void {
    const key = keyOf(login, networkOf(client));
    this.#logins.clear(key);
    this.#known.delete(key);
    this.#known.add(key);
    if (this.#known.size <= MAX_KNOWN) return;
    const oldest = this.#known.values().next().value;
    if (oldest !== undefined) this.#known.delete(oldest);
  }

  /** True if this login succeeded from there since the process began. */
  isKnown(login: string, client: string): boolean {
    return this.#known.has(keyOf(login, networkOf(client)));
  }

  /** What is locked: `NETWORK`, or `LOGIN from NETWORK`. */
  locked(nowMs: number): string[] {
    return [
      ...this.#sites.full(nowMs, MAX_TOLD),
      ...this.#networks.full(nowMs, MAX_TOLD),
      ...this.#logins.full(nowMs, MAX_TOLD),
    ].slice(0, MAX_TOLD);
  }
}

function keyOf(login: string, network: string): string {
  return `${login} from ${network}`;
}
