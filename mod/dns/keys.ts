/**
 * DNSKEY records as keys that can verify, and as what DS records stand for.
 *
 * Not: algorithms 1, 3, 6 and 12 (RFC 8624 §3.1: MUST NOT validate, or
 * optional and gone). 5 and 7 are here: RSA with SHA-1 must not be made any
 * more, but is still to be verified.
 */
import { Buffer } from "node:buffer";
import {
  createHash,
  createPublicKey,
  type KeyObject,
  verify,
} from "node:crypto";
import { nameOctets } from "./labels.ts";
import type { Name, ResourceRecord } from "./message.ts";
import { type Ds, readDnskey } from "./rdata.ts";

/** A zone's key that may sign. */
export interface Key {
  readonly tag: number;
  readonly algorithm: number;
  /** The record's data: what digests are over. */
  readonly data: Uint8Array;
  /** Undefined if its size is out of bounds, or it is no key at all. */
  readonly object: KeyObject | undefined;
}

interface Rsa {
  readonly kind: "rsa";
  readonly hash: string;
}

interface Ecdsa {
  readonly kind: "ecdsa";
  readonly hash: string;
  readonly octets: number;
  /** SubjectPublicKeyInfo up to the two coordinates. */
  readonly prefix: string;
}

interface Eddsa {
  readonly kind: "eddsa";
  readonly octets: number;
  readonly prefix: string;
}

/** RFC 3110, RFC 5702, RFC 6605, RFC 8080. */
const ALGORITHMS: ReadonlyMap<number, Rsa | Ecdsa | Eddsa> = new Map<
  number,
  Rsa | Ecdsa | Eddsa
>([
  [5, { kind: "rsa", hash: "sha1" }],
  [7, { kind: "rsa", hash: "sha1" }],
  [8, { kind: "rsa", hash: "sha256" }],
  [10, { kind: "rsa", hash: "sha512" }],
  [13, {
    kind: "ecdsa",
    hash: "sha256",
    octets: 64,
    prefix: "3059301306072a8648ce3d020106082a8648ce3d03010703420004",
  }],
  [14, {
    kind: "ecdsa",
    hash: "sha384",
    octets: 96,
    prefix: "3076301006072a8648ce3d020106052b8104002203620004",
  }],
  [15, { kind: "eddsa", octets: 32, prefix: "302a300506032b6570032100" }],
  [16, { kind: "eddsa", octets: 57, prefix: "3043300506032b6571033a00" }],
]);

/** SHA-1, SHA-256, SHA-384; RFC 4509, RFC 6605 §2. Not: 3, GOST. */
const DIGESTS: ReadonlyMap<number, string> = new Map([
  [1, "sha1"],
  [2, "sha256"],
  [4, "sha384"],
]);

/**
 * Sizes of an RSA modulus. Below, it is no protection; above, verifying is
 * dear, and no zone needs it. Such keys count as of an unknown algorithm.
 */
const RSA_BITS = { min: 1_024, max: 4_096 } as const;
/** 2^32 + 1 is in use; greater ones only make verifying slow. */
const MAX_EXPONENT_OCTETS = 5;

const ZONE_KEY = 0x0100;
/** RFC 5011 §2.1: such a key is not to be used for anything. */
const REVOKED = 0x0080;

/** True if signatures of this algorithm can be verified. */
export function isKnownAlgorithm(algorithm: number): boolean {
  return ALGORITHMS.has(algorithm);
}

/** True if a key has a size that may be out of bounds. */
export function isRsa({ algorithm }: Key): boolean {
  return ALGORITHMS.get(algorithm)?.kind === "rsa";
}

/** True if a DS of this digest type can be compared. */
export function isKnownDigest(digestType: number): boolean {
  return DIGESTS.has(digestType);
}

/**
 * Reads a DNSKEY record.
 *
 * @returns undefined if it may not sign a zone: without the zone key bit, of
 * another protocol than 3 (RFC 4034 §2.1), revoked, or unknown
 */
