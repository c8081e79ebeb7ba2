/**
 * What lies in the drop directory: one file a message, written by the
 * submitter under his own user, and so hostile in every octet. The command
 * `sendmail` writes such files, the role pickup reads them.
 *
 * A file is the message, as it came on standard input, then the envelope as
 * one JSON text, then a tail of fixed length. The envelope stands behind,
 * because with `-t` it is known only once the header block was read: so the
 * message is written while it is read, and never twice. A file gets its name
 * when it is complete and synced; before, its name ends in `.part`.
 */
import { createHash } from "node:crypto";
import { newQueueId } from "../core/ids.ts";

/** A complete file: milliseconds as in a queue id, and 128 random bits. */
const DROP_NAME = /^[0-9A-HJKMNP-TV-Z]{9}[0-9A-F]{32}$/;
/** Behind the name of a file that is being written. */
export const PART = ".part";
/** Octets of the largest envelope: 1,000 recipients with all they may have. */
export const MAX_ENVELOPE = 2 ** 20;

const MAGIC = "bulkhead drop 1 ";
const LENGTH_DIGITS = 8;
/** Octets of the tail. */
export const TAIL = MAGIC.length + LENGTH_DIGITS + 1;

/** Who handed in what for whom, as the command wrote it down. */
export interface DropEnvelope {
  /** `null`: the submitter himself; empty: `<>`. */
  readonly sender: string | null;
  /** For a `From` that is missing. */
  readonly fullName: string;
  readonly recipients: readonly string[];
  /** RFC 3461 §4.1, for all recipients; empty if nothing was said. */
  readonly notify: readonly ("never" | "success" | "failure" | "delay")[];
  /** RFC 3461 §4.3. */
  readonly ret: "" | "full" | "hdrs";
  /** RFC 3461 §4.4. */
  readonly envid: string;
  /** Two characters, see `mod/queue/verp.ts`; or empty. */
  readonly verp: string;
}

/** A name for a new file. */
export function newDropName(
  nowMs: number,
  random: Uint8Array = crypto.getRandomValues(new Uint8Array(16)),
): string {
  const at = Math.max(0, Math.floor(nowMs));
  return newQueueId(at).slice(0, 9) + random.toHex().toUpperCase();
}

/** What a name in the drop directory says. */
export function kindOfName(name: string): "message" | "part" | "junk" {
  if (DROP_NAME.test(name)) return "message";
  return name.endsWith(PART) && DROP_NAME.test(name.slice(0, -PART.length))
    ? "part"
    : "junk";
}

/**
 * The queue id of a dropped message: the same each time that it is picked up,
 * so that the queue knows it again if a crash left the file behind. Its owner
 * is part of it, so nobody can take another's.
 */
export function queueIdOf(name: string, uid: number): string {
  const digest = createHash("sha256").update(`${uid} ${name}`).digest();
  return name.slice(0, 9) + newQueueId(0, digest.subarray(0, 5)).slice(9);
}

/** Writes envelope and tail. */
export function writeTrailer(envelope: DropEnvelope): Uint8Array {
  const json = encoder.encode(JSON.stringify(envelope));
  if (json.length > MAX_ENVELOPE) {
    throw new RangeError(`Cannot write an envelope of ${json.length} octets`);
  }
  const digits = String(json.length).padStart(LENGTH_DIGITS, "0");
  const tail = encoder.encode(`${MAGIC}${digits}\n`);
  const trailer = new Uint8Array(json.length + tail.length);
  trailer.set(json);
  trailer.set(tail, json.length);
  return trailer;
}

/**
 * Reads a tail.
 *
 * @returns Octets of the envelope before it; undefined if it is no tail
 */
export function readTail(tail: Uint8Array): number | undefined {
  const text = new TextDecoder("latin1").decode(tail);
  if (tail.length !== TAIL || !text.startsWith(MAGIC) || !text.endsWith("\n")) {
    return undefined;
  }
  const digits = text.slice(MAGIC.length, -1);
  if (!/^[0-9]{8}$/.test(digits)) return undefined;
  const length = Number(digits);
  return length <= MAX_ENVELOPE ? length : undefined;
}

const encoder = new TextEncoder();
