/**
 * For tests: certificates as they are wished for, right or wrong, signed by
 * node:crypto, in a millisecond each.
 */
import { Buffer } from "node:buffer";
import { generateKeyPairSync, type KeyObject, sign } from "node:crypto";

const DAY_MS = 86_400_000;

/** A certificate with its key. */
export interface Issued {
  readonly der: Uint8Array;
  readonly pem: string;
  readonly key: KeyObject;
  /** PKCS #8. */
  readonly keyPem: string;
  readonly subject: string;
  readonly spki: Uint8Array;
}

/** What a certificate says. */
export interface Wish {
  /** Common name; none for an empty subject. */
  readonly subject?: string;
  /** Who signs; itself if it is left out. */
  readonly issuer?: Pick<Issued, "subject" | "key">;
  /** dNSName. */
  readonly names?: readonly string[];
  /** iPAddress, as octets. */
  readonly addresses?: readonly (readonly number[])[];
  readonly from?: number;
  readonly to?: number;
  /** basicConstraints; false writes it as "no authority". */
  readonly ca?: boolean;
  readonly pathLength?: number;
  /** The octet of keyUsage: 0x80 digitalSignature, 0x04 keyCertSign. */
  readonly keyUsage?: number;
  /** extKeyUsage for clients alone. */
  readonly forClients?: boolean;
  /** A critical extension that nobody knows. */
  readonly odd?: boolean;
  readonly version?: 1 | 3;
  readonly algorithm?: Algorithm;
  /** Key to use instead of a new one. */
  readonly keys?: {
    readonly privateKey: KeyObject;
    readonly publicKey: KeyObject;
  };
}

/** Kinds of keys and of the signatures made with them. */
export type Algorithm =
  | "P-256"
  | "P-384"
  | "P-521"
  | "Ed25519"
  | "RSA"
  | "RSA-1024"
  | "RSA-SHA1"
  | "RSA-PSS";

/** Makes a key of the kind. */
export function keysOf(algorithm: Algorithm): {
  privateKey: KeyObject;
  publicKey: KeyObject;
} {
  switch (algorithm) {
    case "P-256":
    case "P-384":
    case "P-521":
      return generateKeyPairSync("ec", { namedCurve: algorithm });
    case "Ed25519":
      return generateKeyPairSync("ed25519");
    case "RSA-1024":
      return generateKeyPairSync("rsa", { modulusLength: 1024 });
    case "RSA":
    case "RSA-SHA1":
    case "RSA-PSS":
      // These take long to make, and one is as good as another.
      return rsaKeys ??= generateKeyPairSync("rsa", { modulusLength: 2048 });
  }
}

let rsaKeys: ReturnType<typeof keysOf> | undefined;

/** Makes a certificate. */
export function issue(wish: Wish, nowMs: number = Date.now()): Issued {
  const keys = wish.keys ?? keysOf(wish.algorithm ?? "P-256");
  const subject = wish.subject ?? "";
  const issuer = wish.issuer ?? { subject, key: keys.privateKey };
  const how = signatureBy(issuer.key, wish.algorithm);
  const spki = keys.publicKey.export({ type: "spki", format: "der" });
  const extensions = extensionsOf(wish);
  const isV3 = (wish.version ?? 3) === 3;
  const tbs = sequence(
    ...(isV3 ? [tlv(0xa0, tlv(0x02, Uint8Array.of(2)))] : []),
    tlv(
      0x02,
      Uint8Array.from([1, ...crypto.getRandomValues(new Uint8Array(8))]),
    ),
    how.algorithm,
    nameOf(issuer.subject),
    sequence(
      time(wish.from ?? nowMs - DAY_MS),
      time(wish.to ?? nowMs + DAY_MS),
    ),
    nameOf(subject),
    spki,
    ...(isV3 && extensions.length > 0
      ? [tlv(0xa3, sequence(...extensions))]
      : []),
  );
  const signature = how.sign(tbs);
  const der = sequence(
    tbs,
    how.algorithm,
    tlv(0x03, Uint8Array.of(0), signature),
  );
  return {
    der,
    pem: pemOf(der),
    key: keys.privateKey,
    keyPem: keys.privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
    subject,
    spki: new Uint8Array(spki),
  };
}

/**
 * A private key file that says it belongs to a certificate and does not: what
 * somebody has who copied the certificate off the wire. P-256 only.
 */
export function forgedKeyFor(certificate: Issued): string {
  const { d } = keysOf("P-256").privateKey.export({ format: "jwk" });
  const jwk = certificate.key.export({ format: "jwk" });
  const point = Buffer.concat([
    Uint8Array.of(4),
    Buffer.from(jwk.x!, "base64url"),
    Buffer.from(jwk.y!, "base64url"),
  ]);
  const inner = sequence(
    tlv(0x02, Uint8Array.of(1)),
    tlv(0x04, Buffer.from(d!, "base64url")),
    tlv(0xa0, oid(0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7)),
    tlv(0xa1, tlv(0x03, Uint8Array.of(0), point)),
  );
  const base64 = Buffer.from(inner).toString("base64").match(/.{1,64}/g)!;
  return [
    "-----BEGIN EC PRIVATE KEY-----",
    ...base64,
    "-----END EC PRIVATE KEY-----",
    "",
  ].join("\n");
}

