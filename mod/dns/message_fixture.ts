/** Messages for tests, written as zone files write records. */
import { ipv6Octets } from "../core/ipv6.ts";
import { joinOctets } from "../core/octets.ts";
import { nameOctets, parseName } from "./labels.ts";
import { type Message, type ResourceRecord, TYPE } from "./message.ts";
import { parseDs } from "./rdata.ts";

/**
 * A record such as `a.example. 60 MX 10 mx.example.`; of other types than
 * those of `rdata.ts` as `\# LENGTH HEX`.
 */
export function record(line: string): ResourceRecord {
  const [owner = "", ttl = "", kind = "", ...words] = line.split(" ");
  const number = (TYPE as Record<string, number>)[kind] ??
    Number(kind.replace("TYPE", ""));
  const name = parseName(owner);
  if (name === undefined || !Number.isInteger(number)) {
    throw new TypeError(`Cannot read record ${line}`);
  }
  return { name, type: number, ttl: Number(ttl), data: dataOf(number, words) };
}

function dataOf(type: number, words: readonly string[]): Uint8Array {
  if (words[0] === "\\#") return Uint8Array.fromHex(words.slice(2).join(""));
  const name = (word: string) => nameOctets(parseName(word) ?? "");
  const u16 = (word: string) => Uint8Array.of(+word >> 8, +word & 255);
  switch (type) {
    case TYPE.A:
      return Uint8Array.from(words[0]!.split(".").map(Number));
    case TYPE.AAAA:
      return ipv6Octets(words[0]!);
    case TYPE.MX:
      return joinOctets([u16(words[0]!), name(words[1]!)]);
    case TYPE.TXT:
      return joinOctets(
        words.map((word) => {
          const octets = new TextEncoder().encode(word.replaceAll('"', ""));
          return Uint8Array.of(octets.length, ...octets);
        }),
      );
    case TYPE.TLSA:
      return Uint8Array.of(
        ...words.slice(0, 3).map(Number),
        ...Uint8Array.fromHex(words.slice(3).join("")),
      );
    case TYPE.SOA: {
      const numbers = Uint32Array.from(words.slice(2).map(Number));
      const tail = new Uint8Array(20);
      numbers.forEach((value, i) =>
        new DataView(tail.buffer).setUint32(4 * i, value)
      );
      return joinOctets([name(words[0]!), name(words[1]!), tail]);
    }
    case TYPE.DS:
      return parseDs(words.join(" "))!;
    case TYPE.DNSKEY:
      return joinOctets([
        u16(words[0]!),
        Uint8Array.of(+words[1]!, +words[2]!),
        Uint8Array.fromBase64(words.slice(3).join("")),
      ]);
    default:
      return name(words[0]!);
  }
}

/** A response; what is not given is empty, NOERROR and without EDNS. */
export function response(
  parts: Partial<Omit<Message, "answer" | "authority" | "additional">> & {
    answer?: readonly string[];
    authority?: readonly string[];
    additional?: readonly string[];
  },
): Message {
  return {
    id: 0,
    isResponse: true,
    isAuthoritative: false,
    isTruncated: false,
    recursionDesired: false,
    recursionAvailable: false,
    authenticData: false,
    checkingDisabled: false,
    rcode: 0,
    question: undefined,
    edns: undefined,
    ...parts,
    answer: (parts.answer ?? []).map(record),
    authority: (parts.authority ?? []).map(record),
    additional: (parts.additional ?? []).map(record),
  };
}
