/**
 * Octets -> {@link Message} and back, RFC 1035 §4 and RFC 6891. Whatever the
 * octets are, `decode` ends after at most as many steps as they are long
 * times a constant, and never throws.
 *
 * Not: sending compressed names, several questions, classes other than IN.
 */
import { readName, writeName } from "./labels.ts";
import type { Message, Question, ResourceRecord } from "./message.ts";
import { TYPE } from "./message.ts";
import { canonicalData } from "./rdata_layout.ts";

/** Records of a section; an answer with more is refused whole. */
export const MAX_RECORDS = 100;

/** Octets of a message: what the length before it over TCP can say. */
export const MAX_MESSAGE = 65_535;

/**
 * Why octets are no message.
 *
 * - `short`: end in the middle of something
 * - `not-a-query`: an operation other than QUERY, or several questions
 * - `name`: a name that is malformed, too long, or points forward
 * - `data`: data that a record of its type cannot have
 * - `edns`: OPT twice or in a wrong place
 * - `too-many-records`: more than {@link MAX_RECORDS} in a section
 */
export type Fault =
  | "short"
  | "not-a-query"
  | "name"
  | "data"
  | "edns"
  | "too-many-records";

/** What octets are. */
export type Decoded =
  | { readonly kind: "message"; readonly message: Message }
  | { readonly kind: "refused"; readonly fault: Fault };

const HEADER = 12;
const IN = 1;
/** A TTL is 31 bits; with the highest set it means 0 (RFC 2181 §8). */
const MAX_TTL = 0x7fff_ffff;

/** How a question is put. */
export interface AskingStyle {
  readonly id: number;
  /** RD: for servers that do the work of asking others. */
  readonly recursionDesired: boolean;
  /** CD, RFC 4035 §3.2.2: what does not validate there is wanted, too. */
  readonly checkingDisabled: boolean;
  /** Undefined asks without EDNS. */
  readonly edns: Message["edns"];
}

/** The message that asks a question. */
export function query(question: Question, style: AskingStyle): Message {
  return {
    id: style.id,
    isResponse: false,
    isAuthoritative: false,
    isTruncated: false,
    recursionDesired: style.recursionDesired,
    recursionAvailable: false,
    authenticData: false,
    checkingDisabled: style.checkingDisabled,
    rcode: 0,
    question,
    answer: [],
    authority: [],
    additional: [],
    edns: style.edns,
  };
}

/**
 * Writes a message without compression.
 *
 * @throws {RangeError} If it is over 65,535 octets or a name is none: a caller
 * bug
 */
export function encode(message: Message): Uint8Array<ArrayBuffer> {
  const { question, answer, authority, additional, edns } = message;
  const bytes = new Uint8Array(lengthBound(message));
  const view = new DataView(bytes.buffer);
  view.setUint16(0, message.id);
  view.setUint16(2, flagsOf(message));
  view.setUint16(4, question === undefined ? 0 : 1);
  view.setUint16(6, answer.length);
  view.setUint16(8, authority.length);
  view.setUint16(10, additional.length + (edns === undefined ? 0 : 1));
  let at = HEADER;
  if (question !== undefined) {
    at = writeName(question.name, bytes, at);
    view.setUint16(at, question.type);
    view.setUint16(at + 2, IN);
    at += 4;
  }
  for (const section of [answer, authority, additional]) {
    for (const record of section) {
      at = writeName(record.name, bytes, at);
      view.setUint16(at, record.type);
      view.setUint16(at + 2, IN);
      view.setUint32(at + 4, record.ttl);
      view.setUint16(at + 8, record.data.length);
      bytes.set(record.data, at + 10);
      at += 10 + record.data.length;
    }
  }
  if (edns !== undefined) {
    view.setUint16(at + 1, TYPE.OPT);
    view.setUint16(at + 3, edns.size);
    view.setUint8(at + 5, message.rcode >> 4);
    view.setUint16(at + 7, edns.dnssecOk ? 0x8000 : 0);
    at += 11;
  }
  if (at > MAX_MESSAGE) {
    throw new RangeError(`Cannot encode message of ${at} octets`);
  }
  return bytes.slice(0, at);
}

function lengthBound(message: Message): number {
  // An escaped octet is four characters, so this is never too little.
  let octets = HEADER + (message.question?.name.length ?? 0) + 6 + 11;
  for (
    const record of [
      ...message.answer,
      ...message.authority,
      ...message.additional,
    ]
  ) {
    octets += record.name.length + 12 + record.data.length;
  }
  return octets;
}

