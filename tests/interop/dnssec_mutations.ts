/** Answers changed at random: what a liar on the way could make of them. */
import { decode, encode } from "../../mod/dns/codec.ts";
import {
  type Message,
  type ResourceRecord,
  TYPE,
} from "../../mod/dns/message.ts";

/** Uniform in [0, 1). */
export type Random = () => number;

/** The same numbers for the same seed (mulberry32). */
export function seeded(seed: number): Random {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** One of several. */
export function pick<T>(random: Random, from: readonly T[]): T {
  return from[Math.floor(random() * from.length)]!;
}

type Mutation = (
  message: Message,
  random: Random,
  others: readonly Message[],
) => Message;

const SECTIONS = ["answer", "authority"] as const;
const TYPES = Object.values(TYPE);

/** Changes one section's records. */
function inSection(
  change: (
    records: readonly ResourceRecord[],
    random: Random,
    other: Message,
  ) => readonly ResourceRecord[],
): Mutation {
  return (message, random, others) => {
    const filled = SECTIONS.filter((one) => message[one].length > 0);
    const section = pick(random, filled.length > 0 ? filled : SECTIONS);
    const other = pick(random, others);
    return { ...message, [section]: change(message[section], random, other) };
  };
}

/** Changes one record. */
function inRecord(
  change: (
    record: ResourceRecord,
    random: Random,
    other: Message,
  ) => ResourceRecord,
): Mutation {
  return inSection((records, random, other) => {
    if (records.length === 0) return records;
    const at = Math.floor(random() * records.length);
    return records.with(at, change(records[at]!, random, other));
  });
}

function allOf(message: Message): ResourceRecord[] {
  return [...message.answer, ...message.authority];
}

const MUTATIONS: readonly Mutation[] = [
  // A bit in some data.
  inRecord((record, random) => {
    if (record.data.length === 0) return record;
    const at = Math.floor(random() * record.data.length);
    const bit = 1 << Math.floor(random() * 8);
    return { ...record, data: record.data.with(at, record.data[at]! ^ bit) };
  }),
  // A record gone, twice, moved, or from elsewhere.
  inSection((records, random) =>
    records.toSpliced(Math.floor(random() * records.length), 1)
  ),
  inSection((records, random) =>
    records.length === 0 ? records : [...records, pick(random, records)]
  ),
  inSection((records, random) => [...records].sort(() => random() - 0.5)),
  inSection((records, random, other) => {
    const more = allOf(other);
    return more.length === 0 ? records : [...records, pick(random, more)];
  }),
  // All records of one name or type gone.
  inSection((records, random) => {
    if (records.length === 0) return records;
    const { name, type } = pick(random, records);
    return random() < 0.5
      ? records.filter((one) => one.type !== type)
      : records.filter((one) => one.name !== name);
  }),
  // Another name, type or TTL.
  inRecord((record, random, other) => {
    const names = [...allOf(other).map(({ name }) => name), ""];
    return { ...record, name: pick(random, names) };
  }),
  (message, random, others) => {
    const name = message.question?.name ?? "";
    return inRecord((record) => ({ ...record, name }))(message, random, others);
  },
  inRecord((record, random) => ({ ...record, type: pick(random, TYPES) })),
  inRecord((record, random) => ({
    ...record,
    ttl: Math.floor(random() * 2 ** 31),
  })),
  // Two signatures, or other data, exchanged.
  inSection((records, random) => {
    const signatures = records.filter(({ type }) => type === TYPE.RRSIG);
    if (signatures.length < 2) return records;
    const one = pick(random, signatures);
    const two = pick(random, signatures);
    return records.map((record) =>
      record === one
        ? { ...record, data: two.data }
        : record === two
        ? { ...record, data: one.data }
        : record
    );
  }),
  inRecord((record, random, other) => {
    const same = allOf(other).filter(({ type }) => type === record.type);
    return same.length === 0
      ? record
      : { ...record, data: pick(random, same).data };
  }),
  // Parts of another answer.
  (message, random, others) => ({
    ...message,
    answer: pick(random, others).answer,
  }),
  (message, random, others) => ({
    ...message,
    authority: pick(random, others).authority,
  }),
  (message, random, others) => ({
    ...message,
    answer: [],
    authority: pick(random, others).authority,
    rcode: pick(random, [0, 3]),
  }),
  (message, random, others) => ({
    ...message,
    authority: [...message.authority, ...pick(random, others).authority],
  }),
  (message, random, others) => {
    const other = pick(random, others);
    return { ...other, id: message.id, question: message.question };
  },
  // Another answer, its names made to be what was asked for.
  (message, random, others) => {
    const other = pick(random, others);
    const asked = other.question?.name;
    const name = message.question?.name ?? "";
    const answer = other.answer.map((record) =>
      record.name === asked ? { ...record, name } : record
    );
    return { ...message, answer, authority: other.authority };
  },
  (message, random) => ({
    ...message,
    rcode: pick(random, [0, 0, 3, 3, 2, 5]),
  }),
  (message) => ({ ...message, answer: message.authority }),
  (message) => ({ ...message, authenticData: true }),
  // Octets of the whole.
  (message, random) => {
    const octets = encode(message);
    for (let n = 1 + Math.floor(random() * 3); n > 0; n--) {
      const at = 12 + Math.floor(random() * (octets.length - 12));
      octets[at]! ^= 1 << Math.floor(random() * 8);
    }
    const read = decode(octets);
    return read.kind === "message"
      ? { ...read.message, question: message.question }
      : message;
  },
];

/** The message after one to four changes. */
export function mutated(
  message: Message,
  random: Random,
  others: readonly Message[],
): Message {
  let changed = message;
  for (let n = 1 + Math.floor(random() * 4); n > 0; n--) {
    changed = pick(random, MUTATIONS)(changed, random, others);
  }
  // What the codec would not let through is none of a validator's business.
  const bounded = { ...changed, additional: [] };
  const read = decode(encode(bounded));
  return read.kind === "message"
    ? { ...read.message, id: message.id }
    : message;
}
