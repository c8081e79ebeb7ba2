import assert from "node:assert/strict";
import { decode, encode, MAX_RECORDS, query } from "./codec.ts";
import { type Message, TYPE } from "./message.ts";
import { record, response } from "./message_fixture.ts";
import { recordText } from "./rdata.ts";

const QUESTION = { name: "d.example", type: TYPE.MX };

function read(bytes: Uint8Array): Message {
  const decoded = decode(bytes);
  assert.ok(decoded.kind === "message", JSON.stringify(decoded));
  return decoded.message;
}

const TEXTS = [
  "d.example. 60 IN A 192.0.2.1",
  "d.example. 60 IN AAAA 2001:db8::1",
  "d.example. 60 IN AAAA ::",
  "d.example. 60 IN AAAA 1:0:0:2::3",
  "d.example. 60 IN NS ns.d.example.",
  "d.example. 60 IN CNAME other.example.",
  "d.example. 60 IN DNAME other.example.",
  "d.example. 60 IN MX 10 mx.example.",
  "d.example. 60 IN MX 0 .",
  'd.example. 60 IN TXT "v=spf1" "-all"',
  "_25._tcp.d.example. 60 IN TLSA 3 1 1 00ff",
  ". 60 IN SOA a. b. 1 2 3 4 5",
  "d.example. 60 IN DS 20326 8 2 e06d",
  "d.example. 60 IN DNSKEY 257 3 8 AwEA",
  "d.example. 60 IN TYPE65280 \\# 3 000102",
  "*.a\\046b\\000.example. 60 IN A 192.0.2.1",
];

for (const text of TEXTS) {
  Deno.test(`encode() and decode() give back ${text}`, () => {
    const sent = response({
      question: QUESTION,
      answer: [text.replace(" IN", "")],
    });
    const got = read(encode(sent));
    assert.deepEqual(got, sent);
    assert.equal(recordText(got.answer[0]!), text);
  });
}

Deno.test("encode() and decode() give back every flag, rcode and OPT", () => {
  const base = response({ question: QUESTION, id: 0xfffe });
  const all: Message[] = [
    base,
    { ...base, isAuthoritative: true },
    { ...base, isTruncated: true },
    { ...base, recursionDesired: true, checkingDisabled: true },
    { ...base, recursionAvailable: true, authenticData: true, rcode: 3 },
    { ...base, edns: { size: 1_232, dnssecOk: true }, rcode: 16 },
    { ...base, edns: { size: 512, dnssecOk: false } },
    { ...base, question: undefined, rcode: 1 },
    query(QUESTION, {
      id: 7,
      recursionDesired: true,
      checkingDisabled: true,
      edns: { size: 1_232, dnssecOk: true },
    }),
  ];
  for (const message of all) assert.deepEqual(read(encode(message)), message);
});

/** A response to {@link QUESTION} with these octets behind the question. */
function raw(
  counts: readonly [number, number, number],
  ...octets: (number | string)[]
): Uint8Array {
  const head = encode(response({ question: QUESTION }));
  counts.forEach((count, i) =>
    new DataView(head.buffer).setUint16(6 + 2 * i, count)
  );
  const flat = octets.flatMap((one) =>
    typeof one === "number" ? [one] : [one.length, ...Buffer.from(one)]
  );
  return Uint8Array.from([...head, ...flat]);
}
const OWNER = [0xc0, 12]; // the question's name
const END = 12 + 11 + 4; // of the question

Deno.test("decode() uncompresses names in data, and lowers their case", () => {
  const mx = read(
    raw(
      [1, 0, 0],
      ...OWNER,
      0,
      15,
      0,
      1,
      0,
      0,
      0,
      9,
      0,
      7,
      0,
      1,
      "Mx",
      ...OWNER,
    ),
  );
  assert.deepEqual(mx.answer, [record("d.example. 9 MX 1 mx.d.example.")]);
  const nsec = read(
    raw([1, 0, 0], ...OWNER, 0, 47, 0, 1, 0, 0, 0, 9, 0, 6, "B", 0, 0, 1, 64),
  );
  assert.deepEqual(
    nsec.answer[0]!.data,
    Uint8Array.of(1, 0x42, 0, 0, 1, 64),
    "NSEC keeps its case (RFC 6840 §5.1)",
  );
});

