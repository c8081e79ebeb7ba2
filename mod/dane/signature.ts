/**
 * Is a certificate signed by a key? RFC 5280 §4.1.1.2, with the algorithms of
 * RFC 4055, RFC 5758 and RFC 8410 that are worth anything: no MD5, no SHA-1.
 * Pure.
 */
import { constants, createPublicKey, verify } from "node:crypto";
import { Buffer } from "node:buffer";
import { elementsOf, oidText, sequenceOf, TAG } from "./der.ts";
import type { Outline } from "./x509.ts";

/** What an algorithm's number says: the digest, and whether it is RSA-PSS. */
const ALGORITHMS = new Map<string, { digest: string | null; key: string }>([
  ["1.2.840.113549.1.1.11", { digest: "sha256", key: "rsa" }],
  ["1.2.840.113549.1.1.12", { digest: "sha384", key: "rsa" }],
  ["1.2.840.113549.1.1.13", { digest: "sha512", key: "rsa" }],
  ["1.2.840.10045.4.3.2", { digest: "sha256", key: "ec" }],
  ["1.2.840.10045.4.3.3", { digest: "sha384", key: "ec" }],
  ["1.2.840.10045.4.3.4", { digest: "sha512", key: "ec" }],
  ["1.3.101.112", { digest: null, key: "ed25519" }],
  ["1.3.101.113", { digest: null, key: "ed448" }],
]);

const RSA_PSS = "1.2.840.113549.1.1.10";
const DIGESTS = new Map([
  ["2.16.840.1.101.3.4.2.1", "sha256"],
  ["2.16.840.1.101.3.4.2.2", "sha384"],
  ["2.16.840.1.101.3.4.2.3", "sha512"],
]);

/** Octets of a key that is used: RSA of 8,192 bits needs 1,062. */
const MAX_KEY = 1_100;
/** Octets of an RSA key below which it is too short: 2,048 bits need 294. */
const MIN_RSA_KEY = 290;

/**
 * True if the key made the signature of the certificate.
 *
 * @param spki SubjectPublicKeyInfo in DER; anything else is just false
 */
export function isSignedBy(certificate: Outline, spki: Uint8Array): boolean {
  if (spki.length > MAX_KEY) return false;
  try {
    const key = createPublicKey({
      key: Buffer.from(spki),
      format: "der",
      type: "spki",
    });
    const type = key.asymmetricKeyType ?? "";
    if (type.startsWith("rsa") && spki.length < MIN_RSA_KEY) return false;
    const how = algorithmOf(certificate.algorithm);
    if (how === undefined || !type.startsWith(how.key)) return false;
    const { digest, saltLength } = how;
    return verify(
      digest,
      certificate.tbs,
      saltLength === undefined
        ? { key, dsaEncoding: "der" }
        : { key, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength },
      certificate.signature,
    );
  } catch {
    // A key or signature that the library cannot even read: a stranger's
    // octets, and no fault of ours.
    return false;
  }
}

interface Algorithm {
  readonly digest: string | null;
  readonly key: string;
  /** Of RSA-PSS. */
  readonly saltLength?: number;
}

function algorithmOf(octets: Uint8Array): Algorithm | undefined {
  const inner = sequenceOf(octets);
  const [oid, parameters] = (inner && elementsOf(inner, 2)) ?? [];
  if (oid?.tag !== TAG.OID) return undefined;
  const name = oidText(oid.value);
  return name === RSA_PSS
    ? pssOf(parameters?.value ?? new Uint8Array())
    : ALGORITHMS.get(name);
}

/** RSASSA-PSS-params, RFC 4055 §3.1: digest [0] and salt length [2]. */
function pssOf(parameters: Uint8Array): Algorithm | undefined {
  const fields = elementsOf(parameters, 4) ?? [];
  const digestField = fields.find(({ tag }) => tag === 0xa0);
  const saltField = fields.find(({ tag }) => tag === 0xa2);
  if (digestField === undefined || saltField === undefined) return undefined;
  const inner = sequenceOf(digestField.value);
  const [oid] = (inner && elementsOf(inner, 2)) ?? [];
  const digest = oid && DIGESTS.get(oidText(oid.value));
  const [salt] = elementsOf(saltField.value, 1) ?? [];
  const saltLength = salt?.value.length === 1 ? salt.value[0] : undefined;
  return digest === undefined || saltLength === undefined
    ? undefined
    : { digest, key: "rsa", saltLength };
}
