/**
 * A file's attributes and places on its device, which only ioctl(2) tells:
 * see ioctl_iflags(2) and the kernel's Documentation/filesystems/fiemap.rst.
 * For the supervisor and the command line; no role has this.
 */
import fs from "node:fs";
import { errno, type Libc, SystemCallError } from "../walls/libc.ts";

const FS_IOC_GETFLAGS = 0x8008_6601n;
const FS_IOC_SETFLAGS = 0x4008_6602n;
const FS_IOC_FIEMAP = 0xc020_660bn;
const FS_JOURNAL_DATA_FL = 0x4000;
const FS_NOCOW_FL = 0x80_0000;

const FIEMAP_FLAG_SYNC = 1;
const FIEMAP_HEADER = 32;
const FIEMAP_EXTENT = 56;
const FIEMAP_EXTENT_LAST = 0x1;
const FIEMAP_EXTENT_SHARED = 0x2000;
/** Where the file lies is not, or not yet, known; or not in blocks of its own. */
const FIEMAP_EXTENT_NO_PLACE = 0x2 | 0x4 | 0x8 | 0x200 | 0x400;
/** Extents asked for at once, and in all. */
const EXTENTS_AT_ONCE = 1_024;
const MOST_EXTENTS = 262_144;

/** A stretch of a file and where it lies on the device, in octets. */
export interface Extent {
  readonly logical: bigint;
  readonly physical: bigint;
  readonly length: bigint;
  readonly flags: number;
}

/** The attributes that matter for overwriting. */
export interface Attributes {
  readonly isNoCow: boolean;
  readonly isJournalled: boolean;
}

/** Reads them; null if the file system has no such thing. */
export function attributesOf(libc: Libc, fd: number): Attributes | null {
  const flags = flagsOf(libc, fd);
  return flags === undefined ? null : {
    isNoCow: (flags & FS_NOCOW_FL) !== 0,
    isJournalled: (flags & FS_JOURNAL_DATA_FL) !== 0,
  };
}

function flagsOf(libc: Libc, fd: number): number | undefined {
  // The call is declared with a long and writes an int.
  const value = new Uint8Array(8);
  if (libc.ioctl(fd, FS_IOC_GETFLAGS, value) < 0) return undefined;
  return new DataView(value.buffer).getInt32(0, true);
}

/**
 * Switches copy-on-write off for a directory (files made in it later have the
 * same) or for an empty file.
 *
 * @throws {SystemCallError} If the file system refuses
 */
export function setNoCow(libc: Libc, path: string): void {
  const fd = fs.openSync(path, fs.constants.O_RDONLY);
  try {
    const flags = flagsOf(libc, fd);
    if (flags === undefined) {
      throw new SystemCallError(`attributes of ${path}`, errno(libc));
    }
    const value = new Uint8Array(8);
    new DataView(value.buffer).setInt32(0, flags | FS_NOCOW_FL, true);
    if (libc.ioctl(fd, FS_IOC_SETFLAGS, value) < 0) {
      throw new SystemCallError(`attribute C of ${path}`, errno(libc));
    }
  } finally {
    fs.closeSync(fd);
  }
}

/**
 * Where a file lies, in order; null if that cannot be known: the file system
 * does not say, the file is not in blocks of its own (inline, compressed,
 * not yet allocated), or in too many pieces.
 */
export function extentsOf(libc: Libc, fd: number): Extent[] | null {
  const found: Extent[] = [];
  let start = 0n;
  while (found.length < MOST_EXTENTS) {
    const more = someExtents(libc, fd, start);
    if (more === undefined) return null;
    found.push(...more);
    const last = more.at(-1);
    if (last === undefined || (last.flags & FIEMAP_EXTENT_LAST) !== 0) {
      return found.some(({ flags }) => (flags & FIEMAP_EXTENT_NO_PLACE) !== 0)
        ? null
        : found;
    }
    start = last.logical + last.length;
  }
  return null;
}

function someExtents(
  libc: Libc,
  fd: number,
  start: bigint,
): Extent[] | undefined {
  const octets = new Uint8Array(
    FIEMAP_HEADER + EXTENTS_AT_ONCE * FIEMAP_EXTENT,
  );
  const view = new DataView(octets.buffer);
  view.setBigUint64(0, start, true);
  view.setBigUint64(8, 0x7fff_ffff_ffff_ffffn - start, true);
  view.setUint32(16, FIEMAP_FLAG_SYNC, true);
  view.setUint32(24, EXTENTS_AT_ONCE, true);
  if (libc.ioctl(fd, FS_IOC_FIEMAP, octets) < 0) return undefined;
  const count = Math.min(view.getUint32(20, true), EXTENTS_AT_ONCE);
  return Array.from({ length: count }, (_, n) => {
    const at = FIEMAP_HEADER + n * FIEMAP_EXTENT;
    return {
      logical: view.getBigUint64(at, true),
      physical: view.getBigUint64(at + 8, true),
      length: view.getBigUint64(at + 16, true),
      flags: view.getUint32(at + 40, true),
    };
  });
}

/** True if any block is shared with another file or a snapshot. */
export function hasSharedBlocks(extents: readonly Extent[]): boolean {
  return extents.some(({ flags }) => (flags & FIEMAP_EXTENT_SHARED) !== 0);
}

/**
 * True if every octet that lay on the device lies where it lay, however the
 * extents are cut and whatever holes were filled.
 */
export function isSamePlace(
  before: readonly Extent[],
  after: readonly Extent[],
): boolean {
  const now = joined(after);
  let n = 0;
  return joined(before).every((one) => {
    while (n < now.length && end(now[n]!) <= one.logical) n++;
    const there = now[n];
    return there !== undefined && there.logical <= one.logical &&
      end(there) >= end(one) &&
      there.physical - there.logical === one.physical - one.logical;
  });
}

function end({ logical, length }: { logical: bigint; length: bigint }): bigint {
  return logical + length;
}

/**
 * True if another process, or we ourselves a second time, has the file open:
 * the kernel gives no write lease then, see fcntl(2). Null if it gives none
 * here at all. The lease is given back at once.
 */
export function isOpenElsewhere(libc: Libc, fd: number): boolean | null {
  const F_SETLEASE = 1_024;
  const F_WRLCK = 1n;
  const F_UNLCK = 2n;
  const EAGAIN = 11;
  if (libc.fcntl(fd, F_SETLEASE, F_WRLCK) < 0) {
    return errno(libc) === EAGAIN ? true : null;
  }
  libc.fcntl(fd, F_SETLEASE, F_UNLCK);
  return false;
}

/** Neighbours in the file and on the device as one. */
function joined(
  extents: readonly Extent[],
): { logical: bigint; physical: bigint; length: bigint }[] {
  const whole: { logical: bigint; physical: bigint; length: bigint }[] = [];
  for (const { logical, physical, length } of extents) {
    const last = whole.at(-1);
    if (
      last !== undefined && last.logical + last.length === logical &&
      last.physical + last.length === physical
    ) last.length += length;
    else whole.push({ logical, physical, length });
  }
  return whole;
}
