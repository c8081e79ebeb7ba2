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
  const octets = new Uint8Array(ASK_OCTETS);
  const view = new DataView(octets.buffer);
  wordsOf(address).forEach((word, i) => view.setUint16(2 * i, word));
  view.setUint16(16, port);
  return octets;
}

/** The eight 16-bit words of an IPv6 address. */
function wordsOf(address: string): number[] {
  if (!URL.canParse(`http://[${address}]/`)) {
    throw new RangeError(`Cannot dial ${address}: not an IPv6 address`);
  }
  // URL parses and writes the one canonical form; only the gap is left.
  const text = new URL(`http://[${address}]/`).hostname.slice(1, -1);
  const [head = "", tail] = text.split("::");
  const words = (part: string) =>
    part === "" ? [] : part.split(":").map((word) => parseInt(word, 16));
  const left = words(head);
  const right = words(tail ?? "");
  const gap = tail === undefined ? 0 : 8 - left.length - right.length;
  return [...left, ...new Array<number>(gap).fill(0), ...right];
}
