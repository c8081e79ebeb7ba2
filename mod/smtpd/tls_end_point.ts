/**
 * The channel binding `tls-server-end-point` (RFC 5929 §4.1): a hash of the
 * server's certificate, by the hash of the certificate's own signature.
 */
import { Buffer } from "node:buffer";
import { createHash } from "node:crypto";

/**
 * The binding of a certificate.
 *
 * @param pem The certificate, first, and its chain
 * @returns Null if its signature uses no hash or one that we do not know, as
 * Ed25519 does: RFC 5929 §4.1 leaves the binding undefined
 */
export function tlsServerEndPoint(pem: string): Uint8Array | null {
  const der = firstCertificate(pem);
  const hash = der === undefined ? undefined : signatureHash(der);
  return hash === undefined || der === undefined
    ? null
    : createHash(hash).update(der).digest();
}

const BEGIN = "-----BEGIN CERTIFICATE-----";
const END = "-----END CERTIFICATE-----";

function firstCertificate(pem: string): Buffer | undefined {
  const from = pem.indexOf(BEGIN);
  const to = from < 0 ? -1 : pem.indexOf(END, from);
  return to < 0
    ? undefined
    : Buffer.from(pem.slice(from + BEGIN.length, to), "base64");
}

/**
 * Hashes by the object identifier of the signature (RFC 4055, RFC 5758) or of
 * the hash itself, in hexadecimal; MD5 and SHA-1 count as SHA-256.
 */
const HASHES = new Map([
  ["2a864886f70d010104", "sha256"], // md5WithRSAEncryption
  ["2a864886f70d010105", "sha256"], // sha1WithRSAEncryption
  ["2a864886f70d01010b", "sha256"],
  ["2a864886f70d01010c", "sha384"],
  ["2a864886f70d01010d", "sha512"],
  ["2a864886f70d01010e", "sha224"],
  ["2a8648ce3d0401", "sha256"], // ecdsa-with-SHA1
  ["2a8648ce3d040301", "sha224"],
  ["2a8648ce3d040302", "sha256"],
  ["2a8648ce3d040303", "sha384"],
  ["2a8648ce3d040304", "sha512"],
  ["2b0e03021a", "sha256"], // id-sha1
  ["608648016503040201", "sha256"],
  ["608648016503040202", "sha384"],
  ["608648016503040203", "sha512"],
  ["608648016503040204", "sha224"],
]);
const RSASSA_PSS = "2a864886f70d01010a";

const SEQUENCE = 0x30;
const IDENTIFIER = 0x06;
/** `[0]` of RSASSA-PSS-params: the hash, SHA-1 if it is not there. */
const PSS_HASH = 0xa0;

/** Certificate ::= SEQUENCE { tbs, algorithm, signature }, RFC 5280 §4.1. */
function signatureHash(der: Uint8Array): string | undefined {
  const certificate = element(der, 0);
  if (certificate?.tag !== SEQUENCE) return undefined;
  const tbs = element(certificate.content, 0);
  const algorithm = tbs && element(certificate.content, tbs.end);
  if (algorithm?.tag !== SEQUENCE) return undefined;
  const name = identifierIn(algorithm.content);
  if (name?.hex !== RSASSA_PSS) return name && HASHES.get(name.hex);
  const parameters = element(algorithm.content, name.end);
  const hash = parameters && element(parameters.content, 0);
  if (hash?.tag !== PSS_HASH) return "sha256";
  const inner = element(hash.content, 0);
  const hashName = inner && identifierIn(inner.content);
  return hashName && HASHES.get(hashName.hex);
}

function identifierIn(
  octets: Uint8Array,
): { hex: string; end: number } | undefined {
  const first = element(octets, 0);
  return first?.tag === IDENTIFIER
    ? { hex: Buffer.from(first.content).toString("hex"), end: first.end }
    : undefined;
}

interface Element {
  readonly tag: number;
  readonly content: Uint8Array;
  /** Where the next one begins. */
  readonly end: number;
}

/** The DER element at an offset; lengths of up to three octets. */
function element(octets: Uint8Array, at: number): Element | undefined {
  const tag = octets[at];
  const first = octets[at + 1];
  if (tag === undefined || first === undefined) return undefined;
  const lengthOctets = first < 0x80 ? 0 : first & 0x7f;
  if (first === 0x80 || lengthOctets > 3) return undefined;
  let length = lengthOctets === 0 ? first : 0;
  for (let i = 0; i < lengthOctets; i++) {
    length = length * 256 + (octets[at + 2 + i] ?? 0);
  }
  const from = at + 2 + lengthOctets;
  const end = from + length;
  return end <= octets.length
    ? { tag, content: octets.subarray(from, end), end }
    : undefined;
}
