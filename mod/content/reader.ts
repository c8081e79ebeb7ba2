/**
 * Reads a sealed message back, in constant memory, and trusts nothing that
 * lies on the disk: each chunk is authenticated before its octets are given
 * out. See `format.ts` for the form.
 */
import { countRead } from "../core/read_buffers.ts";
import { createDecipheriv } from "node:crypto";
import type { ContentRef } from "../core/shapes.ts";
import {
  CHUNK_OCTETS,
  chunkNonce,
  CIPHER,
  HEADER_OCTETS,
  isHeader,
  KEY_OCTETS,
  recordLength,
  TAG_OCTETS,
} from "./format.ts";
import { SegmentFiles } from "./segment_files.ts";

/**
 * The record is torn, altered, cut short, or not the one that the key is for.
 * Positive knowledge: reading again gives the same. The text holds no key and
 * no content.
 */
export class DamagedError extends Error {
  override name = "DamagedError";
}

/**
 * Reads a message's octets, in order, in chunks of at most 64 KiB.
 *
 * A chunk is authentic, but only the generator's normal end says that the
 * message is complete: act on nothing before it (or be able to undo it, as a
 * delivery into `tmp` or an SMTP session before its final dot is).
 *
 * Each chunk is the caller's own. The file is opened read-only at the first
 * `next`, and closed at the end, on `return` (leaving a `for ... of`) and on
 * an error; a shared segment of `shared` is left open for the next record.
 *
 * @param dir The spool's directory
 * @param keyBase64 The message's key, 32 octets in base64
 * @param shared Files that are kept open from one record to the next
 * @throws {DamagedError} If the record is not whole and authentic
 * @throws {Deno.errors.NotFound} If the segment file is missing: nobody can
 * tell a lost file from a file system that is not mounted
 * @throws {Error} If the system cannot open or read the file: says nothing
 * about the record
 */
export function* readContent(
  dir: string,
  ref: ContentRef,
  keyBase64: string,
  shared?: SegmentFiles,
): Generator<Uint8Array> {
  if (ref.length !== recordLength(ref.sizeBytes)) {
    throw new DamagedError(
      `Cannot read record in ${ref.segment}: its length does not fit its size`,
    );
  }
  const key = decodeKey(keyBase64);
  const path = `${dir}/${ref.segment}.seg`;
  const files = shared ?? new SegmentFiles();
  try {
    let left = ref.sizeBytes;
    // The header and the first chunk: most messages have no second one.
    const start = new Uint8Array(
      HEADER_OCTETS + Math.min(CHUNK_OCTETS, left) + TAG_OCTETS,
    );
    let at = ref.offset;
    readFully(start, { files, path, at, ref });
    const header = start.subarray(0, HEADER_OCTETS);
    if (!isHeader(header)) throw damaged(ref, "it has no header");
    at += start.length;
    const sealed = start.subarray(HEADER_OCTETS);
    for (let number = 0; number === 0 || left > 0; number++) {
      const size = Math.min(CHUNK_OCTETS, left);
      left -= size;
      const chunk = sealed.subarray(0, size + TAG_OCTETS);
      if (number > 0) {
        readFully(chunk, { files, path, at, ref });
        at += chunk.length;
      }
      const nonce = chunkNonce(number, left === 0);
      const opened = openChunk(chunk, { key, nonce, header });
      if (opened === undefined) {
        throw damaged(ref, `chunk ${number} is not authentic`);
      }
      if (opened.length > 0) yield opened;
    }
  } finally {
    key.fill(0);
    if (shared === undefined) files.close();
    else if (!ref.segment.startsWith("pool-")) files.forget(path);
  }
}

function damaged(ref: ContentRef, why: string): DamagedError {
  return new DamagedError(
    `Cannot read record at ${ref.offset} in ${ref.segment}: ${why}`,
  );
}

function decodeKey(keyBase64: string): Uint8Array {
  const key = Uint8Array.fromBase64(keyBase64);
  if (key.length !== KEY_OCTETS) {
    // The key itself must not show in an error text.
    throw new RangeError(`Cannot read record: key has ${key.length} octets`);
  }
  return key;
}

function readFully(
  into: Uint8Array,
  from: { files: SegmentFiles; path: string; at: number; ref: ContentRef },
): void {
  const { files, path, at, ref } = from;
  for (let done = 0; done < into.length;) {
    const got = files.readAt(path, into.subarray(done), at + done);
    if (got === 0) throw damaged(ref, "the file ends within it");
    done += got;
  }
}

/** Opens one chunk; undefined if it is not authentic. */
function openChunk(
  chunk: Uint8Array,
  how: { key: Uint8Array; nonce: Uint8Array; header: Uint8Array },
): Uint8Array | undefined {
  const size = chunk.length - TAG_OCTETS;
  const decipher = createDecipheriv(CIPHER, how.key, how.nonce, {
    authTagLength: TAG_OCTETS,
  });
  decipher.setAAD(how.header, { plaintextLength: size });
  decipher.setAuthTag(chunk.subarray(size));
  const opened = decipher.update(chunk.subarray(0, size));
  try {
    decipher.final();
  } catch {
    // The one thing that `final` can find wrong is the tag.
    return undefined;
  }
  countRead(size);
  // Plain, because a Buffer's `slice` is a view and not a copy.
  return new Uint8Array(opened.buffer, opened.byteOffset, opened.length);
}
