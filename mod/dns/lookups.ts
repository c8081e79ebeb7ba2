/**
 * Judged answers as the values that mail wants. Nothing here decides: what is
 * bogus, unclear or absent stays that.
 */
import type { TlsaRecord } from "./dns_ipc.ts";
import type { Found } from "./follow.ts";
import { type Name, type Question, TYPE } from "./message.ts";
import { readAddress, readMx, readStrings, readTlsa } from "./rdata.ts";

/** One MX record. */
export interface Mx {
  readonly preference: number;
  readonly exchange: Name;
}

/** What can be built on. */
export type Usable = "secure" | "insecure";

/** What is said of an answer that can be built on. */
export interface Standing {
  readonly security: Usable;
  readonly nameSecurity: Usable;
  readonly canonical: Name;
}

/**
 * What a lookup found.
 *
 * - `records`: at least one
 * - `no-name`, `no-data`: shown to be absent
 * - `unclear`: shows nothing
 * - `bogus`: forged or broken, says DNSSEC
 */
export type Looked<T> =
  | ({ readonly kind: "records"; readonly records: readonly T[] } & Standing)
  | ({ readonly kind: "no-name" } & Standing)
  | ({ readonly kind: "no-data" } & Standing)
  | { readonly kind: "unclear" }
  | { readonly kind: "bogus" };

/** The lookups. They never throw. */
export interface Lookups {
  mx(name: string): Promise<Looked<Mx>>;
  a(name: string): Promise<Looked<string>>;
  aaaa(name: string): Promise<Looked<string>>;
  tlsa(name: string): Promise<Looked<TlsaRecord>>;
  txt(name: string): Promise<Looked<string>>;
}

/** Lookups over a resolver. */
export function lookupsOver(
  lookUp: (question: Question) => Found | Promise<Found>,
): Lookups {
  const of =
    <T>(type: number, read: (data: Uint8Array) => T | undefined) =>
    async (name: string): Promise<Looked<T>> =>
      looked(await lookUp({ name, type }), read);
  return {
    mx: of(TYPE.MX, readMx),
    a: of(TYPE.A, readAddress),
    aaaa: of(TYPE.AAAA, readAddress),
    tlsa: of(TYPE.TLSA, usableTlsa),
    txt: of(TYPE.TXT, joinedText),
  };
}

/** What was found, with its data read by `read`. */
export function looked<T>(
  found: Found,
  read: (data: Uint8Array) => T | undefined,
): Looked<T> {
  const { security, nameSecurity, canonical, finding } = found;
  if (security === "bogus") return { kind: "bogus" };
  if (security === "indeterminate" || !isUsable(nameSecurity)) {
    return { kind: "unclear" };
  }
  const standing = { security, nameSecurity, canonical };
  switch (finding.kind) {
    case "records": {
      const records = finding.records.map((one) => read(one.data))
        .filter((one) => one !== undefined);
      return records.length === finding.records.length
        ? { kind: "records", records, ...standing }
        : { kind: "unclear" };
    }
    case "no-such-name":
      return { kind: "no-name", ...standing };
    case "no-data":
      return { kind: "no-data", ...standing };
    case "alias":
    case "nothing":
      return { kind: "unclear" };
  }
}

function isUsable(security: Found["security"]): security is Usable {
  return security === "secure" || security === "insecure";
}

/** Hex digits of a TLSA record's data that are handed on. */
const MAX_TLSA_HEX = 8_192;

/** Data too large to be handed on makes a record that nobody can use, not none. */
function usableTlsa(data: Uint8Array): TlsaRecord | undefined {
  const record = readTlsa(data);
  if (record === undefined || record.data.length <= MAX_TLSA_HEX) return record;
  return { usage: 255, selector: 255, matching: 255, data: "" };
}

const MAX_TEXT = 4_096;
const decoder = new TextDecoder();

/** A TXT record's strings joined, RFC 8461 §3.1, and cut. */
function joinedText(data: Uint8Array): string | undefined {
  const strings = readStrings(data);
  if (strings === undefined) return undefined;
  const text = strings.map((one) => decoder.decode(one)).join("");
  return text.slice(0, MAX_TEXT);
}
