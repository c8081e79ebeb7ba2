/**
 * How many sessions there are, in all and per client. A client is an IPv4
 * address or an IPv6 /64: whoever has one IPv6 address has the whole /64.
 */
import { expandIpv6 } from "../core/address.ts";

/**
 * An address without disguise: `::ffff:192.0.2.1` is `192.0.2.1`, and a zone
 * (`%eth0`) is cut off.
 */
export function plainAddress(address: string): string {
  const bare = address.split("%", 1)[0]!.toLowerCase();
  const groups = bare.includes(":") ? expandIpv6(bare) : undefined;
  if (groups === undefined) return bare;
  const [, , , , , mark, high, low] = groups;
  const isMapped = mark === 0xffff && groups.slice(0, 5).every((g) => g === 0);
  if (!isMapped) return bare;
  return [high! >> 8, high! & 255, low! >> 8, low! & 255].join(".");
}

/** What a client's sessions are counted under. */
export function clientKey(plain: string): string {
  const groups = plain.includes(":") ? expandIpv6(plain) : undefined;
  if (groups === undefined) return plain;
  return groups.slice(0, 4).map((g) => g.toString(16)).join(":") + "::/64";
}

/** Why no further session is opened. */
export type Overload = "too-many" | "too-many-from-client";

/** Counts sessions. Memory is bounded by the sessions that are open. */
export class ClientLimits {
  readonly #byClient = new Map<string, number>();
  #open = 0;

  /** Opens a session for a client, or says why not. */
  enter(
    key: string,
    limits: { maxSessions: number; maxSessionsPerClient: number },
  ): Overload | undefined {
    if (this.#open >= limits.maxSessions) return "too-many";
    const count = this.#byClient.get(key) ?? 0;
    if (count >= limits.maxSessionsPerClient) return "too-many-from-client";
    this.#byClient.set(key, count + 1);
    this.#open++;
    return undefined;
  }

  /**
   * Closes a session.
   *
   * @throws {RangeError} If the client has none: a caller bug
   */
  leave(key: string): void {
    const count = this.#byClient.get(key);
    if (count === undefined) throw new RangeError(`Cannot leave: ${key}`);
    if (count === 1) this.#byClient.delete(key);
    else this.#byClient.set(key, count - 1);
    this.#open--;
  }
}
