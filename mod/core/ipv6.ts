/** IPv6 addresses as the socket interface takes them. */

/**
 * The sixteen octets of an address.
 *
 * @param text In any form of RFC 4291 §2.2, without brackets and zone
 * @throws {TypeError} If it is no IPv6 address: a caller bug
 */
export function ipv6Octets(text: string): Uint8Array<ArrayBuffer> {
  // URL parses and writes the one canonical form; only the gap is left.
  const canonical = new URL(`http://[${text}]/`).hostname.slice(1, -1);
  const [head = "", tail] = canonical.split("::");
  const words = (part: string) =>
    part === "" ? [] : part.split(":").map((word) => parseInt(word, 16));
  const octets = new Uint8Array(16);
  const view = new DataView(octets.buffer);
  words(head).forEach((word, i) => view.setUint16(2 * i, word));
  const right = words(tail ?? "");
  right.forEach((word, i) => view.setUint16(16 - 2 * (right.length - i), word));
  return octets;
}
