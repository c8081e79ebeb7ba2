/**
 * Signs zones for tests, well or in any wrong way that a test wants. Made
 * apart from the validator, apart from names and their octets; the judge of
 * both is another validator (tests/interop).
 */
import { Buffer } from "node:buffer";
import {
  createHash,
  generateKeyPairSync,
  type KeyObject,
  sign,
} from "node:crypto";
import { joinOctets } from "../core/octets.ts";
import {
  compareNames,
  isBelow,
  isWithin,
  labelCount,
  labelsOf,
  nameOctets,
  parentOf,
} from "./labels.ts";
import { type Name, type ResourceRecord, TYPE } from "./message.ts";

/** A key with what DNS publishes of it. */
export interface SigningKey {
  readonly algorithm: number;
  /** Data of the DNSKEY record. */
  readonly data: Uint8Array;
  sign(data: Uint8Array): Uint8Array;
}

/** How a zone denies names with hashes. */
export interface Nsec3Choice {
  readonly salt: string;
  readonly iterations: number;
  readonly isOptOut: boolean;
}

/** The fields of an RRSIG before it is made; seconds are Unix seconds. */
export interface SignatureFields {
  readonly owner: Name;
  readonly covered: number;
  readonly labels: number;
  readonly originalTtl: number;
  readonly inceptionS: number;
  readonly expirationS: number;
  readonly signer: Name;
  readonly key: SigningKey;
}

/** What a zone is made of. */
export interface ZonePlan {
  readonly name: Name;
  /** Without DNSKEY, NSEC and RRSIG. */
  readonly records: readonly ResourceRecord[];
  /** All are published and all sign, unless `signers` says otherwise. */
  readonly keys: readonly SigningKey[];
  /** Who signs what; RRSIG in this order. */
  readonly signers?: (covered: number) => readonly SigningKey[];
  /** NSEC if not given. */
  readonly nsec3?: Nsec3Choice | undefined;
  /** Changes a signature before it is made; undefined: none is made. */
  readonly tweak?: (fields: SignatureFields) => SignatureFields | undefined;
  readonly nowS: number;
}

const DAY_S = 86_400;
const CSK = 257;

/** Makes a key; of an algorithm that nobody knows if it is over 16. */
export function makeKey(
  algorithm: number,
  { flags = CSK, protocol = 3, pair = makePair(algorithm) }: {
    flags?: number;
    protocol?: number;
    pair?: KeyPair;
  } = {},
): SigningKey {
  const head = Uint8Array.of(flags >> 8, flags & 255, protocol, algorithm);
  return {
    algorithm,
    data: joinOctets([head, pair.publicOctets]),
    sign: pair.signs(algorithm),
  };
}

/** Two halves of a key. */
export interface KeyPair {
  readonly publicOctets: Uint8Array;
  signs(algorithm: number): (data: Uint8Array) => Uint8Array;
}

/** What RSA keys are made with. */
export function makeRsaPair(
  modulusLength: number,
  publicExponent = 65_537,
): KeyPair {
  const { publicKey, privateKey } = generateKeyPairSync("rsa", {
    modulusLength,
    publicExponent,
  });
  const { n, e } = publicKey.export({ format: "jwk" });
  const exponent = Buffer.from(e!, "base64url");
  const modulus = Buffer.from(n!, "base64url");
  const hashes = new Map([[5, "sha1"], [7, "sha1"], [8, "sha256"], [
    10,
    "sha512",
  ]]);
  return {
    publicOctets: joinOctets([
      Uint8Array.of(exponent.length),
      exponent,
      modulus,
    ]),
    signs: (algorithm) => (data) =>
      sign(hashes.get(algorithm)!, data, privateKey),
  };
}

let sharedRsa: KeyPair | undefined;

function makePair(algorithm: number): KeyPair {
  switch (algorithm) {
    case 13:
      return makeCurvePair("P-256", "sha256");
    case 14:
      return makeCurvePair("P-384", "sha384");
    case 15:
      return makeEdwardsPair("ed25519");
    case 16:
      return makeEdwardsPair("ed448");
    case 5:
    case 7:
    case 8:
    case 10:
      // RSA keys take long to make; what is tested is not the key.
      return sharedRsa ??= makeRsaPair(2_048);
  }
  const octets = crypto.getRandomValues(new Uint8Array(64));
  return { publicOctets: octets, signs: () => () => octets };
}

function makeCurvePair(namedCurve: string, hash: string): KeyPair {
  const { publicKey, privateKey } = generateKeyPairSync("ec", { namedCurve });
  const { x, y } = publicKey.export({ format: "jwk" });
  return {
    publicOctets: Buffer.from(Buffer.concat([
      Buffer.from(x!, "base64url"),
      Buffer.from(y!, "base64url"),
    ])),
    signs: () => (data) =>
      sign(hash, data, { key: privateKey, dsaEncoding: "ieee-p1363" }),
  };
}

