/**
 * Proofs that something is not there, put together from a message's NSEC or
 * NSEC3 records: RFC 4035 §5.4, RFC 5155 §8.
 */
import type { Message, Name, Question } from "./message.ts";
import { TYPE } from "./message.ts";
import {
  enclosesClosest,
  isCut,
  lacksType,
  nextCloser,
  type Nsec,
  provesEmptyNonTerminal,
  provesNoName,
  readNsec,
  wildcardOf,
} from "./nsec.ts";
import { HashedNames, MAX_ITERATIONS, type Nsec3, readNsec3 } from "./nsec3.ts";
import {
  type Checks,
  pickRrset,
  rrsetText,
  type SigningZone,
  verifyRrset,
  zoneText,
} from "./rrsig.ts";

/** What a message's authority section has, verified, of one zone. */
export interface Denials {
  readonly nsec: readonly Nsec[];
  /** One for each set of parameters that is not too dear. */
  readonly nsec3: readonly HashedNames[];
  /** True if there are NSEC3 records that are too dear to look at. */
  readonly isDear: boolean;
  readonly by: SigningZone;
  readonly untilS: number;
  /** Such as `NSEC`; for people. */
  readonly kind: string;
}

/** Parameters that a message may have NSEC3 records of; honest ones have one. */
const MAX_PARAMETERS = 2;

/**
 * Verifies what the authority section has of a zone's denials. One whose
 * signature is wrong spoils all: nobody honest adds such. One without proves
 * nothing.
 */
export function readDenials(
  { authority }: Message,
  { by, nowS, budget }: Checks,
): { ok: true; denials: Denials } | { ok: false; why: string } {
  const nsec: Nsec[] = [];
  const nsec3: Nsec3[] = [];
  let untilS = Infinity;
  const seen = new Set<string>();
  for (const { name, type } of authority) {
    if (!isOfDenial({ name, type }, by.zone)) continue;
    const isApexSoa = type === TYPE.SOA;
    const what = rrsetText({ name, type });
    if (seen.has(what)) continue;
    seen.add(what);
    const rrset = pickRrset(authority, { name, type })!;
    const { signatures } = rrset;
    // Those of another zone, to which an alias led, are left out, too.
    if (!isApexSoa && signatures.every(({ signer }) => signer !== by.zone)) {
      continue;
    }
    const verified = verifyRrset(rrset, { by, nowS, budget });
    if (!verified.ok) return verified;
    const { encloser } = verified;
    if (encloser !== undefined && type !== TYPE.NSEC) {
      return { ok: false, why: `${what} comes from a wildcard` };
    }
    untilS = Math.min(untilS, verified.untilS);
    for (const record of rrset.records) {
      // What is signed is the wildcard's own record, and says only what that
      // says (CVE-2017-15105).
      const owner = encloser === undefined ? name : wildcardOf(encloser);
      if (type === TYPE.NSEC) {
        nsec.push(...one(readNsec({ ...record, name: owner })));
      }
      if (type === TYPE.NSEC3) nsec3.push(...one(readNsec3(record, by.zone)));
    }
  }
  const cheap = nsec3.filter((record) => record.iterations <= MAX_ITERATIONS);
  const denials: Denials = {
    nsec,
    nsec3: byParameters(cheap).slice(0, MAX_PARAMETERS)
      .map((records) => new HashedNames(records, budget)),
    isDear: cheap.length < nsec3.length,
    by,
    untilS,
    kind: nsec.length > 0 ? "NSEC" : "NSEC3",
  };
  return { ok: true, denials };
}

/** True for what {@link readDenials} looks at. */
export function isOfDenial(
  { name, type }: { name: Name; type: number },
  zone: Name,
): boolean {
  return type === TYPE.NSEC || type === TYPE.NSEC3 ||
    (type === TYPE.SOA && name === zone);
}

function one<T>(value: T | undefined): T[] {
  return value === undefined ? [] : [value];
}

function byParameters(records: readonly Nsec3[]): Nsec3[][] {
  const groups = new Map<string, Nsec3[]>();
  for (const record of records) {
    const key = `${record.iterations} ${record.salt}`;
    groups.set(key, [...groups.get(key) ?? [], record]);
  }
  return [...groups.values()];
}

/**
 * What is proven of an asked name and type.
 *
 * `insecure` is: the zone does not say, because it opts out of saying which
 * unsigned zones are below it (RFC 5155 §9.2), or in a way too dear to follow.
 */
export type Proven =
  | { readonly kind: "no-data"; readonly isSecure: boolean }
  | { readonly kind: "no-such-name"; readonly isSecure: boolean }
  | { readonly kind: "unproven" };

const UNPROVEN: Proven = { kind: "unproven" };

/**
 * @param isNameError The response code says that there is no such name. The
 * code is not signed, so it is only believed with a proof; but a proof of more
 * than it says is none of this answer.
 */
