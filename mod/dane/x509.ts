/**
 * Certificates as RFC 5280 §4.1 has them, read for what DANE and names need.
 * Pure; everything here comes from a stranger.
 *
 * Two depths: {@link outlineOf} finds the parts and trusts none of them, so
 * that a key can be compared in a certificate that is odd otherwise (DANE-EE
 * looks at nothing else); {@link certificateOf} reads the rest.
 */
import { Buffer } from "node:buffer";
import { type Element, elementOf, elementsOf, oidText, TAG } from "./der.ts";
import { sequenceOf } from "./der.ts";

/** A certificate's parts, unread. */
export interface Outline {
  readonly tbs: Uint8Array;
  readonly issuer: Uint8Array;
  readonly subject: Uint8Array;
  readonly validity: Uint8Array;
  /** SubjectPublicKeyInfo with its header: what selector 1 selects. */
  readonly spki: Uint8Array;
  /** The value of the extensions' SEQUENCE; empty if there are none. */
  readonly extensions: Uint8Array;
  /** 1, 2 or 3. */
  readonly version: number;
  /** The signature's AlgorithmIdentifier. */
  readonly algorithm: Uint8Array;
  readonly signature: Uint8Array;
}

/** A certificate that was read. */
export interface Certificate extends Outline {
  readonly der: Uint8Array;
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
  /** The last common name, or empty. */
  readonly commonName: string;
  /** dNSName of subjectAltName, lower case; those that are no names left out. */
  readonly dnsNames: readonly string[];
  /** iPAddress of subjectAltName, in hex. */
  readonly addresses: readonly string[];
  /** basicConstraints, §4.2.1.9; undefined if absent. */
  readonly authority:
    | { readonly isCa: boolean; readonly pathLength: number }
    | undefined;
  /** keyUsage, §4.2.1.3: true without one. */
  readonly maySignCertificates: boolean;
  /** extKeyUsage, §4.2.1.12: true without one. */
  readonly mayServe: boolean;
  /** Critical extensions that are not understood here, by their numbers. */
  readonly unknownCritical: readonly string[];
}

/** Octets of one certificate that are looked at. */
const MAX_CERTIFICATE = 65_536;
const MAX_EXTENSIONS = 100;
const MAX_NAMES = 10_000;

/** The parts of a certificate; undefined if it is none. */
export function outlineOf(der: Uint8Array): Outline | undefined {
  if (der.length > MAX_CERTIFICATE) return undefined;
  const outer = sequenceOf(der);
  const parts = outer && elementsOf(outer, 3);
  const [tbs, algorithm, signature] = parts ?? [];
  if (
    tbs?.tag !== TAG.SEQUENCE || algorithm?.tag !== TAG.SEQUENCE ||
    signature?.tag !== TAG.BIT_STRING || signature.value[0] !== 0
  ) return undefined;
  const fields = [...elementsOf(tbs.value, 12) ?? []];
  const version = fields[0]?.tag === 0xa0
    ? (elementOf(fields.shift()!.value)?.value[0] ?? 0) + 1
    : 1;
  const [serial, inner, issuer, validity, subject, spki, ...more] = fields;
  if (
    serial?.tag !== TAG.INTEGER || inner?.tag !== TAG.SEQUENCE ||
    issuer?.tag !== TAG.SEQUENCE || validity?.tag !== TAG.SEQUENCE ||
    subject?.tag !== TAG.SEQUENCE || spki?.tag !== TAG.SEQUENCE
  ) return undefined;
  const wrapped = more.find(({ tag }) => tag === 0xa3);
  const extensions = wrapped === undefined
    ? new Uint8Array()
    : sequenceOf(wrapped.value);
  if (extensions === undefined) return undefined;
  return {
    tbs: tbs.whole,
    issuer: issuer.whole,
    subject: subject.whole,
    validity: validity.value,
    spki: spki.whole,
    extensions,
    version,
    algorithm: algorithm.whole,
    signature: signature.value.subarray(1),
  };
}

/** A certificate that can be read; undefined if it cannot. */
export function certificateOf(der: Uint8Array): Certificate | undefined {
  const outline = outlineOf(der);
  if (outline === undefined) return undefined;
  const [from, to] = elementsOf(outline.validity, 2) ?? [];
  const notBeforeMs = timeOf(from);
  const notAfterMs = timeOf(to);
  const extensions = extensionsOf(outline.extensions);
  return notBeforeMs === undefined || notAfterMs === undefined ||
      extensions === undefined
    ? undefined
    : {
      ...outline,
      der,
      notBeforeMs,
      notAfterMs,
      commonName: commonNameOf(outline.subject),
      ...extensions,
    };
}

