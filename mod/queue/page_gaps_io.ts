/**
 * Zeroes what a database's pages hold beside their cells. `secure_delete`
 * zeroes what is deleted, but when SQLite balances a tree it writes the cells
 * of a page anew from its end on (rebuildPage() in btree.c) and leaves the
 * former ones where they were, in the gap between the array of cell pointers
 * and the first cell. Nothing reads that gap, so it can be zeroed under a
 * running reader, and half of it too.
 *
 * Only for who has just written the whole log back and holds no page in a
 * cache that it may write again: see `write_ahead_log_io.ts`.
 */
import fs from "node:fs";

/** Kinds of pages that are B-trees, https://sqlite.org/fileformat2.html#b_tree_pages */
const INTERIOR_INDEX = 2;
const INTERIOR_TABLE = 5;
const LEAF_INDEX = 10;
const LEAF_TABLE = 13;
/** Before the first page's own header. */
const FILE_HEADER_BYTES = 100;
/**
 * Pages from here on have numbers whose first octet is not zero, and a page
 * that begins with such a number (an overflow page, a free one) could be taken
 * for a tree's.
 */
const MAX_PAGES = 2 ** 24;

/**
 * Zeroes the gaps of the pages within a stretch of the file.
 *
 * @param fd The database
 * @returns Octets zeroed that were not zero
 */
export function wipeGaps(
  fd: number,
  stretch: { from: number; bytes: number; pageBytes: number },
): number {
  const { from, pageBytes } = stretch;
  const octets = new Uint8Array(stretch.bytes);
  const got = fs.readSync(fd, octets, 0, octets.length, from);
  let wiped = 0;
  for (let at = 0; at + pageBytes <= got; at += pageBytes) {
    const number = (from + at) / pageBytes;
    if (number >= MAX_PAGES) break;
    const page = octets.subarray(at, at + pageBytes);
    const gap = gapOf(page, number === 0 ? FILE_HEADER_BYTES : 0);
    if (gap === undefined || isZero(page, gap)) continue;
    const zeros = new Uint8Array(gap.end - gap.start);
    const wrote = fs.writeSync(
      fd,
      zeros,
      0,
      zeros.length,
      from + at + gap.start,
    );
    // What is left is found again the next time.
    wiped += wrote;
  }
  return wiped;
}

interface Gap {
  readonly start: number;
  readonly end: number;
}

/** The gap of a B-tree's page; undefined if it is none, or makes no sense. */
function gapOf(page: Uint8Array, header: number): Gap | undefined {
  let headerBytes: number;
  switch (page[header]) {
    case INTERIOR_INDEX:
    case INTERIOR_TABLE:
      headerBytes = 12;
      break;
    case LEAF_INDEX:
    case LEAF_TABLE:
      headerBytes = 8;
      break;
    default:
      return undefined;
  }
  const cells = page[header + 3]! * 256 + page[header + 4]!;
  // Zero means 65536, in a page of that size without cells: not one of ours.
  const end = page[header + 5]! * 256 + page[header + 6]!;
  const start = header + headerBytes + 2 * cells;
  return start < end && end <= page.length ? { start, end } : undefined;
}

function isZero(page: Uint8Array, { start, end }: Gap): boolean {
  for (let at = start; at < end; at++) {
    if (page[at] !== 0) return false;
  }
  return true;
}
