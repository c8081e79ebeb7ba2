/**
 * What the data of the records means that this role acts on or shows. Each
 * reader takes what `codec.ts` has made canonical and gives undefined if it is
 * not what its type demands.
 */
import { readName } from "./labels.ts";
import type { Name, ResourceRecord } from "./message.ts";
import { TYPE } from "./message.ts";

/** An IPv4 or IPv6 (RFC 3596) address in text form. */
export function readAddress(data: Uint8Array): string | undefined {
  if (data.length === 4) return data.join(".");
  return data.length === 16 ? ipv6Text(data) : undefined;
}

/** RFC 5952 §4: lower case, no leading zeros, the longest gap as `::`. */
function ipv6Text(data: Uint8Array): string {
  const words: number[] = [];
  for (let i = 0; i < 16; i += 2) words.push((data[i]! << 8) | data[i + 1]!);
  let start = -1;
  let length = 1;
  for (let i = 0; i < 8; i++) {
    let zeros = 0;
    while (i + zeros < 8 && words[i + zeros] === 0) zeros++;
    if (zeros > length) {
      start = i;
      length = zeros;
    }
    i += zeros;
  }
  const hex = words.map((word) => word.toString(16));
  if (start === -1) return hex.join(":");
  return `${hex.slice(0, start).join(":")}::${
    hex.slice(start + length).join(":")
  }`;
}

/** The one name that CNAME, DNAME, NS and PTR hold. */
export function readTarget(data: Uint8Array): Name | undefined {
  const read = readName(data, 0);
  return read?.end === data.length ? read.name : undefined;
}

/** MX, RFC 1035 §3.3.9. */
export function readMx(
  data: Uint8Array,
): { preference: number; exchange: Name } | undefined {
  if (data.length < 3) return undefined;
  const exchange = readTarget(data.subarray(2));
  if (exchange === undefined) return undefined;
  return { preference: (data[0]! << 8) | data[1]!, exchange };
}

/** TXT's strings, RFC 1035 §3.3.14. */
export function readStrings(data: Uint8Array): Uint8Array[] | undefined {
  const strings: Uint8Array[] = [];
  for (let at = 0; at < data.length;) {
    const end = at + 1 + data[at]!;
    if (end > data.length) return undefined;
    strings.push(data.subarray(at + 1, end));
    at = end;
  }
  return strings;
}

/** TLSA, RFC 6698 §2.1; the data in lower-case hex. */
export function readTlsa(
  data: Uint8Array,
):
  | { usage: number; selector: number; matching: number; data: string }
  | undefined {
  if (data.length < 3) return undefined;
  const [usage, selector, matching] = data;
  return {
    usage: usage!,
    selector: selector!,
    matching: matching!,
    data: data.subarray(3).toHex(),
  };
}

/** SOA, RFC 1035 §3.3.13: of its numbers those that a cache needs. */
export function readSoa(
  data: Uint8Array,
): { serial: number; minimum: number } | undefined {
  const first = readName(data, 0);
  const second = first && readName(data, first.end);
  if (second === undefined || second.end + 20 !== data.length) return undefined;
  const view = new DataView(data.buffer, data.byteOffset + second.end, 20);
  return { serial: view.getUint32(0), minimum: view.getUint32(16) };
}

/** DS, RFC 4034 §5.1. */
export interface Ds {
  readonly tag: number;
  readonly algorithm: number;
  readonly digestType: number;
  readonly digest: Uint8Array;
}

/** See {@link Ds}. */
export function readDs(data: Uint8Array): Ds | undefined {
  if (data.length < 5) return undefined;
  return {
    tag: (data[0]! << 8) | data[1]!,
    algorithm: data[2]!,
    digestType: data[3]!,
    digest: data.subarray(4),
  };
}

/**
 * A DS as people write it, in a trust anchor: `20326 8 2 E06D...`, perhaps
 * with `. IN DS` before and gaps in the digest.
 *
 * @returns The data of the record, or undefined if it is none
 */
export function parseDs(text: string): Uint8Array | undefined {
  const words = text.trim().split(/[ \t]+/);
  const start = words.findIndex((word) => word.toUpperCase() === "DS") + 1;
  const [tag, algorithm, digestType] = words.slice(start, start + 3)
    .map((word) => /^[0-9]{1,5}$/.test(word) ? Number(word) : Infinity);
  const hex = words.slice(start + 3).join("");
  if (!(tag! <= 65_535 && algorithm! <= 255 && digestType! <= 255)) {
    return undefined;
  }
  if (!/^[0-9A-Fa-f]+$/.test(hex) || hex.length % 2 > 0 || hex.length > 512) {
    return undefined;
  }
  return Uint8Array.from([
    tag! >> 8,
    tag! & 255,
    algorithm!,
    digestType!,
    ...Uint8Array.fromHex(hex),
  ]);
}