/** UTCTime or GeneralizedTime, §4.1.2.5, in milliseconds since the epoch. */
function timeOf(element: Element | undefined): number | undefined {
  if (element === undefined) return undefined;
  const text = asciiOf(element.value);
  const isShort = element.tag === TAG.UTC_TIME && text.length === 13;
  const isLong = element.tag === TAG.GENERALIZED_TIME && text.length === 15;
  if ((!isShort && !isLong) || !/^[0-9]+Z$/.test(text)) return undefined;
  const year = isLong
    ? text.slice(0, 4)
    : `${Number(text.slice(0, 2)) < 50 ? "20" : "19"}${text.slice(0, 2)}`;
  const rest = text.slice(isLong ? 4 : 2);
  const two = (at: number) => rest.slice(at, at + 2);
  const ms = Date.parse(
    `${year}-${two(0)}-${two(2)}T${two(4)}:${two(6)}:${two(8)}Z`,
  );
  return Number.isNaN(ms) ? undefined : ms;
}

type Extensions = Pick<
  Certificate,
  | "dnsNames"
  | "addresses"
  | "authority"
  | "maySignCertificates"
  | "mayServe"
  | "unknownCritical"
>;

function extensionsOf(octets: Uint8Array): Extensions | undefined {
  const read: { -readonly [Key in keyof Extensions]: Extensions[Key] } = {
    dnsNames: [],
    addresses: [],
    authority: undefined,
    maySignCertificates: true,
    mayServe: true,
    unknownCritical: [],
  };
  const unknown: string[] = [];
  for (const extension of elementsOf(octets, MAX_EXTENSIONS) ?? [undefined]) {
    if (extension?.tag !== TAG.SEQUENCE) return undefined;
    const [oid, second, third] = elementsOf(extension.value, 3) ?? [];
    if (oid?.tag !== TAG.OID || second === undefined) return undefined;
    const isCritical = second.tag === TAG.BOOLEAN && second.value[0] !== 0;
    const value = (second.tag === TAG.BOOLEAN ? third : second)?.value;
    if (value === undefined) return undefined;
    const name = oidText(oid.value);
    switch (name) {
      case "2.5.29.17": {
        const names = alternativeNames(value);
        if (names === undefined) return undefined;
        Object.assign(read, names);
        break;
      }
      case "2.5.29.19":
        read.authority = authorityOf(value);
        if (read.authority === undefined) return undefined;
        break;
      case "2.5.29.15": {
        // keyCertSign is bit 5, counted from the highest.
        const bits = elementOf(value);
        if (bits?.tag !== TAG.BIT_STRING) return undefined;
        read.maySignCertificates = ((bits.value[1] ?? 0) & 0x04) !== 0;
        break;
      }
      case "2.5.29.37":
        read.mayServe = mayServe(value);
        break;
      case "2.5.29.32": // certificate policies: none are asked for
      case "2.5.29.36": // so constraints on them bind nobody
      case "2.5.29.54":
        break;
      default:
        if (isCritical) unknown.push(name);
    }
  }
  return { ...read, unknownCritical: unknown };
}

function alternativeNames(
  value: Uint8Array,
): { dnsNames: string[]; addresses: string[] } | undefined {
  const inner = sequenceOf(value);
  const names = inner && elementsOf(inner, MAX_NAMES);
  if (names === undefined) return undefined;
  const dnsNames = names.filter(({ tag }) => tag === 0x82)
    .map((name) => asciiOf(name.value).toLowerCase()).filter(isName);
  const addresses = names.filter(({ tag }) => tag === 0x87)
    .map((name) => Buffer.from(name.value).toString("hex"));
  return { dnsNames, addresses };
}

function authorityOf(
  value: Uint8Array,
): { isCa: boolean; pathLength: number } | undefined {
  const inner = sequenceOf(value);
  const fields = inner && elementsOf(inner, 2);
  if (fields === undefined) return undefined;
  const isCa = fields[0]?.tag === TAG.BOOLEAN && fields[0].value[0] !== 0;
  const length = fields.find(({ tag }) => tag === TAG.INTEGER)?.value;
  const pathLength = length === undefined
    ? Infinity
    : length.length === 1
    ? length[0]!
    : 255;
  return { isCa, pathLength };
}

const SERVER_AUTH = "1.3.6.1.5.5.7.3.1";
const ANY_USAGE = "2.5.29.37.0";

function mayServe(value: Uint8Array): boolean {
  const inner = sequenceOf(value);
  return (inner && elementsOf(inner, 100))?.some((usage) => {
    const name = oidText(usage.value);
    return name === SERVER_AUTH || name === ANY_USAGE;
  }) ?? false;
}

/** The last common name (2.5.4.3) of a distinguished name. */
function commonNameOf(name: Uint8Array): string {
  let found = "";
  const sets = elementsOf(elementOf(name)?.value ?? name, 100) ?? [];
  for (const set of sets) {
    for (const pair of elementsOf(set.value, 10) ?? []) {
      const [oid, value] = elementsOf(pair.value, 2) ?? [];
      if (oid === undefined || value === undefined) continue;
      if (oidText(oid.value) === "2.5.4.3") found = asciiOf(value.value);
    }
  }
  return isName(found.toLowerCase()) ? found.toLowerCase() : "";
}

/** A host name or `*.name`: a NUL or a blank in it makes it none. */
function isName(text: string): boolean {
  return text.length <= 255 && /^(\*\.)?[a-z0-9_.-]+$/.test(text);
}

function asciiOf(octets: Uint8Array): string {
  return Buffer.from(octets.buffer, octets.byteOffset, octets.length)
    .toString("latin1");
}
