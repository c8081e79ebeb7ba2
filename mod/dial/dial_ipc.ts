/**
 * What the dial role answers, on an edge with a protocol of its own, because
 * the edge itself becomes the connection.
 *
 *     asker                          answerer
 *     16 octets address, 2 port  ->
 *                                <-  DIALLED, or DIAL_FAILED and the end
 *     octets of the connection   <-> octets of the connection
 *
 * A channel is good for one connection. The answerer keeps some plugged in
 * that nothing was asked of yet.
 */

import { ipv6Octets } from "../core/ipv6.ts";

/** Octets of a question. */
export const ASK_OCTETS = 18;

/** The connection stands; everything after is the other host's. */
export const DIALLED = 0;

/** There is no connection. The channel is closed. */
export const DIAL_FAILED = 1;

/**
 * Encodes a question.
 *
 * @param address IPv6 address in text form, without zone
 * @throws {RangeError} If it is none: a caller bug
 */
export function encodeAsk(address: string, port: number): Uint8Array {
  if (!URL.canParse(`http://[${address}]/`)) {
    throw new RangeError(`Cannot dial ${address}: not an IPv6 address`);
  }
  const octets = new Uint8Array(ASK_OCTETS);
  octets.set(ipv6Octets(address));
  new DataView(octets.buffer).setUint16(16, port);
  return octets;
}
