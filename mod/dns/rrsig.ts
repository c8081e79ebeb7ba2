/** RRsets and their signatures: what RFC 4035 §5.3 demands of an RRSIG. */
import { joinOctets } from "../core/octets.ts";
import type { Budget } from "./budget.ts";
import { isSignedBy, type Key } from "./keys.ts";
import { labelCount, labelsOf, nameOctets, readName } from "./labels.ts";
import type { Name, ResourceRecord } from "./message.ts";
import { TYPE } from "./message.ts";
import { wildcardOf } from "./nsec.ts";
import { typeText } from "./rdata.ts";

/** See {@link graceS}. */
const LEAST_GRACE_S = 3_600;
const MOST_GRACE_S = 86_400;
/** How long what has expired is believed before it is looked at again. */
const IN_GRACE_FOR_S = 60;

/** RRSIG, RFC 4034 §3.1. */
export interface Signature {
  readonly covered: number;
  readonly algorithm: number;
  readonly labels: number;
  readonly originalTtl: number;
  /** Seconds modulo 2^32. */
  readonly expiration: number;
  readonly inception: number;
  readonly tag: number;
  readonly signer: Name;
  /** The data without the signature: what is signed first. */
  readonly head: Uint8Array;
  readonly octets: Uint8Array;
}

/** The records of one name and type, with the signatures over them. */
export interface Rrset {
  readonly name: Name;
  readonly type: number;
  readonly records: readonly ResourceRecord[];
  readonly signatures: readonly Signature[];
}

/** A zone whose keys are validated. */
export interface SigningZone {
  readonly zone: Name;
  readonly keys: readonly Key[];
}

/** What a look at an RRset's signatures gave. */
export type Verified =
  | {
    readonly ok: true;
    readonly key: Key;
    /** What the records may be kept for. */
    readonly ttl: number;
    /** Unix seconds: `ttl` from now, or the signature's end. */
    readonly untilS: number;
    /**
     * Set if the records were made from a wildcard: the name above the `*`.
     * Somebody must then prove that there is nothing closer (RFC 4035 §5.3.4).
     */
    readonly encloser: Name | undefined;
  }
  | { readonly ok: false; readonly why: string };

/**
 * Signatures of one RRset that are tried with a key. An honest set has one a
 * key that signs, or two for each algorithm while keys change.
 */
const MAX_TRIES = 8;

/** See {@link Signature}. */
export function readSignature(data: Uint8Array): Signature | undefined {
  const signer = readName(data, 18);
  if (signer === undefined || signer.end >= data.length) return undefined;
  const view = new DataView(data.buffer, data.byteOffset, 18);
  return {
    covered: view.getUint16(0),
    algorithm: view.getUint8(2),
    labels: view.getUint8(3),
    originalTtl: view.getUint32(4),
    expiration: view.getUint32(8),
    inception: view.getUint32(12),
    tag: view.getUint16(16),
    signer: signer.name,
    head: data.subarray(0, signer.end),
    octets: data.subarray(signer.end),
  };
}

/**
 * Picks one RRset out of a section; undefined if it has no such record. What
 * is there twice counts once (RFC 2181 §5).
 */
export function pickRrset(
  section: readonly ResourceRecord[],
  { name, type }: { name: Name; type: number },
): Rrset | undefined {
  const records: ResourceRecord[] = [];
  for (const record of section) {
    if (record.name !== name || record.type !== type) continue;
    const { data } = record;
    if (!records.some((one) => compareOctets(one.data, data) === 0)) {
      records.push(record);
    }
  }
  if (records.length === 0) return undefined;
  const signatures: Signature[] = [];
  for (const record of section) {
    if (record.name !== name || record.type !== TYPE.RRSIG) continue;
    const signature = readSignature(record.data);
    if (signature?.covered === type) signatures.push(signature);
  }
  return { name, type, records, signatures };
}

/** What verifying needs to know. */
export interface Checks {
  readonly by: SigningZone;
  /** Unix seconds. */
  readonly nowS: number;
  readonly budget: Budget;
}

/**
 * Looks for records in a section that the zone signed, and whose signatures
 * are wrong. They may be none of what was asked for; but a message that was
 * forged in one place is believed in none.
 *
 * @returns What is wrong, or undefined
 */
export function wrongIn(
  section: readonly ResourceRecord[],
  checks: Checks,
  isSeen: (rrset: { name: Name; type: number }) => boolean,
): string | undefined {
  const looked = new Set<string>();
  for (const { name, type } of section) {
    const what = `${name} ${type}`;
    if (looked.has(what) || isSeen({ name, type })) continue;
    looked.add(what);
    const rrset = pickRrset(section, { name, type })!;
    const isOurs = rrset.signatures.some(({ signer }) =>
      signer === checks.by.zone
    );
    const verified = isOurs ? verifyRrset(rrset, checks) : undefined;
    if (verified?.ok === false) return verified.why;
  }
  return undefined;
}

