/** Whose failures are counted together. */
import { ipv6Octets } from "../core/ipv6.ts";

/** Octets of an IPv6 address that a home or an office has for itself. */
const IPV6_OCTETS = 7;
/** The same that anybody can have for the asking, with 256 of those in it. */
const SITE_OCTETS = 6;

/**
 * The network of a client: the /24 of an IPv4 address, the /56 of an IPv6
 * address; what is neither is a network of its own.
 *
 * @param client A plain address, never IPv4-mapped, no zone
 */
export function networkOf(client: string): string {
  if (client.includes(":")) return ipv6Network(client, IPV6_OCTETS) ?? client;
  const parts = client.split(".");
  return parts.length === 4 ? `${parts.slice(0, 3).join(".")}.0/24` : client;
}

/** The /48 around a client's network; undefined but for IPv6. */
export function siteOf(client: string): string | undefined {
  return client.includes(":") ? ipv6Network(client, SITE_OCTETS) : undefined;
}

function ipv6Network(client: string, octets: number): string | undefined {
  try {
    const kept = ipv6Octets(client).subarray(0, octets);
    const words = [0, 2, 4, 6].slice(0, Math.ceil(octets / 2)).map((at) =>
      ((kept[at]! << 8) | (kept[at + 1] ?? 0)).toString(16)
    );
    return `${words.join(":")}::/${octets * 8}`;
  } catch {
    return undefined; // no address: whoever sent it has it for itself
  }
}