/** DER as PEM. */
export function pemOf(der: Uint8Array): string {
  const base64 = Buffer.from(der).toString("base64").match(/.{1,64}/g)!;
  return [
    "-----BEGIN CERTIFICATE-----",
    ...base64,
    "-----END CERTIFICATE-----",
    "",
  ].join("\n");
}

function signatureBy(key: KeyObject, algorithm: Algorithm | undefined): {
  algorithm: Uint8Array;
  sign: (tbs: Uint8Array) => Uint8Array;
} {
  const rsa = (last: number) =>
    sequence(oid(0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, last), tlv(0x05));
  switch (key.asymmetricKeyType) {
    case "ed25519":
      return {
        algorithm: sequence(oid(0x2b, 0x65, 0x70)),
        sign: (tbs) => sign(null, tbs, key),
      };
    case "rsa":
      if (algorithm === "RSA-PSS") {
        const sha256 = sequence(
          oid(0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 1),
          tlv(0x05),
        );
        const mgf1 = sequence(
          oid(0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 8),
          sha256,
        );
        return {
          algorithm: sequence(
            oid(0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 10),
            sequence(
              tlv(0xa0, sha256),
              tlv(0xa1, mgf1),
              tlv(0xa2, tlv(0x02, Uint8Array.of(32))),
            ),
          ),
          sign: (tbs) =>
            sign("sha256", tbs, { key, padding: 6, saltLength: 32 }),
        };
      }
      return algorithm === "RSA-SHA1"
        ? { algorithm: rsa(5), sign: (tbs) => sign("sha1", tbs, key) }
        : { algorithm: rsa(11), sign: (tbs) => sign("sha256", tbs, key) };
    default: {
      // Deno 2.9.6 signs with P-521 by SHA-512 alone.
      const isLong = key.asymmetricKeyDetails?.namedCurve === "secp521r1";
      const last = isLong ? 4 : 2;
      const digest = isLong ? "sha512" : "sha256";
      return {
        algorithm: sequence(oid(0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, last)),
        sign: (tbs) => sign(digest, tbs, { key, dsaEncoding: "der" }),
      };
    }
  }
}

function extensionsOf(wish: Wish): Uint8Array[] {
  const found: Uint8Array[] = [];
  const add = (id: Uint8Array, value: Uint8Array, isCritical = false) =>
    found.push(sequence(
      id,
      ...(isCritical ? [tlv(0x01, Uint8Array.of(0xff))] : []),
      tlv(0x04, value),
    ));
  const names = [
    ...(wish.names ?? []).map((name) => tlv(0x82, latin1(name))),
    ...(wish.addresses ?? []).map((one) => tlv(0x87, Uint8Array.from(one))),
  ];
  if (names.length > 0) add(oid(0x55, 0x1d, 0x11), sequence(...names));
  if (wish.ca !== undefined) {
    const length = wish.pathLength === undefined
      ? []
      : [tlv(0x02, Uint8Array.of(wish.pathLength))];
    const isCa = wish.ca ? [tlv(0x01, Uint8Array.of(0xff))] : [];
    add(oid(0x55, 0x1d, 0x13), sequence(...isCa, ...length), true);
  }
  if (wish.keyUsage !== undefined) {
    add(
      oid(0x55, 0x1d, 0x0f),
      tlv(0x03, Uint8Array.of(0, wish.keyUsage)),
      true,
    );
  }
  if (wish.forClients) {
    add(
      oid(0x55, 0x1d, 0x25),
      sequence(oid(0x2b, 6, 1, 5, 5, 7, 3, 2)),
    );
  }
  if (wish.odd) add(oid(0x2a, 3, 4), tlv(0x05), true);
  return found;
}

function nameOf(commonName: string): Uint8Array {
  return commonName === "" ? sequence() : sequence(
    tlv(0x31, sequence(oid(0x55, 0x04, 0x03), tlv(0x0c, latin1(commonName)))),
  );
}

function time(ms: number): Uint8Array {
  const digits = new Date(ms).toISOString().replace(/[-:T]|\.\d+/g, "");
  return tlv(0x18, latin1(digits));
}

function latin1(text: string): Uint8Array {
  return Buffer.from(text, "latin1");
}

function oid(...octets: number[]): Uint8Array {
  return tlv(0x06, Uint8Array.from(octets));
}

function sequence(...parts: Uint8Array[]): Uint8Array {
  return tlv(0x30, ...parts);
}

/** One DER element. */
export function tlv(tag: number, ...parts: Uint8Array[]): Uint8Array {
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  const head = length < 0x80
    ? [tag, length]
    : length < 0x100
    ? [tag, 0x81, length]
    : [tag, 0x82, length >> 8, length & 0xff];
  return new Uint8Array(Buffer.concat([Uint8Array.from(head), ...parts]));
}
