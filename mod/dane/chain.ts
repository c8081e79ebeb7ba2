/**
 * The way from a server's certificate to an authority that TLSA records name
 * (DANE-TA, RFC 7672 §3.1.2, RFC 7671 §5.2). Pure.
 *
 * The certificates are a stranger's: at most {@link MAX_CERTIFICATES} are read
 * and {@link MAX_CHECKS} signatures are checked, whatever they say.
 */
import { Buffer } from "node:buffer";
import type { TlsFault } from "./demand.ts";
import { isSignedBy } from "./signature.ts";
import { dataOf, isAbout, type TlsaRecord } from "./tlsa.ts";
import { type Certificate, certificateOf } from "./x509.ts";

/** Certificates of a chain that are looked at, the server's own included. */
export const MAX_CERTIFICATES = 10;
/** Signatures checked for one chain. */
export const MAX_CHECKS = 24;

/** The way was found, or not. */
export type Found =
  | { readonly certificate: Certificate; readonly record: TlsaRecord }
  /** `result` is empty if nothing there is named by any record. */
  | { readonly why: string; readonly result: TlsFault };

/** What the walk knows. */
interface Walk {
  readonly pool: readonly Certificate[];
  readonly records: readonly TlsaRecord[];
  readonly nowMs: number;
  readonly visited: Set<Certificate>;
  checks: number;
  /** The first thing that kept it from going on at something named. */
  fault: { readonly why: string; readonly result: TlsFault } | undefined;
}

/**
 * Looks for an authority that `records` (all of usage 2) name, above the first
 * certificate of `chain`: among those that came with it, or in the records
 * themselves where they hold a certificate or key in full.
 *
 * The server's own certificate is none, even if a record matches it: that is
 * what usage 3 is for.
 */
export function authorityOver(
  chain: readonly Uint8Array[],
  records: readonly TlsaRecord[],
  nowMs: number,
): Found {
  const sent = chain.slice(0, MAX_CERTIFICATES).map(certificateOf);
  const [leaf] = sent;
  if (leaf === undefined) {
    return {
      why: "the certificate cannot be read",
      result: "validation-failure",
    };
  }
  const published = records
    .filter(({ selector, matching }) => selector === 0 && matching === 0)
    .slice(0, MAX_CERTIFICATES)
    .map(({ data }) => certificateOf(dataOf(data)));
  const pool = [...sent.slice(1), ...published].filter((one) =>
    one !== undefined && !isSame(one, leaf)
  ) as Certificate[];
  const walk: Walk = {
    pool,
    records,
    nowMs,
    visited: new Set(),
    checks: 0,
    fault: undefined,
  };
  const record = climb(leaf, 0, walk);
  if (record !== undefined) return { certificate: leaf, record };
  return walk.fault ??
    { why: "no TLSA record names an authority of the chain", result: "" };
}

/** Goes up from a certificate that is trusted if what is above it is. */
function climb(
  below: Certificate,
  /** Authorities that are below already, RFC 5280 §4.2.1.9. */
  depth: number,
  walk: Walk,
): TlsaRecord | undefined {
  for (const record of walk.records) {
    // A key without a certificate: the server need not send one.
    if (record.selector !== 1 || record.matching !== 0) continue;
    if (isChecked(below, dataOf(record.data), walk)) return record;
  }
  for (const above of walk.pool) {
    if (walk.visited.has(above) || !isSameName(below.issuer, above.subject)) {
      continue;
    }
    if (!isChecked(below, above.spki, walk)) continue;
    walk.visited.add(above);
    const record = walk.records.find((one) => isAbout(one, above.der));
    const fault = authorityFault(above, depth, {
      nowMs: walk.nowMs,
      isAnchor: record !== undefined,
    });
    if (fault !== undefined) {
      walk.fault ??= fault;
      continue;
    }
    const found = record ?? climb(above, depth + 1, walk);
    if (found !== undefined) return found;
  }
  return undefined;
}

function isChecked(
  certificate: Certificate,
  key: Uint8Array,
  walk: Walk,
): boolean {
  if (walk.checks >= MAX_CHECKS) return false;
  walk.checks++;
  return isSignedBy(certificate, key);
}

/** What keeps a certificate from being an authority, RFC 5280 §6.1.4. */
function authorityFault(
  certificate: Certificate,
  depth: number,
  { nowMs, isAnchor }: { nowMs: number; isAnchor: boolean },
): { readonly why: string; readonly result: TlsFault } | undefined {
  const { authority, version } = certificate;
  if (nowMs > certificate.notAfterMs || nowMs < certificate.notBeforeMs) {
    return {
      why: "a certificate of the chain is not valid now",
      result: "certificate-expired",
    };
  }
  // Version 1 has no extensions to say it with; only a record may vouch then.
  const isCa = authority?.isCa ?? (version === 1 && isAnchor);
  if (!isCa || !certificate.maySignCertificates) {
    return {
      why: "a certificate of the chain is signed by one that is no authority",
      result: "certificate-not-trusted",
    };
  }
  if (authority !== undefined && authority.pathLength < depth) {
    return {
      why: "the chain is longer than one of its authorities allows",
      result: "certificate-not-trusted",
    };
  }
  return certificate.unknownCritical.length === 0 ? undefined : {
    why: "a certificate of the chain demands what is not understood here: " +
      certificate.unknownCritical[0],
    result: "certificate-not-trusted",
  };
}

function isSame(one: Certificate, other: Certificate): boolean {
  return Buffer.compare(one.der, other.der) === 0;
}

function isSameName(one: Uint8Array, other: Uint8Array): boolean {
  return Buffer.compare(one, other) === 0;
}