function makeEdwardsPair(kind: "ed25519" | "ed448"): KeyPair {
  const pair: { publicKey: KeyObject; privateKey: KeyObject } =
    kind === "ed25519"
      ? generateKeyPairSync("ed25519")
      : generateKeyPairSync("ed448");
  const spki = pair.publicKey.export({ format: "der", type: "spki" });
  return {
    publicOctets: Uint8Array.from(
      spki.subarray(kind === "ed25519" ? -32 : -57),
    ),
    signs: () => (data) => sign(null, data, pair.privateKey),
  };
}

/** RFC 4034 appendix B. */
export function tagOf(data: Uint8Array): number {
  let sum = 0;
  data.forEach((octet, i) => sum += i % 2 === 0 ? octet * 256 : octet);
  return (sum + Math.floor(sum / 65_536)) % 65_536;
}

/** The record in the parent that vouches for a key. */
export function dsFor(
  zone: Name,
  key: SigningKey,
  digestType = 2,
): ResourceRecord {
  const hash = ["", "sha1", "sha256", "", "sha384"][digestType] || "md5";
  const digest = createHash(hash).update(nameOctets(zone)).update(key.data)
    .digest();
  const tag = tagOf(key.data);
  const head = Uint8Array.of(tag >> 8, tag & 255, key.algorithm, digestType);
  return {
    name: zone,
    type: TYPE.DS,
    ttl: 300,
    data: joinOctets([head, digest]),
  };
}

/** All records of the zone, signed. */
export function signZone(plan: ZonePlan): ResourceRecord[] {
  const { name: apex, keys } = plan;
  const dnskeys = keys.map(({ data }) => ({
    name: apex,
    type: TYPE.DNSKEY,
    ttl: 300,
    data,
  }));
  const plain = [...plan.records, ...dnskeys];
  const cuts = [
    ...new Set(
      plain.filter(({ name, type }) => type === TYPE.NS && name !== apex)
        .map(({ name }) => name),
    ),
  ];
  const isGlue = ({ name, type }: ResourceRecord) =>
    cuts.some((cut) =>
      isBelow(name, cut) ||
      (name === cut && type !== TYPE.DS && type !== TYPE.NS)
    );
  const owned = plain.filter((record) => !isGlue(record));
  const denials = plan.nsec3 === undefined
    ? nsecChain(apex, owned)
    : nsec3Chain(apex, { owned, cuts, choice: plan.nsec3 });
  const all = [...owned, ...denials];
  const signatures: ResourceRecord[] = [];
  const done = new Set<string>();
  for (const { name, type } of all) {
    const id = `${name} ${type}`;
    if (done.has(id) || (type === TYPE.NS && name !== apex)) continue;
    done.add(id);
    const records = all.filter((one) => one.name === name && one.type === type);
    for (const key of plan.signers?.(type) ?? keys) {
      const fields: SignatureFields = {
        owner: name,
        covered: type,
        labels: labelCount(name) - (labelsOf(name)[0] === "*" ? 1 : 0),
        originalTtl: records[0]!.ttl,
        inceptionS: plan.nowS - DAY_S,
        expirationS: plan.nowS + 14 * DAY_S,
        signer: apex,
        key,
      };
      const tweaked = plan.tweak === undefined ? fields : plan.tweak(fields);
      if (tweaked !== undefined) signatures.push(signatureOf(records, tweaked));
    }
  }
  return [...plain, ...denials, ...signatures];
}

/** An RRSIG over records with just these fields. */
export function signatureOf(
  records: readonly ResourceRecord[],
  fields: SignatureFields,
): ResourceRecord {
  const { owner, covered, labels, originalTtl, key } = fields;
  const numbers = new DataView(new ArrayBuffer(18));
  numbers.setUint16(0, covered);
  numbers.setUint8(2, key.algorithm);
  numbers.setUint8(3, labels);
  numbers.setUint32(4, originalTtl);
  numbers.setUint32(8, fields.expirationS);
  numbers.setUint32(12, fields.inceptionS);
  numbers.setUint16(16, tagOf(key.data));
  const head = joinOctets([
    new Uint8Array(numbers.buffer),
    nameOctets(fields.signer),
  ]);
  const all = labelsOf(owner);
  const star = all.length > labels && all[0] !== "*"
    ? ["*", ...all.slice(all.length - labels)].join(".")
    : owner;
  const sorted = records.map(({ data }) => data)
    .sort((a, b) => Buffer.compare(a, b));
  const pieces = [head];
  for (const data of sorted) {
    const fixed = new DataView(new ArrayBuffer(10));
    fixed.setUint16(0, covered);
    fixed.setUint16(2, 1);
    fixed.setUint32(4, originalTtl);
    fixed.setUint16(8, data.length);
    pieces.push(nameOctets(star), new Uint8Array(fixed.buffer), data);
  }
  return {
    name: owner,
    type: TYPE.RRSIG,
    ttl: originalTtl,
    data: joinOctets([head, key.sign(joinOctets(pieces))]),
  };
}