Deno.test("decode() takes a TTL with the highest bit as 0, and drops other classes", () => {
  const got = read(
    raw(
      [2, 0, 0],
      ...[...OWNER, 0, 1, 0, 1, 128, 0, 0, 9, 0, 4, 1, 2, 3, 4],
      ...[...OWNER, 0, 1, 0, 3, 0, 0, 0, 9, 0, 4, 1, 2, 3, 4],
    ),
  );
  assert.deepEqual(got.answer, [record("d.example. 0 A 1.2.3.4")]);
});

const A = [0, 1, 0, 1, 0, 0, 0, 9, 0, 4, 1, 2, 3, 4];
const OPT = [0, 0, 41, 4, 208, 0, 0, 0, 0, 0, 0];
const REFUSED: { name: string; bytes: Uint8Array; want: string }[] = [
  { name: "nothing", bytes: new Uint8Array(0), want: "short" },
  { name: "half a header", bytes: new Uint8Array(11), want: "short" },
  {
    name: "another operation",
    bytes: Uint8Array.of(0, 0, 0xa8, 0, 0, 0, 0, 0, 0, 0, 0, 0),
    want: "not-a-query",
  },
  {
    name: "two questions",
    bytes: Uint8Array.of(0, 0, 0x80, 0, 0, 2, 0, 0, 0, 0, 0, 0),
    want: "not-a-query",
  },
  {
    name: "a question of another class",
    bytes: Uint8Array.of(0, 0, 0x80, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 3),
    want: "not-a-query",
  },
  {
    name: "more records than said",
    bytes: raw([2, 0, 0], ...OWNER, ...A),
    want: "name",
  },
  {
    name: "a record cut in its fixed part",
    bytes: raw([1, 0, 0], ...OWNER, ...A.slice(0, 9)),
    want: "short",
  },
  {
    name: "a record cut in its data",
    bytes: raw([1, 0, 0], ...OWNER, ...A.slice(0, 13)),
    want: "short",
  },
  {
    name: "a pointer to itself",
    bytes: raw([1, 0, 0], 0xc0, END, ...A),
    want: "name",
  },
  {
    name: "a pointer forward",
    bytes: raw([1, 0, 0], 0xc0, END + 2, ...A),
    want: "name",
  },
  {
    name: "a pointer to the labels that it ends",
    bytes: raw([1, 0, 0], "a", 0xc0, END, ...A),
    want: "name",
  },
  {
    name: "half a pointer",
    bytes: raw([1, 0, 0], 0xc0),
    want: "name",
  },
  {
    name: "a label of 64 octets",
    bytes: raw([1, 0, 0], "x".repeat(64), 0, ...A),
    want: "name",
  },
  {
    name: "a name of 256 octets",
    bytes: raw(
      [1, 0, 0],
      ...["x".repeat(63), "x".repeat(63), "x".repeat(63), "x".repeat(62)],
      0,
      ...A,
    ),
    want: "name",
  },
  {
    name: "an address of three octets",
    bytes: raw([1, 0, 0], ...OWNER, ...A.slice(0, 9), 3, 1, 2, 3),
    want: "data",
  },
  {
    name: "an MX whose name ends early",
    bytes: raw(
      [1, 0, 0],
      ...OWNER,
      0,
      15,
      0,
      1,
      0,
      0,
      0,
      9,
      0,
      5,
      0,
      1,
      0,
      0,
      0,
    ),
    want: "data",
  },
  {
    name: "an MX whose name goes on behind it",
    bytes: raw(
      [1, 0, 0],
      ...OWNER,
      0,
      15,
      0,
      1,
      0,
      0,
      0,
      9,
      0,
      3,
      0,
      1,
      "a",
      0,
    ),
    want: "data",
  },
  {
    name: "an NSEC with a compressed name",
    bytes: raw([1, 0, 0], ...OWNER, 0, 47, 0, 1, 0, 0, 0, 9, 0, 2, ...OWNER),
    want: "data",
  },
  {
    name: "OPT in the answer",
    bytes: raw([1, 0, 0], ...OPT),
    want: "edns",
  },
  {
    name: "OPT twice",
    bytes: raw([0, 0, 2], ...OPT, ...OPT),
    want: "edns",
  },
  {
    name: "101 records",
    bytes: raw(
      [MAX_RECORDS + 1, 0, 0],
      ...Array.from({ length: MAX_RECORDS + 1 }, () => [...OWNER, ...A]).flat(),
    ),
    want: "too-many-records",
  },
  {
    name: "65,535 records that are not there",
    bytes: raw([0, 65_535, 0]),
    want: "too-many-records",
  },
];

