/**
 * What the dial role answers, on an edge with a protocol of its own, because
 * the edge itself becomes the connection.
 *
 *     asker                          answerer
 *     16 octets address, 2 port,
 *     16 octets source, or zeros ->
 *                                <-  DIALLED, or DIAL_FAILED and the end
 *     octets of the connection   <-> octets of the connection
 *
 * A channel is good for one connection. The answerer keeps some plugged in
 * that nothing was asked of yet.
 */

import { ipv6Octets } from "../core/ipv6.ts";

/** Octets of a question. */
export const ASK_OCTETS = 34;

/** The connection stands; everything after is the other host's. */
export const DIALLED = 0;

/** There is no connection. The channel is closed. */
export const DIAL_FAILED = 1;

/** Where the octets of the address to connect from begin. */
export const SOURCE_AT = 18;

/**
 * Encodes a question. Addresses are IPv6 in text form, without zone.
 *
 * @throws {RangeError} If one is none: a caller bug
 */
export function encodeAsk(
  { address, port, source }: {
    readonly address: string;
    readonly port: number;
    /** Undefined leaves it to the kernel. */
    readonly source?: string | undefined;
  },
): Uint8Array {
  const octets = new Uint8Array(ASK_OCTETS);
  octets.set(octetsOf(address));
  new DataView(octets.buffer).setUint16(16, port);
  if (source !== undefined) octets.set(octetsOf(source), SOURCE_AT);
  return octets;
}

function octetsOf(address: string): Uint8Array {
  if (!URL.canParse(`http://[${address}]/`)) {
    throw new RangeError(`Cannot dial ${address}: not an IPv6 address`);
  }
  return ipv6Octets(address);
}
