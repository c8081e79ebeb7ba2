/**
 * The form of a sealed message, on disk.
 *
 * A record is a header and one or more chunks, back to back:
 *
 *     OFFSET  SIZE  MEANING
 *          0     8  magic, the ASCII octets `BULKHEAD`
 *          8     2  version, big-endian: 1
 *         10     2  zero
 *         12     4  octets of plaintext in a full chunk, big-endian: 65,536
 *         16    16  record id: random, never used again
 *         32     n  chunk 0: ciphertext, then its tag of 16 octets
 *      32+n+16   m  chunk 1, and so on
 *
 * All numbers are big-endian. Every chunk but the last holds exactly 65,536
 * octets of plaintext, the last 0 to 65,536; so an empty message is one empty
 * chunk, and a message of 65,536 octets is one full chunk and no empty one.
 * The record's length follows from the message's: 0 octets make a record of
 * 48, 65,536 one of 65,584, 65,537 one of 65,601.
 *
 * Sealing is STREAM (Hoang, Reyhanitabar, Rogaway, Vizár 2015) over
 * ChaCha20-Poly1305 (RFC 8439 §2.8), under a key that no other record has:
 *
 *     nonce, 12 octets: 7 zero, chunk number (4, big-endian), 1 if last else 0
 *     additional data:  the 32 octets of the header
 *
 * ChaCha20-Poly1305, because node:crypto does seven times the octets a second
 * that it does with AES-256-GCM. STREAM, because a chunk that was moved,
 * dropped, doubled or cut off has a nonce other than the one it was sealed
 * with, so its tag fails: a reader may use a chunk before it has seen the next
 * one and still notices a truncation at the end. A nonce never repeats under
 * one key, because each record has its own key and each chunk its own number.
 *
 * The header names no segment and no offset: a record may be moved as it is.
 */

/** Octets of a record's header. */
export const HEADER_OCTETS = 32;

/** Octets of plaintext in every chunk but the last. */
export const CHUNK_OCTETS = 65_536;

/** Octets of the tag that ends each chunk. */
export const TAG_OCTETS = 16;

/** Octets of a record id. */
export const RECORD_ID_OCTETS = 16;

/** Octets of a message's key. */
export const KEY_OCTETS = 32;

/** The cipher's name in node:crypto. */
export const CIPHER = "chacha20-poly1305";

const FIXED = new Uint8Array(HEADER_OCTETS - RECORD_ID_OCTETS);
FIXED.set(new TextEncoder().encode("BULKHEAD"));
new DataView(FIXED.buffer).setUint16(8, 1);
new DataView(FIXED.buffer).setUint32(12, CHUNK_OCTETS);

/** Builds the header of the record `recordId`. */
export function encodeHeader(recordId: Uint8Array): Uint8Array<ArrayBuffer> {
  const header = new Uint8Array(HEADER_OCTETS);
  header.set(FIXED);
  header.set(recordId, FIXED.length);
  return header;
}

/** True if these octets begin as a header of our version does. */
export function isHeader(octets: Uint8Array): boolean {
  return octets.length === HEADER_OCTETS &&
    FIXED.every((octet, at) => octets[at] === octet);
}

/**
 * The nonce of one chunk; see the file's head.
 *
 * @param number Of the chunk, from 0; at most 2^32 - 1
 * @throws {RangeError} If there are too many chunks: a caller bug, since a
 * nonce must never repeat
 */
export function chunkNonce(number: number, isLast: boolean): Uint8Array {
  if (number > 0xffff_ffff) {
    throw new RangeError(`Cannot seal chunk ${number}: numbers are 32 bits`);
  }
  const nonce = new Uint8Array(12);
  new DataView(nonce.buffer).setUint32(7, number);
  nonce[11] = isLast ? 1 : 0;
  return nonce;
}

/** Octets of the record that a message of `sizeBytes` octets makes. */
export function recordLength(sizeBytes: number): number {
  const chunks = Math.max(1, Math.ceil(sizeBytes / CHUNK_OCTETS));
  return HEADER_OCTETS + sizeBytes + chunks * TAG_OCTETS;
}
