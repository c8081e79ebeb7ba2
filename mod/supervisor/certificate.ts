/**
 * The certificate that STARTTLS shows: makes a self-signed one, and says in
 * plain words what is wrong with any.
 *
 * The DER encoder is ours, and small: one certificate of one fixed shape
 * (RFC 5280) needs six tags. The libraries for it are larger than all roles'
 * code together, and would be loaded beside a private key. Nothing here
 * reads DER; node:crypto does. Run by the supervisor and `bulkhead init`;
 * opens no file.
 */
import { Buffer } from "node:buffer";
import {
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  randomBytes,
  sign,
  X509Certificate,
} from "node:crypto";
import type { Config } from "../config/settings.ts";
import type { Paths } from "./plan.ts";

const DAY_MS = 86_400_000;
const YEARS = 10;

/** Where the certificate lies; it is not there while tls.mode is off. */
export function certificateFiles(
  { tls: { mode, certificate, key } }: Pick<Config, "tls">,
  { tlsDir }: Pick<Paths, "tlsDir">,
): { certificate: string; key: string } {
  return mode === "files"
    ? { certificate: certificate!, key: key! }
    : { certificate: `${tlsDir}/cert.pem`, key: `${tlsDir}/key.pem` };
}

/** A certificate and its key, as PEM. */
export interface CertifiedKey {
  /** `BEGIN CERTIFICATE`. */
  readonly cert: string;
  /** `BEGIN PRIVATE KEY`, PKCS #8, not encrypted. */
  readonly key: string;
}

/**
 * Makes an ECDSA P-256 key and a certificate for it, signed by itself, for
 * ten years from an hour ago (clocks differ).
 *
 * @param hostname A domain name in lower case, at most 253 octets
 * @param nowMs Time since the epoch
 */
export function makeCertificate(hostname: string, nowMs: number): CertifiedKey {
  const pair = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const spki = pair.publicKey.export({ type: "spki", format: "der" });
  const tbs = toBeSigned(hostname, nowMs, spki);
  const signature = sign("sha256", tbs, pair.privateKey);
  const der = sequence(tbs, ECDSA_SHA256, bitString(0, signature));
  return {
    cert: pem("CERTIFICATE", der),
    key: pair.privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
  };
}

/** One thing that is odd about a certificate. */
export interface CertificateFinding {
  /** With a `fault` TLS cannot work, or every client that looks refuses it. */
  readonly kind: "fault" | "warning";
  readonly message: string;
}

/**
 * Checks a certificate and its key.
 *
 * An expired certificate and one for another name are warnings: servers that
 * send mail to us mostly encrypt without looking (RFC 7435), and refusing to
 * start would lose more than it protects.
 *
 * @param certPem The certificate, first, and its chain
 * @param nowMs Time since the epoch
 */
export function checkCertificate(
  certPem: string,
  keyPem: string,
  nowMs: number,
  hostname: string,
): CertificateFinding[] {
  const found: CertificateFinding[] = [];
  const cert = readable(() => new X509Certificate(certPem));
  const key = readable(() => createPrivateKey(keyPem));
  if (cert === undefined) {
    found.push(fault("the certificate cannot be read: it is no PEM text"));
  }
  if (key === undefined) {
    found.push(fault(
      "the key cannot be read: it is no PEM text, or needs a passphrase, " +
        "which a server cannot type",
    ));
  }
  if (cert === undefined || key === undefined) return found;
  if (!belongTogether(cert, key)) {
    found.push(fault("the key is not the key of this certificate"));
  }
  found.push(...checkTime(cert, nowMs));
  if (cert.checkHost(hostname) === undefined) {
    found.push(warning(`the certificate is not for the name ${hostname}`));
  }
  return found;
}

function checkTime(
  cert: X509Certificate,
  nowMs: number,
): CertificateFinding[] {
  const from = Date.parse(cert.validFrom);
  const to = Date.parse(cert.validTo);
  if (nowMs < from) {
    return [warning(`the certificate is only valid from ${day(from)} on`)];
  }
  if (nowMs > to) return [warning(`the certificate expired on ${day(to)}`)];
  const days = Math.floor((to - nowMs) / DAY_MS);
  return days >= 14 ? [] : [
    warning(
      `the certificate expires on ${day(to)}, in ${days} ` +
        (days === 1 ? "day" : "days"),
    ),
  ];
}

function belongTogether(cert: X509Certificate, key: KeyObject): boolean {
  const one = cert.publicKey.export({ type: "spki", format: "der" });
  const other = createPublicKey(key).export({ type: "spki", format: "der" });
  return one.equals(other);
}

// node:crypto throws for whatever it cannot read, and the texts are
// OpenSSL's; that it is unreadable is all that an administrator can use.
function readable<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}

function fault(message: string): CertificateFinding {
  return { kind: "fault", message };
}

function warning(message: string): CertificateFinding {
  return { kind: "warning", message };
}

function day(ms: number): string {
  return new Date(ms).toISOString().slice(0, 10);
}