/** Looks for one signature of the zone that is good now. */
export function verifyRrset(
  rrset: Rrset,
  { by: { zone, keys }, nowS, budget }: Checks,
): Verified {
  if (rrset.signatures.length === 0) {
    return { ok: false, why: `${rrsetText(rrset)} has no signature` };
  }
  const faults: string[] = [];
  let tries = 0;
  for (const signature of rrset.signatures) {
    const fault = faultOf(signature, { rrset, zone, nowS });
    if (fault !== undefined) {
      faults.push(fault);
      continue;
    }
    const candidates = keys.filter((key) =>
      key.tag === signature.tag && key.algorithm === signature.algorithm
    );
    if (candidates.length === 0) {
      faults.push(
        `the signature of ${rrsetText(rrset)} is by key ${signature.tag}, ` +
          `which ${zoneText(zone)} does not have`,
      );
      continue;
    }
    const data = signedData(rrset, signature);
    for (const key of candidates) {
      if (++tries > MAX_TRIES || !budget.takeSignature()) {
        return {
          ok: false,
          why: `${rrsetText(rrset)} has too many signatures that are wrong`,
        };
      }
      if (isSignedBy(key, { data, signature: signature.octets })) {
        return verified(rrset, { signature, key, nowS });
      }
    }
    faults.push(`the signature of ${rrsetText(rrset)} is wrong`);
  }
  // The last to be tried came furthest.
  return { ok: false, why: faults.at(-1) as string };
}

/** What keeps a signature from being tried, RFC 4035 §5.3.1. */
function faultOf(
  signature: Signature,
  { rrset, zone, nowS }: { rrset: Rrset; zone: Name; nowS: number },
): string | undefined {
  const what = `the signature of ${rrsetText(rrset)}`;
  if (signature.signer !== zone) {
    return `${what} is by ${zoneText(signature.signer)}, not by ${
      zoneText(zone)
    }`;
  }
  if (signature.labels > ownerLabels(rrset.name)) {
    return `${what} is for a longer name`;
  }
  const { expiration, inception } = signature;
  const grace = graceS(signature);
  if (secondsUntil(expiration, nowS) < -grace) {
    return `${what} expired ${dayText(expiration, nowS)}`;
  }
  if (secondsUntil(inception, nowS) > grace) {
    return `${what} is not valid before ${dayText(inception, nowS)}`;
  }
  // RFC 4034 §3.1.5: with an end before its beginning it is never valid.
  if (((expiration - inception) | 0) < 0) {
    return `${what} ends before it begins`;
  }
  return undefined;
}

/**
 * How wrong clocks, ours and the signer's, may be together: a tenth of the
 * time that a signature is good for, within bounds. RFC 4035 §5.3.1 leaves it
 * to us; a small machine whose clock is an hour off gets its mail out.
 */
function graceS({ expiration, inception }: Signature): number {
  const lifeS = (expiration - inception) | 0;
  return Math.min(Math.max(lifeS / 10, LEAST_GRACE_S), MOST_GRACE_S);
}

/** Serial number arithmetic, RFC 1982, as RFC 4034 §3.1.5 wants it. */
function secondsUntil(serial: number, nowS: number): number {
  return (serial - nowS) | 0;
}

function dayText(serial: number, nowS: number): string {
  const date = new Date((nowS + secondsUntil(serial, nowS)) * 1_000);
  return date.toISOString().slice(0, 10);
}

/** RFC 4034 §3.1.3: neither the root nor a leading `*` counts. */
function ownerLabels(name: Name): number {
  return labelCount(name) - (isWildcard(name) ? 1 : 0);
}

function isWildcard(name: Name): boolean {
  return name === "*" || name.startsWith("*.");
}

function verified(
  rrset: Rrset,
  { signature, key, nowS }: { signature: Signature; key: Key; nowS: number },
): Verified {
  const untilEnd = secondsUntil(signature.expiration, nowS);
  const left = untilEnd > 0 ? untilEnd : IN_GRACE_FOR_S;
  // RFC 4035 §5.3.3.
  const ttl = Math.min(
    signature.originalTtl,
    left,
    ...rrset.records.map((record) => record.ttl),
  );
  return {
    ok: true,
    key,
    ttl,
    untilS: nowS + ttl,
    encloser: signature.labels < ownerLabels(rrset.name)
      ? enclosing(rrset.name, signature.labels)
      : undefined,
  };
}

/** The last `labels` labels of a name. */
function enclosing(name: Name, labels: number): Name {
  return labels === 0 ? "" : labelsOf(name).slice(-labels).join(".");
}

/** The octets that are signed, RFC 4034 §3.1.8.1. */
function signedData(rrset: Rrset, signature: Signature): Uint8Array {
  const { labels, originalTtl, head } = signature;
  const owner = labels < ownerLabels(rrset.name)
    ? wildcardOf(enclosing(rrset.name, labels))
    : rrset.name;
  const name = nameOctets(owner);
  const fixed = new Uint8Array(8);
  const view = new DataView(fixed.buffer);
  view.setUint16(0, rrset.type);
  view.setUint16(2, 1); // IN
  view.setUint32(4, originalTtl);
  const pieces: Uint8Array[] = [head];
  for (const data of inCanonicalOrder(rrset.records)) {
    const length = Uint8Array.of(data.length >> 8, data.length & 255);
    pieces.push(name, fixed, length, data);
  }
  return joinOctets(pieces);
}

/** Sorted as octets: RFC 4034 §6.3. */
function inCanonicalOrder(records: readonly ResourceRecord[]): Uint8Array[] {
  return records.map((record) => record.data).sort(compareOctets);
}

function compareOctets(a: Uint8Array, b: Uint8Array): number {
  const common = Math.min(a.length, b.length);
  for (let i = 0; i < common; i++) {
    if (a[i] !== b[i]) return a[i]! - b[i]!;
  }
  return a.length - b.length;
}

/** Such as `mx.remote.test A`. */
export function rrsetText(
  { name, type }: { name: Name; type: number },
): string {
  return `${zoneText(name)} ${typeText(type)}`;
}

/** A name for people: the root is a dot. */
export function zoneText(name: Name): string {
  return name === "" ? "." : name;
}