/** DNSKEY, RFC 4034 §2.1. */
export interface Dnskey {
  readonly flags: number;
  readonly protocol: number;
  readonly algorithm: number;
  readonly key: Uint8Array;
}

/** See {@link Dnskey}. */
export function readDnskey(data: Uint8Array): Dnskey | undefined {
  if (data.length < 4) return undefined;
  return {
    flags: (data[0]! << 8) | data[1]!,
    protocol: data[2]!,
    algorithm: data[3]!,
    key: data.subarray(4),
  };
}

const TYPE_NAMES: ReadonlyMap<number, string> = new Map(
  Object.entries(TYPE).map(([name, number]) => [number, name]),
);

/** Such as `MX`, or `TYPE65` (RFC 3597 §5) of one that has no name here. */
export function typeText(type: number): string {
  return TYPE_NAMES.get(type) ?? `TYPE${type}`;
}

/** A record in presentation form, one line of printable ASCII. */
export function recordText(record: ResourceRecord): string {
  const { name, ttl, type } = record;
  return `${name}. ${ttl} IN ${typeText(type)} ${dataText(record)}`;
}

/** A record's data in presentation form. */
export function dataText({ type, data }: ResourceRecord): string {
  return knownText(type, data) ??
    `\\# ${data.length} ${data.toHex()}`.trimEnd(); // RFC 3597 §5
}

function knownText(type: number, data: Uint8Array): string | undefined {
  switch (type) {
    case TYPE.A:
    case TYPE.AAAA:
      return readAddress(data);
    case TYPE.NS:
    case TYPE.CNAME:
    case TYPE.DNAME:
    case TYPE.PTR: {
      const target = readTarget(data);
      return target === undefined ? undefined : `${target}.`;
    }
    case TYPE.MX: {
      const mx = readMx(data);
      return mx && `${mx.preference} ${mx.exchange}.`;
    }
    case TYPE.SRV:
      return srvText(data);
    case TYPE.TXT:
      return readStrings(data)?.map(quoted).join(" ");
    case TYPE.TLSA: {
      const tlsa = readTlsa(data);
      return tlsa &&
        `${tlsa.usage} ${tlsa.selector} ${tlsa.matching} ${tlsa.data}`;
    }
    case TYPE.SOA:
      return soaText(data);
    case TYPE.DS:
    case TYPE.CDS: {
      const ds = readDs(data);
      return ds &&
        `${ds.tag} ${ds.algorithm} ${ds.digestType} ${ds.digest.toHex()}`;
    }
    case TYPE.DNSKEY: {
      const key = readDnskey(data);
      return key &&
        `${key.flags} ${key.protocol} ${key.algorithm} ${key.key.toBase64()}`;
    }
    default:
      return undefined;
  }
}

/** RFC 2782: priority, weight, port, target. */
function srvText(data: Uint8Array): string | undefined {
  const target = data.length > 6 ? readName(data, 6) : undefined;
  if (target === undefined || target.end !== data.length) return undefined;
  const view = new DataView(data.buffer, data.byteOffset, 6);
  const numbers = [0, 2, 4].map((at) => view.getUint16(at));
  return `${numbers.join(" ")} ${target.name}.`;
}

function soaText(data: Uint8Array): string | undefined {
  const first = readName(data, 0);
  const second = first && readName(data, first.end);
  if (second === undefined || second.end + 20 !== data.length) return undefined;
  const view = new DataView(data.buffer, data.byteOffset + second.end, 20);
  const numbers = [0, 4, 8, 12, 16].map((at) => view.getUint32(at));
  return `${first!.name}. ${second.name}. ${numbers.join(" ")}`;
}

function quoted(octets: Uint8Array): string {
  let text = "";
  for (const octet of octets) {
    const char = String.fromCharCode(octet);
    if (char === '"' || char === "\\") text += `\\${char}`;
    else if (octet >= 0x20 && octet < 0x7f) text += char;
    else text += `\\${String(octet).padStart(3, "0")}`;
  }
  return `"${text}"`;
}
