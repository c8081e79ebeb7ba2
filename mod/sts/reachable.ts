/**
 * Which addresses a policy may be fetched from. Whoever has a domain chooses
 * them, so none may lead to this machine or to its neighbours on the link. Pure.
 *
 * Private networks (RFC 1918) are allowed: a company's own domains may be
 * there, and no octet of a question leaves before the server has shown a
 * certificate for the policy's host.
 */

/** What may be connected to. */
export interface Reach {
  /** Loopback addresses too: in a laboratory. */
  readonly loopback: boolean;
}

/** True for an IPv4 address that may be connected to. */
export function isReachable(address: string, reach: Reach): boolean {
  const octets = address.split(".").map(Number);
  const [first, second] = octets;
  const isIpv4 = octets.length === 4 &&
    octets.every((one) => Number.isInteger(one) && one >= 0 && one <= 255);
  if (!isIpv4 || first === undefined) return false;
  if (first === 127) return reach.loopback;
  const isNowhere = first === 0 || first >= 224; // multicast, reserved, all
  const isLinkLocal = first === 169 && second === 254; // RFC 3927
  return !isNowhere && !isLinkLocal;
}
