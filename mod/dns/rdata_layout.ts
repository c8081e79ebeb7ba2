/**
 * Where names lie in a record's data, so that they can be uncompressed and
 * brought into lower case (RFC 4034 §6.2 (3), RFC 3597 §4). Types that are
 * not here have none that may be compressed, and stay as they are.
 */
import { joinOctets } from "../core/octets.ts";
import { nameOctets, readName } from "./labels.ts";

interface Layout {
  /** Octets before the names. */
  readonly fixed: number;
  /** Character strings (RFC 1035 §3.3) behind those. */
  readonly strings?: number;
  readonly names: number;
  /** Octets behind the names; undefined is any number. */
  readonly rest: number | undefined;
  /** RFC 6840 §5.1: the one name that keeps its case. */
  readonly keepsCase?: true;
}

const ONE_NAME: Layout = { fixed: 0, names: 1, rest: 0 };
const TWO_NAMES: Layout = { fixed: 0, names: 2, rest: 0 };
const NUMBER_AND_NAME: Layout = { fixed: 2, names: 1, rest: 0 };

/** Not: A6 (it is history), HINFO (it has no name). */
const LAYOUTS: ReadonlyMap<number, Layout> = new Map([
  [2, ONE_NAME], // NS
  [3, ONE_NAME], // MD
  [4, ONE_NAME], // MF
  [5, ONE_NAME], // CNAME
  [6, { fixed: 0, names: 2, rest: 20 }], // SOA
  [7, ONE_NAME], // MB
  [8, ONE_NAME], // MG
  [9, ONE_NAME], // MR
  [12, ONE_NAME], // PTR
  [14, TWO_NAMES], // MINFO
  [15, NUMBER_AND_NAME], // MX
  [17, TWO_NAMES], // RP
  [18, NUMBER_AND_NAME], // AFSDB
  [21, NUMBER_AND_NAME], // RT
  [24, { fixed: 18, names: 1, rest: undefined }], // SIG
  [26, { fixed: 2, names: 2, rest: 0 }], // PX
  [30, { fixed: 0, names: 1, rest: undefined }], // NXT
  [33, { fixed: 6, names: 1, rest: 0 }], // SRV
  [35, { fixed: 4, strings: 3, names: 1, rest: 0 }], // NAPTR
  [36, NUMBER_AND_NAME], // KX
  [39, ONE_NAME], // DNAME
  [46, { fixed: 18, names: 1, rest: undefined }], // RRSIG
  [47, { fixed: 0, names: 1, rest: undefined, keepsCase: true }], // NSEC
]);

/** Octets that data of these types must have at least, and at most. */
const LENGTHS: ReadonlyMap<number, readonly [number, number]> = new Map([
  [1, [4, 4]], // A
  [16, [1, 65_535]], // TXT
  [28, [16, 16]], // AAAA
  [43, [5, 260]], // DS
  [48, [4, 65_535]], // DNSKEY
  [50, [8, 65_535]], // NSEC3
  [51, [5, 260]], // NSEC3PARAM
  [52, [3, 65_535]], // TLSA
]);

/**
 * Reads a record's data out of a message.
 *
 * @returns A copy in canonical form, or undefined if it is not well-formed
 */
export function canonicalData(
  whole: Uint8Array,
  { type, at, length }: { type: number; at: number; length: number },
): Uint8Array | undefined {
  const layout = LAYOUTS.get(type);
  if (layout === undefined) {
    const bounds = LENGTHS.get(type);
    if (bounds !== undefined && (length < bounds[0] || length > bounds[1])) {
      return undefined;
    }
    return whole.slice(at, at + length);
  }
  const end = at + length;
  let next = at + layout.fixed;
  for (let n = layout.strings ?? 0; n > 0; n--) {
    if (next >= end) return undefined;
    next += 1 + whole[next]!;
  }
  if (next > end) return undefined;
  const pieces = [whole.slice(at, next)];
  for (let n = layout.names; n > 0; n--) {
    const read = readName(whole, next, end);
    if (read === undefined) return undefined;
    if (layout.keepsCase) {
      const raw = whole.slice(next, read.end);
      // What cannot be lowered must not be compressed either (RFC 3597 §4).
      if (raw.length !== nameOctets(read.name).length) return undefined;
      pieces.push(raw);
    } else {
      pieces.push(nameOctets(read.name));
    }
    next = read.end;
  }
  const rest = end - next;
  if (layout.rest !== undefined && rest !== layout.rest) return undefined;
  if (rest > 0) pieces.push(whole.slice(next, end));
  return joinOctets(pieces);
}