function flagsOf(message: Message): number {
  return (message.isResponse ? 0x8000 : 0) |
    (message.isAuthoritative ? 0x0400 : 0) |
    (message.isTruncated ? 0x0200 : 0) |
    (message.recursionDesired ? 0x0100 : 0) |
    (message.recursionAvailable ? 0x0080 : 0) |
    (message.authenticData ? 0x0020 : 0) |
    (message.checkingDisabled ? 0x0010 : 0) |
    (message.rcode & 15);
}

/**
 * Reads a message. Of a truncated one only header and question are read: what
 * it has of records is not to be used (RFC 2181 §9). Records of classes other
 * than IN are left out, octets behind the message are not looked at.
 */
export function decode(bytes: Uint8Array): Decoded {
  if (bytes.length < HEADER) return refused("short");
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const flags = view.getUint16(2);
  const questions = view.getUint16(4);
  if ((flags & 0x7800) !== 0 || questions > 1) return refused("not-a-query");
  let at = HEADER;
  let question: Question | undefined;
  if (questions === 1) {
    const read = readName(bytes, at);
    if (read === undefined) return refused("name");
    at = read.end;
    if (at + 4 > bytes.length) return refused("short");
    if (view.getUint16(at + 2) !== IN) return refused("not-a-query");
    question = { name: read.name, type: view.getUint16(at) };
    at += 4;
  }
  const isTruncated = (flags & 0x0200) !== 0;
  const reading: Reading = { bytes, view, at, opt: undefined };
  const sections: ResourceRecord[][] = [[], [], []];
  if (!isTruncated) {
    for (let n = 0; n < 3; n++) {
      const count = view.getUint16(6 + 2 * n);
      // The additional section may have one more: OPT.
      if (count > MAX_RECORDS + (n === 2 ? 1 : 0)) {
        return refused("too-many-records");
      }
      const fault = readSection(reading, {
        count,
        into: sections[n]!,
        isAdditional: n === 2,
      });
      if (fault !== undefined) return refused(fault);
    }
  }
  const { opt } = reading;
  return {
    kind: "message",
    message: {
      id: view.getUint16(0),
      isResponse: (flags & 0x8000) !== 0,
      isAuthoritative: (flags & 0x0400) !== 0,
      isTruncated,
      recursionDesired: (flags & 0x0100) !== 0,
      recursionAvailable: (flags & 0x0080) !== 0,
      authenticData: (flags & 0x0020) !== 0,
      checkingDisabled: (flags & 0x0010) !== 0,
      rcode: (flags & 15) | ((opt?.rcode ?? 0) << 4),
      question,
      answer: sections[0]!,
      authority: sections[1]!,
      additional: sections[2]!,
      edns: opt && { size: opt.size, dnssecOk: opt.dnssecOk },
    },
  };
}

interface Reading {
  readonly bytes: Uint8Array;
  readonly view: DataView;
  at: number;
  opt: { size: number; dnssecOk: boolean; rcode: number } | undefined;
}

function readSection(
  reading: Reading,
  { count, into, isAdditional }: {
    count: number;
    into: ResourceRecord[];
    isAdditional: boolean;
  },
): Fault | undefined {
  const { bytes, view } = reading;
  for (let n = 0; n < count; n++) {
    const owner = readName(bytes, reading.at);
    if (owner === undefined) return "name";
    const at = owner.end;
    if (at + 10 > bytes.length) return "short";
    const type = view.getUint16(at);
    const kind = view.getUint16(at + 2);
    const ttl = view.getUint32(at + 4);
    const length = view.getUint16(at + 8);
    reading.at = at + 10 + length;
    if (reading.at > bytes.length) return "short";
    if (type === TYPE.OPT) {
      if (!isAdditional || reading.opt !== undefined || owner.name !== "") {
        return "edns";
      }
      reading.opt = {
        size: kind,
        dnssecOk: (ttl & 0x8000) !== 0,
        rcode: ttl >>> 24,
      };
      continue;
    }
    if (kind !== IN) continue;
    const data = canonicalData(bytes, { type, at: at + 10, length });
    if (data === undefined) return "data";
    const { name } = owner;
    into.push({ name, type, ttl: ttl > MAX_TTL ? 0 : ttl, data });
  }
  return undefined;
}

function refused(fault: Fault): Decoded {
  return { kind: "refused", fault };
}