for (const { name, bytes, want } of REFUSED) {
  Deno.test(`decode() refuses ${name} as ${want}`, () => {
    assert.deepEqual(decode(bytes), { kind: "refused", fault: want });
  });
}

Deno.test("decode() takes 100 records in each section, and OPT beside them", () => {
  const many = Array.from({ length: 100 }, (_, i) => `h${i}. 1 A 192.0.2.1`);
  const sent = response({
    question: QUESTION,
    answer: many,
    authority: many,
    additional: many,
    edns: { size: 1_232, dnssecOk: true },
  });
  assert.deepEqual(read(encode(sent)), sent);
});

Deno.test("decode() reads a truncated message's head, whatever follows", () => {
  const sent = encode(
    response({
      question: QUESTION,
      isTruncated: true,
      answer: [TEXTS[0]!.replace(" IN", "")],
    }),
  );
  const got = read(sent.subarray(0, sent.length - 3));
  assert.ok(got.isTruncated && got.question !== undefined);
  assert.deepEqual(got.answer, []);
});

Deno.test("decode() does little for a message of pointers to pointers", () => {
  const bytes = new Uint8Array(65_535);
  const view = new DataView(bytes.buffer);
  view.setUint16(2, 0x8000);
  [100, 100, 101].forEach((count, i) => view.setUint16(6 + 2 * i, count));
  for (let at = 14; at < 16_000; at += 2) view.setUint16(at, 0xc000 + at - 2);
  const before = performance.now();
  for (let times = 0; times < 1_000; times++) {
    assert.equal(decode(bytes).kind, "refused");
  }
  assert.ok(performance.now() - before < 1_000);
});

Deno.test("decode() survives every change of one octet, and every cut", () => {
  const whole = encode(response({
    question: QUESTION,
    answer: TEXTS.map((text) => text.replace(" IN", "")),
    edns: { size: 1_232, dnssecOk: true },
  }));
  for (let at = 0; at < whole.length; at++) {
    decode(whole.subarray(0, at));
    for (const octet of [0, 1, 12, 0x3f, 0x40, 0xc0, 0xff]) {
      const bent = whole.slice();
      bent[at] = octet;
      const decoded = decode(bent);
      // What was read can be written and shown.
      if (decoded.kind === "message") {
        encode(decoded.message);
        decoded.message.answer.forEach(recordText);
      }
    }
  }
});

Deno.test("decode() survives random octets", () => {
  const bytes = new Uint8Array(600);
  for (let times = 0; times < 20_000; times++) {
    crypto.getRandomValues(bytes);
    bytes[2] = 0x80;
    bytes.set([0, times & 1, 0, 3, 0, 3, 0, 3], 4);
    // Half of them with short names and known types, to get further.
    if (times & 2) {
      for (let i = 12; i < 600; i++) bytes[i]! &= times & 4 ? 0x0f : 0x3f;
    }
    const decoded = decode(bytes);
    if (decoded.kind === "message") encode(decoded.message);
  }
});