export function readKey(record: ResourceRecord): Key | undefined {
  const { data } = record;
  const read = readDnskey(data);
  if (read === undefined || read.protocol !== 3) return undefined;
  if ((read.flags & (ZONE_KEY | REVOKED)) !== ZONE_KEY) return undefined;
  if (!isKnownAlgorithm(read.algorithm)) return undefined;
  return {
    tag: keyTag(data),
    algorithm: read.algorithm,
    data,
    object: keyObject(read.algorithm, read.key),
  };
}

/** The number that RRSIG and DS name a key by, RFC 4034 appendix B. */
export function keyTag(data: Uint8Array): number {
  let sum = 0;
  for (let i = 0; i < data.length; i++) {
    sum += i % 2 === 0 ? data[i]! << 8 : data[i]!;
  }
  return (sum + (sum >>> 16)) & 0xffff;
}

/** True if the DS stands for this key of this zone, RFC 4034 §5.1.4. */
export function isDigestOf(
  ds: Ds,
  { zone, key }: { zone: Name; key: Key },
): boolean {
  if (ds.tag !== key.tag || ds.algorithm !== key.algorithm) return false;
  const hash = DIGESTS.get(ds.digestType);
  if (hash === undefined) return false;
  const digest = createHash(hash).update(nameOctets(zone)).update(key.data)
    .digest();
  return Buffer.compare(digest, ds.digest) === 0;
}

/** True if the signature over `data` was made with this key. */
export function isSignedBy(
  key: Key,
  { data, signature }: { data: Uint8Array; signature: Uint8Array },
): boolean {
  const algorithm = ALGORITHMS.get(key.algorithm);
  if (algorithm === undefined || key.object === undefined) return false;
  try {
    switch (algorithm.kind) {
      case "rsa":
        return verify(algorithm.hash, data, key.object, signature);
      case "ecdsa":
        return signature.length === algorithm.octets && verify(
          algorithm.hash,
          data,
          { key: key.object, dsaEncoding: "ieee-p1363" },
          signature,
        );
      case "eddsa":
        return verify(null, data, key.object, signature);
    }
  } catch {
    // The library's way to say that the octets are no signature at all.
    return false;
  }
}

function keyObject(
  algorithm: number,
  octets: Uint8Array,
): KeyObject | undefined {
  const known = ALGORITHMS.get(algorithm);
  if (known === undefined) return undefined;
  try {
    if (known.kind === "rsa") return rsaKey(octets);
    const { octets: length, prefix } = known;
    // RFC 6605 §4, RFC 8080 §3: the bare key, of this length only.
    if (octets.length !== length) return undefined;
    return createPublicKey({
      key: Buffer.concat([Buffer.from(prefix, "hex"), octets]),
      format: "der",
      type: "spki",
    });
  } catch {
    // Octets that are no point of the curve, and the like.
    return undefined;
  }
}

/** RFC 3110 §2. */
function rsaKey(octets: Uint8Array): KeyObject | undefined {
  const isLong = octets[0] === 0;
  const start = isLong ? 3 : 1;
  if (octets.length < start) return undefined;
  const length = isLong ? (octets[1]! << 8) | octets[2]! : octets[0]!;
  const exponent = withoutZeros(octets.subarray(start, start + length));
  const modulus = withoutZeros(octets.subarray(start + length));
  if (modulus.length === 0 || exponent.length === 0) return undefined;
  const bits = modulus.length * 8 - Math.clz32(modulus[0]!) + 24;
  if (bits < RSA_BITS.min || bits > RSA_BITS.max) return undefined;
  if (exponent.length > MAX_EXPONENT_OCTETS) return undefined;
  return createPublicKey({
    key: {
      kty: "RSA",
      n: Buffer.from(modulus).toString("base64url"),
      e: Buffer.from(exponent).toString("base64url"),
    },
    format: "jwk",
  });
}

function withoutZeros(octets: Uint8Array): Uint8Array {
  let start = 0;
  while (start < octets.length && octets[start] === 0) start++;
  return octets.subarray(start);
}
