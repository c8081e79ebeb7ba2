/**
 * Which messages count as an answer at all. A failure never does. A "no"
 * without the zone's SOA (RFC 2308 §2) is a referral, half an answer, or a
 * lie: others are asked, and if they know no better it is worth what the
 * validator makes of it, and nothing where nothing is signed. Of a chain of aliases, NXDOMAIN speaks of the last name
 * (RFC 6604), so with an alias it is no "no".
 */
import { isWithin } from "./labels.ts";
import {
  type Message,
  type Question,
  RCODE,
  type ResourceRecord,
  TYPE,
} from "./message.ts";
import { readSoa } from "./rdata.ts";

/** How long an answer may be kept, in seconds. */
export interface TtlBounds {
  readonly min: number;
  readonly max: number;
  readonly maxNegative: number;
}

/** What is wrong with a message as an answer. */
export interface Fault {
  /** In words. */
  readonly why: string;
  /** True if a validator may still want to see it. */
  readonly isBareNo: boolean;
}

/** What is wrong with a message as an answer, or undefined if nothing is. */
export function faultOf(
  question: Question,
  message: Message,
): Fault | undefined {
  const { rcode } = message;
  const { name, type } = message.question ?? question;
  if (name !== question.name || type !== question.type) {
    return { why: "another question is answered", isBareNo: false };
  }
  if (rcode !== RCODE.NOERROR && rcode !== RCODE.NXDOMAIN) {
    return { why: rcodeText(rcode), isBareNo: false };
  }
  if (speaksOf(message, question)) return undefined;
  return soaOf(message, question) === undefined
    ? { why: "neither records nor a SOA", isBareNo: true }
    : undefined;
}

/** True if there are records of the asked type, or an alias, at that name. */
export function speaksOf(
  { answer }: Message,
  { name, type }: Question,
): boolean {
  return answer.some((record) =>
    record.name === name &&
    (record.type === type || record.type === TYPE.CNAME)
  );
}

/** The SOA of a zone that the name may lie in. */
export function soaOf(
  { authority }: Message,
  { name }: Question,
): ResourceRecord | undefined {
  return authority.find((record) =>
    record.type === TYPE.SOA && isWithin(name, record.name)
  );
}

/** Seconds for which a message that {@link faultOf} finds good may be kept. */
export function keepSeconds(
  question: Question,
  message: Message,
  bounds: TtlBounds,
): number {
  if (speaksOf(message, question)) {
    let ttl = bounds.max;
    for (const record of message.answer) ttl = Math.min(ttl, record.ttl);
    return Math.max(bounds.min, ttl);
  }
  const soa = soaOf(message, question);
  const minimum = soa && readSoa(soa.data)?.minimum;
  // RFC 2308 §5: the lesser of the SOA's own TTL and its last number.
  return Math.max(
    bounds.min,
    Math.min(bounds.maxNegative, soa?.ttl ?? 0, minimum ?? 0),
  );
}

const FREE: TtlBounds = { min: 0, max: 2 ** 31, maxNegative: 2 ** 31 };

/** Unix seconds until which a message's own TTLs let it be kept. */
export function lastsUntilS(question: Question, message: Message): number {
  return Date.now() / 1_000 + keepSeconds(question, message, FREE);
}

/** A message as it is after some seconds in a cache. */
export function aged(message: Message, seconds: number): Message {
  if (seconds < 1) return message;
  const older = (record: ResourceRecord): ResourceRecord => ({
    ...record,
    ttl: Math.max(0, record.ttl - seconds),
  });
  return {
    ...message,
    answer: message.answer.map(older),
    authority: message.authority.map(older),
    additional: message.additional.map(older),
  };
}

const RCODE_NAMES: ReadonlyMap<number, string> = new Map(
  Object.entries(RCODE).map(([name, number]) => [number, name]),
);

/** Such as `SERVFAIL`. */
export function rcodeText(rcode: number): string {
  return RCODE_NAMES.get(rcode) ?? `RCODE${rcode}`;
}