/** TBSCertificate, RFC 5280 §4.1. */
/** Most octets of a file of authorities; the usual ones are 200 KiB. */
const MAX_AUTHORITIES = 1_048_576;

/** What is wrong with a PEM of certificate authorities, after its name. */
export function authoritiesFault(pem: string): string | undefined {
  if (pem.length > MAX_AUTHORITIES) {
    return `is larger than ${MAX_AUTHORITIES} octets`;
  }
  const begin = "-----BEGIN CERTIFICATE-----";
  const parts = pem.split(begin).slice(1);
  if (parts.length === 0) return "has no certificate in it";
  const bad = parts.findIndex((part) => {
    try {
      new X509Certificate(begin + part);
      return false;
    } catch {
      return true;
    }
  });
  return bad < 0 ? undefined : `has a certificate, number ${bad + 1}, that ` +
    "cannot be read";
}

function toBeSigned(
  hostname: string,
  nowMs: number,
  spki: Uint8Array,
): Uint8Array {
  const to = new Date(nowMs);
  to.setUTCFullYear(to.getUTCFullYear() + YEARS);
  const name = distinguishedName(hostname);
  return sequence(
    tagged(0xa0, integer(Uint8Array.of(2))), // version 3
    integer(newSerial()),
    ECDSA_SHA256,
    name, // issuer: itself
    sequence(time(nowMs - 3_600_000), time(to.getTime())),
    name,
    spki,
    tagged(0xa3, sequence(...extensions(hostname))),
  );
}

// RFC 5280 §4.1.2.2: positive, at most 20 octets.
function newSerial(): Uint8Array {
  const serial = new Uint8Array(randomBytes(16));
  serial[0] = (serial[0]! & 0x7f) | 0x40;
  return serial;
}

function distinguishedName(hostname: string): Uint8Array {
  // X.520 allows 64 characters; the name that counts is in subjectAltName.
  const commonName = hostname.length <= 64 ? hostname : "mail server";
  const attribute = sequence(
    oid(0x55, 0x04, 0x03), // 2.5.4.3 commonName
    tagged(0x0c, ascii(commonName)), // UTF8String
  );
  return sequence(tagged(0x31, attribute));
}

function extensions(hostname: string): Uint8Array[] {
  const critical = tagged(0x01, Uint8Array.of(0xff));
  const extension = (id: Uint8Array, value: Uint8Array, mark = EMPTY) =>
    sequence(id, mark, tagged(0x04, value));
  return [
    // basicConstraints: no CA, its default, so the sequence is empty.
    extension(oid(0x55, 0x1d, 0x13), sequence(), critical),
    // keyUsage: digitalSignature, all that ECDHE with ECDSA does.
    extension(
      oid(0x55, 0x1d, 0x0f),
      bitString(7, Uint8Array.of(0x80)),
      critical,
    ),
    // extKeyUsage: serverAuth, 1.3.6.1.5.5.7.3.1
    extension(
      oid(0x55, 0x1d, 0x25),
      sequence(oid(0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, 0x01)),
    ),
    // subjectAltName: dNSName
    extension(
      oid(0x55, 0x1d, 0x11),
      sequence(tagged(0x82, ascii(hostname))),
    ),
  ];
}

// UTCTime up to 2049, GeneralizedTime from 2050: RFC 5280 §4.1.2.5.
function time(ms: number): Uint8Array {
  const digits = new Date(ms).toISOString().replace(/\.\d+|[-:T]/g, "");
  return new Date(ms).getUTCFullYear() < 2050
    ? tagged(0x17, ascii(digits.slice(2)))
    : tagged(0x18, ascii(digits));
}

const EMPTY: Uint8Array = new Uint8Array(0);
// 1.2.840.10045.4.3.2, RFC 5758 §3.2: without parameters.
const ECDSA_SHA256 = sequence(
  oid(0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02),
);

function sequence(...parts: readonly Uint8Array[]): Uint8Array {
  return tagged(0x30, ...parts);
}

/** An object identifier whose octets are already encoded. */
function oid(...octets: readonly number[]): Uint8Array {
  return tagged(0x06, Uint8Array.from(octets));
}

function integer(octets: Uint8Array): Uint8Array {
  return tagged(0x02, octets);
}

function bitString(unusedBits: number, octets: Uint8Array): Uint8Array {
  return tagged(0x03, Uint8Array.of(unusedBits), octets);
}

function tagged(tag: number, ...parts: readonly Uint8Array[]): Uint8Array {
  const content = Buffer.concat(parts);
  const n = content.length;
  const length = n < 0x80
    ? [n]
    : n < 0x100
    ? [0x81, n]
    : [0x82, n >> 8, n & 0xff];
  return Buffer.concat([Uint8Array.from([tag, ...length]), content]);
}

function ascii(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

function pem(label: string, der: Uint8Array): string {
  const lines = Buffer.from(der).toString("base64").match(/.{1,64}/g)!;
  return [`-----BEGIN ${label}-----`, ...lines, `-----END ${label}-----`, ""]
    .join("\n");
}