function nsecChain(
  apex: Name,
  owned: readonly ResourceRecord[],
): ResourceRecord[] {
  const names = [...new Set(owned.map(({ name }) => name))].sort(compareNames);
  return names.map((name, i) => ({
    name,
    type: TYPE.NSEC,
    ttl: 60,
    data: joinOctets([
      nameOctets(names[i + 1] ?? apex),
      bitmap([...typesAt(owned, name), TYPE.NSEC, TYPE.RRSIG]),
    ]),
  }));
}

function nsec3Chain(
  apex: Name,
  { owned, cuts, choice }: {
    owned: readonly ResourceRecord[];
    cuts: readonly Name[];
    choice: Nsec3Choice;
  },
): ResourceRecord[] {
  const parameters = (flags: number) =>
    Uint8Array.of(
      1,
      flags,
      choice.iterations >> 8,
      choice.iterations & 255,
      choice.salt.length / 2,
      ...Uint8Array.fromHex(choice.salt),
    );
  const param: ResourceRecord = {
    name: apex,
    type: TYPE.NSEC3PARAM,
    ttl: 0,
    data: parameters(0),
  };
  const all = [...owned, param];
  const isLeftOut = (name: Name) =>
    choice.isOptOut && cuts.includes(name) &&
    !all.some((one) => one.name === name && one.type === TYPE.DS);
  const names = new Set<Name>();
  for (const { name } of all) {
    let above: Name | undefined = isLeftOut(name) ? parentOf(name) : name;
    while (above !== undefined && isWithin(above, apex)) {
      names.add(above);
      above = parentOf(above);
    }
  }
  const hashed = [...names].map((name) => ({
    name,
    hash: hashOf(name, choice),
  })).sort((a, b) => Buffer.compare(a.hash, b.hash));
  const chain = hashed.map(({ name, hash }, i) => {
    const types = typesAt(all, name);
    const isUnsigned = cuts.includes(name) && !types.includes(TYPE.DS);
    const listed = types.length === 0 || isUnsigned
      ? types
      : [...types, TYPE.RRSIG];
    return {
      name: apex === "" ? base32(hash) : `${base32(hash)}.${apex}`,
      type: TYPE.NSEC3,
      ttl: 60,
      data: joinOctets([
        parameters(choice.isOptOut ? 1 : 0),
        Uint8Array.of(20),
        hashed[(i + 1) % hashed.length]!.hash,
        bitmap(listed),
      ]),
    };
  });
  return [param, ...chain];
}

function hashOf(name: Name, { salt, iterations }: Nsec3Choice): Uint8Array {
  let hash: Uint8Array = nameOctets(name);
  for (let i = 0; i <= iterations; i++) {
    hash = createHash("sha1").update(hash).update(Buffer.from(salt, "hex"))
      .digest();
  }
  return hash;
}

function base32(octets: Uint8Array): string {
  const bits = [...octets].map((one) => one.toString(2).padStart(8, "0"))
    .join("");
  return (bits.match(/.{5}/g) ?? []).map((five) =>
    parseInt(five, 2).toString(32)
  )
    .join("");
}

function typesAt(records: readonly ResourceRecord[], name: Name): number[] {
  return [
    ...new Set(
      records.filter((one) => one.name === name).map(({ type }) => type),
    ),
  ];
}

/** RFC 4034 §4.1.2; only the first window, in which all types here are. */
export function bitmap(types: readonly number[]): Uint8Array {
  if (types.length === 0) return new Uint8Array(0);
  const octets = new Uint8Array(Math.floor(Math.max(...types) / 8) + 1);
  for (const type of types) octets[type >> 3]! |= 0x80 >> (type & 7);
  return Uint8Array.of(0, octets.length, ...octets);
}

/** The text of a zone file, in the notation for types nobody knows. */
export function zoneText(records: readonly ResourceRecord[]): string {
  return records.map(({ name, ttl, type, data }) =>
    `${name}. ${ttl} IN TYPE${type} \\# ${data.length} ${data.toHex()}\n`
  ).join("");
}
