/**
 * TLSA records (RFC 6698) as SMTP uses them (RFC 7672 §3.1): which can
 * authenticate anybody, which of those count, and whether one matches. Pure.
 */
import { createHash } from "node:crypto";
import { outlineOf } from "./x509.ts";
import { sequenceOf } from "./der.ts";

/** A TLSA record, RFC 6698 §2.1; `data` in lower-case hex. */
export interface TlsaRecord {
  readonly usage: number;
  readonly selector: number;
  readonly matching: number;
  readonly data: string;
}

/** Records looked at; a name that has more is somebody's mistake or attack. */
export const MAX_RECORDS = 100;

/** Usages of RFC 7218 §2.1 that SMTP knows. */
const DANE_TA = 2;
const DANE_EE = 3;

/** Names the end entity itself, RFC 7672 §3.1.1. */
export function isEndEntity(record: TlsaRecord): boolean {
  return record.usage === DANE_EE;
}

/** Names an authority, RFC 7672 §3.1.2. */
export function isAuthority(record: TlsaRecord): boolean {
  return record.usage === DANE_TA;
}

/**
 * The records that can authenticate a server, RFC 7672 §3.1 and RFC 7671
 * §10.1: of usage 2 or 3, with a selector and a matching type that are known
 * and data that can match anything; and of each usage and selector only the
 * strongest digest beside what is there in full (RFC 7671 §9).
 */
export function usableRecords(
  records: readonly TlsaRecord[],
): readonly TlsaRecord[] {
  const sound = records.slice(0, MAX_RECORDS).filter(isSound);
  return sound.filter((one) =>
    one.matching === 0 ||
    !sound.some((other) =>
      other.usage === one.usage && other.selector === one.selector &&
      other.matching > one.matching
    )
  );
}

function isSound(record: TlsaRecord): boolean {
  // RFC 7672 §3.1.3: usages 0 and 1 ask for authorities that mail servers do
  // not agree on.
  if (!isEndEntity(record) && !isAuthority(record)) return false;
  if (record.selector !== 0 && record.selector !== 1) return false;
  switch (record.matching) {
    case 0:
      return isFull(record);
    case 1:
      return record.data.length === 64;
    case 2:
      return record.data.length === 128;
    default:
      return false;
  }
}

function isFull({ selector, data }: TlsaRecord): boolean {
  const octets = dataOf(data);
  return selector === 0
    ? outlineOf(octets) !== undefined
    : sequenceOf(octets) !== undefined;
}

/** The octets of a record's data. */
export function dataOf(hex: string): Uint8Array {
  return new Uint8Array(
    hex.match(/../g)?.map((two) => parseInt(two, 16)) ?? [],
  );
}

/** True if the record is about this certificate, RFC 6698 §2.1. */
export function isAbout(record: TlsaRecord, certificate: Uint8Array): boolean {
  const selected = record.selector === 0
    ? certificate
    : outlineOf(certificate)?.spki;
  if (selected === undefined) return false;
  switch (record.matching) {
    case 0:
      return hexOf(selected) === record.data;
    case 1:
      return createHash("sha256").update(selected).digest("hex") ===
        record.data;
    case 2:
      return createHash("sha512").update(selected).digest("hex") ===
        record.data;
    default:
      return false;
  }
}

/** Lower-case hex. */
export function hexOf(octets: Uint8Array): string {
  let hex = "";
  for (const octet of octets) hex += octet.toString(16).padStart(2, "0");
  return hex;
}

/** Hex digits shown of a record's data. */
const SHOWN_DIGITS = 32;

/** Such as `TLSA 3 1 1 2fb4...`, with at most so many digits. */
export function tlsaText(record: TlsaRecord, digits = SHOWN_DIGITS): string {
  const { usage, selector, matching, data } = record;
  const shown = data.length > digits ? `${data.slice(0, digits)}...` : data;
  return `TLSA ${usage} ${selector} ${matching} ${shown}`;
}
