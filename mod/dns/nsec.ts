/**
 * NSEC: what one record proves of one name, RFC 4034 §4 and RFC 4035 §5.4.
 * All records here are verified already, and of one zone.
 */
import { readTypes } from "./bitmaps.ts";
import {
  compareNames,
  isBelow,
  isWithin,
  labelCount,
  labelsOf,
  parentOf,
  readName,
} from "./labels.ts";
import type { Name, Question, ResourceRecord } from "./message.ts";
import { TYPE } from "./message.ts";

/** An NSEC record. */
export interface Nsec {
  readonly owner: Name;
  readonly next: Name;
  readonly types: ReadonlySet<number>;
}

/** See {@link Nsec}. */
export function readNsec({ name, data }: ResourceRecord): Nsec | undefined {
  const next = readName(data, 0);
  const types = next && readTypes(data, next.end);
  return types && { owner: name, next: next.name, types };
}

/**
 * True if these types say that the name belongs to a child zone: then its
 * parent's record says nothing of it but that there is no DS, and nothing of
 * what lies below (RFC 6840 §4.1). The same with DNAME for what lies below.
 */
export function isCut(types: ReadonlySet<number>): boolean {
  return types.has(TYPE.NS) && !types.has(TYPE.SOA);
}

/**
 * True if these types, found at the asked name, prove that the asked type is
 * not there.
 */
export function lacksType(
  types: ReadonlySet<number>,
  { name, type }: Question,
): boolean {
  if (types.has(type) || types.has(TYPE.CNAME)) return false;
  // DS belongs to the parent, everything else to the child.
  return type === TYPE.DS ? !types.has(TYPE.SOA) || name === "" : !isCut(types);
}

/** True if the record proves that no name lies where this one would. */
export function covers(nsec: Nsec, name: Name): boolean {
  const { owner, next, types } = nsec;
  if (isBelow(name, owner) && (isCut(types) || types.has(TYPE.DNAME))) {
    return false;
  }
  const isAfterOwner = compareNames(owner, name) < 0;
  const isBeforeNext = compareNames(name, next) < 0;
  // The last record of a zone leads back to the apex.
  return compareNames(owner, next) < 0
    ? isAfterOwner && isBeforeNext
    : isAfterOwner && isBelow(name, next);
}

/** True if the name is not there, and nothing below it is. */
export function provesNoName(nsec: Nsec, name: Name): boolean {
  return covers(nsec, name) && !isBelow(nsec.next, name);
}

/** True if the name has no record of its own, but names below it exist. */
export function provesEmptyNonTerminal(nsec: Nsec, name: Name): boolean {
  return covers(nsec, name) && isBelow(nsec.next, name);
}

/** The longest existing ancestor of a name that `nsec` covers. */
export function enclosesClosest(nsec: Nsec, name: Name): Name {
  const one = commonAncestor(nsec.owner, name);
  const other = commonAncestor(nsec.next, name);
  return labelCount(one) > labelCount(other) ? one : other;
}

function commonAncestor(a: Name, b: Name): Name {
  let ancestor = a;
  // Ends at the root at the latest.
  while (!isWithin(b, ancestor)) ancestor = parentOf(ancestor) ?? "";
  return ancestor;
}

/** The wildcard directly below a name. */
export function wildcardOf(encloser: Name): Name {
  return encloser === "" ? "*" : `*.${encloser}`;
}

/** The ancestor of `name` (or itself) that is one label longer than `encloser`. */
export function nextCloser(name: Name, encloser: Name): Name {
  return labelsOf(name).slice(-(labelCount(encloser) + 1)).join(".");
}
