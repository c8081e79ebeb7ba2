/** Whose failures are counted together. */
import { ipv6Octets } from "../core/ipv6.ts";

/** Octets of an IPv6 address that a home or an office has for itself. */
const IPV6_OCTETS = 7;

/**
 * The network of a client: the /24 of an IPv4 address, the /56 of an IPv6
 * address; what is neither is a network of its own.
 *
 * @param client A plain address, never IPv4-mapped, no zone
 */
export function networkOf(client: string): string {
  if (client.includes(":")) {
    try {
      const octets = ipv6Octets(client).subarray(0, IPV6_OCTETS);
      const words = [0, 2, 4, 6].map((at) =>
        ((octets[at]! << 8) | (octets[at + 1] ?? 0)).toString(16)
      );
      return `${words.join(":")}::/56`;
    } catch {
      return client; // no address: whoever sent it has it for itself
    }
  }
  const parts = client.split(".");
  return parts.length === 4 ? `${parts.slice(0, 3).join(".")}.0/24` : client;
}