export function provenOf(
  denials: Denials,
  question: Question,
  isNameError: boolean,
): Proven {
  const proofs = [
    provenByNsec(denials.nsec, question, isNameError),
    ...denials.nsec3.map((names) =>
      provenByNsec3(names, question, isNameError)
    ),
  ];
  const proven = proofs.find(({ kind }) => kind !== "unproven");
  if (proven !== undefined) return proven;
  return denials.isDear
    ? { kind: isNameError ? "no-such-name" : "no-data", isSecure: false }
    : UNPROVEN;
}

function provenByNsec(
  records: readonly Nsec[],
  question: Question,
  isNameError: boolean,
): Proven {
  const { name, type } = question;
  // Also of a name said not to exist: servers are known that say so of names
  // which have nothing but names below them.
  if (hasNoData(records, question)) return { kind: "no-data", isSecure: true };
  const cover = records.find((nsec) => provesNoName(nsec, name));
  if (cover === undefined) return UNPROVEN;
  const wildcard = wildcardOf(enclosesClosest(cover, name));
  if (hasNoData(records, { name: wildcard, type })) {
    return { kind: "no-data", isSecure: true };
  }
  return isNameError && records.some((nsec) => provesNoName(nsec, wildcard))
    ? { kind: "no-such-name", isSecure: true }
    : UNPROVEN;
}

function hasNoData(records: readonly Nsec[], question: Question): boolean {
  return records.some((nsec) =>
    nsec.owner === question.name
      ? lacksType(nsec.types, question)
      : provesEmptyNonTerminal(nsec, question.name)
  );
}

function provenByNsec3(
  names: HashedNames,
  question: Question,
  isNameError: boolean,
): Proven {
  const { name, type } = question;
  const match = names.matching(name);
  const closest = names.closestEncloser(name);
  const isSecure = !closest?.cover.isOptOut;
  const wildcard = closest && wildcardOf(closest.encloser);
  if (isNameError) {
    return match === undefined && wildcard !== undefined &&
        names.covering(wildcard) !== undefined
      ? { kind: "no-such-name", isSecure }
      : UNPROVEN;
  }
  if (match !== undefined) {
    return lacksType(match.types, question)
      ? { kind: "no-data", isSecure: true }
      : UNPROVEN;
  }
  if (wildcard === undefined) return UNPROVEN;
  const wild = names.matching(wildcard);
  if (wild !== undefined) {
    return lacksType(wild.types, { name: wildcard, type })
      ? { kind: "no-data", isSecure }
      : UNPROVEN;
  }
  // RFC 5155 §8.6, and names above unsigned zones only, which have no record.
  return isSecure ? UNPROVEN : { kind: "no-data", isSecure };
}

/**
 * Is it proven that nothing closer than the wildcard matches, RFC 4035 §5.3.4
 * and RFC 5155 §8.8?
 */
export function provenWildcard(
  denials: Denials,
  { name, encloser }: { name: Name; encloser: Name },
): "secure" | "insecure" | "unproven" {
  const isProven = denials.nsec.some((nsec) =>
    provesNoName(nsec, name) && enclosesClosest(nsec, name) === encloser
  );
  if (isProven) return "secure";
  for (const names of denials.nsec3) {
    const cover = names.covering(nextCloser(name, encloser));
    if (cover !== undefined) return cover.isOptOut ? "insecure" : "secure";
  }
  return denials.isDear ? "insecure" : "unproven";
}

/**
 * What a zone says of a name that has no DS.
 *
 * - `unsigned`: a zone begins there whose parent vouches for no key, or the
 *   parent does not say
 * - `inside`: no zone begins there
 */
export function provenCut(
  denials: Denials,
  name: Name,
): "unsigned" | "inside" | "unproven" {
  const question = { name, type: TYPE.DS };
  for (const nsec of denials.nsec) {
    if (nsec.owner === name) return cutOf(nsec.types, question);
    if (provesNoName(nsec, name) || provesEmptyNonTerminal(nsec, name)) {
      return "inside";
    }
  }
  for (const names of denials.nsec3) {
    const match = names.matching(name);
    if (match !== undefined) return cutOf(match.types, question);
    const closest = names.closestEncloser(name);
    if (closest !== undefined) {
      return closest.cover.isOptOut ? "unsigned" : "inside";
    }
  }
  return denials.isDear ? "unsigned" : "unproven";
}

function cutOf(
  types: ReadonlySet<number>,
  question: Question,
): "unsigned" | "inside" | "unproven" {
  if (!lacksType(types, question)) {
    // An alias, as a proof of something else shows it, is no cut either.
    return types.has(TYPE.CNAME) && !types.has(TYPE.NS) ? "inside" : "unproven";
  }
  return isCut(types) ? "unsigned" : "inside";
}

/** Such as `NSEC of test`. */
export function denialText({ kind, by }: Denials): string {
  return `${kind} of ${zoneText(by.zone)}`;
}
