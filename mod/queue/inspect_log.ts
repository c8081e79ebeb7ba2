/**
 * Reads SQLite's write-ahead log as a file, to say what lingers in it. The
 * format is that of https://www.sqlite.org/fileformat2.html §4:
 *
 *     header, 32 octets: magic, version, page size, sequence, two salts, ...
 *     frame, 24 octets and a page: page number, size, two salts, checksums
 *
 * A frame belongs to the log while its salts are the header's. What follows
 * the first that is not is left from earlier rounds, until it is written over,
 * by new frames or by random octets. Each round's first salt is one more than
 * that before, so what is left of a frame can be told from random octets.
 */
import fs from "node:fs";
import type { QueueErasure } from "./erasure_ipc.ts";
import { FRAME_HEADER_BYTES, HEADER_BYTES } from "./write_ahead_log_io.ts";

/** Rounds of which frames are known; random octets look so once in 65,536. */
const ROUNDS_BEFORE = 65_536;

const MAGIC = 0x377f_0682;
const VERSION = 3_007_000;

/** What the log at `path` holds; all zero if there is none. */
export function inspectLog(path: string, nowMs: number): QueueErasure["log"] {
  let fd: number;
  try {
    fd = fs.openSync(path, "r");
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") {
      return nothing();
    }
    throw error;
  }
  try {
    const { size, mtimeMs } = fs.fstatSync(fd);
    if (size === 0) return nothing();
    return {
      bytes: size,
      quietMs: Math.max(0, Math.round(nowMs - mtimeMs)),
      ...frames(fd, size),
    };
  } finally {
    fs.closeSync(fd);
  }
}

function nothing(): QueueErasure["log"] {
  return { bytes: 0, quietMs: 0, isHeaderSound: 1, frames: 0, oldFrames: 0 };
}

function frames(
  fd: number,
  size: number,
): { isHeaderSound: 0 | 1; frames: number; oldFrames: number } {
  const header = read(fd, HEADER_BYTES, 0);
  const pageBytes = header.getUint32(8);
  // The magic's last bit says in which order the checksums are counted.
  const isSound = (header.getUint32(0) & ~1) === MAGIC &&
    header.getUint32(4) === VERSION && isPageSize(pageBytes);
  if (!isSound) return { isHeaderSound: 0, frames: 0, oldFrames: 0 };
  const all = Math.floor(
    (size - HEADER_BYTES) / (FRAME_HEADER_BYTES + pageBytes),
  );
  let current = 0;
  let old = 0;
  for (let n = 0; n < all; n++) {
    const at = HEADER_BYTES + n * (FRAME_HEADER_BYTES + pageBytes);
    const frame = read(fd, FRAME_HEADER_BYTES, at);
    const isOurs = frame.getUint32(8) === header.getUint32(16) &&
      frame.getUint32(12) === header.getUint32(20);
    if (isOurs && current === n) current++;
    else if (isOfBefore(header.getUint32(16), frame.getUint32(8))) old++;
  }
  return { isHeaderSound: 1, frames: current, oldFrames: old };
}

/** True if a frame with this salt was written in a round before the header's. */
function isOfBefore(now: number, then: number): boolean {
  const rounds = (now - then) >>> 0;
  return rounds > 0 && rounds <= ROUNDS_BEFORE;
}

function isPageSize(bytes: number): boolean {
  return bytes >= 512 && bytes <= 65_536 && (bytes & (bytes - 1)) === 0;
}

/** What the file does not have reads as zeros. */
function read(fd: number, octets: number, at: number): DataView {
  const into = new Uint8Array(octets);
  fs.readSync(fd, into, 0, octets, at);
  return new DataView(into.buffer);
}
