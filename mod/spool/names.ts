/**
 * The file names in the spool's directory.
 *
 *     NAME                    MEANING
 *     pool-<16 hex>.seg       a segment, fully written; its name is used for
 *                             one filling only
 *     pool-<16 hex>.new       a segment being prepared: holds no record
 *     pool-<16 hex>.retired   empty mark: a sync of that segment failed, it is
 *                             never written to again
 *     big-<16 hex>.seg        one large message
 *     probe-<16 hex>          the probe of an unhealthy disk
 *
 * In the directory of spent files, here `spent/`, `pool-<16 hex>.seg` and
 * `big-<16 hex>.seg` are files of which nothing is in use and which wait to be
 * overwritten. Anything else is not ours: reported, never touched.
 */
import { randomBytes } from "node:crypto";
import { SPENT } from "./disk.ts";

/** What a name in the directory means. */
export type NameKind =
  | { readonly is: "segment"; readonly segment: string }
  | { readonly is: "retired-mark"; readonly segment: string }
  | { readonly is: "big"; readonly segment: string }
  /** Nothing in it is in use. */
  | { readonly is: "spent"; readonly segment: string }
  | { readonly is: "leftover" }
  | { readonly is: "foreign" };

/** Reads a name. */
export function nameKind(name: string): NameKind {
  if (name.startsWith(SPENT)) {
    const kind = nameKind(name.slice(SPENT.length));
    return kind.is === "segment" || kind.is === "big"
      ? { is: "spent", segment: kind.segment }
      : { is: "foreign" };
  }
  const [, stem, family, suffix] =
    /^((pool|big|probe)-[0-9a-f]{16})(|\.seg|\.new|\.retired)$/.exec(name) ??
      [];
  if (stem === undefined) return { is: "foreign" };
  switch (`${family}${suffix}`) {
    case "pool.seg":
      return { is: "segment", segment: stem };
    case "pool.retired":
      return { is: "retired-mark", segment: stem };
    case "big.seg":
      return { is: "big", segment: stem };
    case "pool.new":
    case "probe":
      return { is: "leftover" };
    default:
      return { is: "foreign" };
  }
}

/** A name that was never used: 64 random bits. */
export function newName(family: "pool" | "big" | "probe"): string {
  return `${family}-${randomBytes(8).toString("hex")}`;
}

/** The file of a segment. */
export function segmentFile(segment: string): string {
  return `${segment}.seg`;
}

/** The same file while it waits to be overwritten. */
export function spentFile(segment: string): string {
  return `${SPENT}${segmentFile(segment)}`;
}

/** The mark that retires a segment. */
export function retiredMark(segment: string): string {
  return `${segment}.retired`;
}
