import assert from "node:assert/strict";
import { QUEUE_ID_PATTERN } from "../core/ids.ts";
import {
  type DropEnvelope,
  kindOfName,
  MAX_ENVELOPE,
  newDropName,
  queueIdOf,
  readTail,
  TAIL,
  writeTrailer,
} from "./drop_file.ts";
import { readEnvelope } from "./envelope.ts";

const ENVELOPE: DropEnvelope = {
  sender: null,
  fullName: "Mé",
  recipients: ["me@home.test"],
  notify: ["failure"],
  ret: "hdrs",
  envid: "x",
  verp: "+=",
};

const NAMES: { name: string; want: ReturnType<typeof kindOfName> }[] = [
  { name: newDropName(0), want: "message" },
  { name: newDropName(2 ** 45 - 1), want: "message" },
  { name: `${newDropName(1)}.part`, want: "part" },
  { name: `${newDropName(1)}.part.part`, want: "junk" },
  { name: newDropName(1).toLowerCase(), want: "junk" },
  { name: `${newDropName(1)}\n`, want: "junk" },
  { name: ".part", want: "junk" },
  { name: "", want: "junk" },
];

for (const { name, want } of NAMES) {
  Deno.test(`kindOfName() says ${want} of ${JSON.stringify(name)}`, () => {
    assert.equal(kindOfName(name), want);
  });
}

Deno.test("newDropName() sorts by time, and never repeats itself", () => {
  assert.ok(newDropName(1_000) < newDropName(1_001));
  assert.notEqual(newDropName(1), newDropName(1));
});

Deno.test("queueIdOf() is one id for a file, and another's for another owner", () => {
  const name = newDropName(1);
  assert.match(queueIdOf(name, 1_000), QUEUE_ID_PATTERN);
  assert.equal(queueIdOf(name, 1_000), queueIdOf(name, 1_000));
  assert.notEqual(queueIdOf(name, 1_000), queueIdOf(name, 1_001));
});

Deno.test("readTail() and readEnvelope() read what writeTrailer() wrote", () => {
  const trailer = writeTrailer(ENVELOPE);
  const length = readTail(trailer.subarray(trailer.length - TAIL));
  assert.equal(length, trailer.length - TAIL);
  assert.deepEqual(readEnvelope(trailer.subarray(0, length)), ENVELOPE);
});

const TAILS: { name: string; text: string }[] = [
  { name: "is short", text: "bulkhead drop 1 0000001\n" },
  { name: "is of another version", text: "bulkhead drop 2 00000010\n" },
  { name: "has no line end", text: "bulkhead drop 1 00000010 " },
  { name: "has a sign", text: "bulkhead drop 1 -0000010\n" },
  { name: "has an exponent", text: "bulkhead drop 1 000001e7\n" },
  { name: "is of too long an envelope", text: "bulkhead drop 1 99999999\n" },
];

for (const { name, text } of TAILS) {
  Deno.test(`readTail() refuses a tail that ${name}`, () => {
    assert.equal(readTail(new TextEncoder().encode(text)), undefined);
  });
}

const BAD: { name: string; text: string }[] = [
  { name: "is no JSON", text: "{" },
  { name: "is no object", text: "[]" },
  { name: "is deep", text: "[".repeat(100_000) },
  {
    name: "lacks a field",
    text: JSON.stringify({ ...ENVELOPE, verp: undefined }),
  },
  { name: "has one more", text: JSON.stringify({ ...ENVELOPE, uid: 0 }) },
  {
    name: "has no recipient",
    text: JSON.stringify({ ...ENVELOPE, recipients: [] }),
  },
  {
    name: "has too many",
    text: JSON.stringify({
      ...ENVELOPE,
      recipients: Array(1_001).fill("me@home.test"),
    }),
  },
  {
    name: "has a line end in an address",
    text: JSON.stringify({ ...ENVELOPE, recipients: ["me@home.test\r\nx"] }),
  },
  {
    name: "has a control character in the sender",
    text: JSON.stringify({ ...ENVELOPE, sender: "a\0b@home.test" }),
  },
  {
    name: "has half a surrogate",
    text: JSON.stringify({ ...ENVELOPE, recipients: ["\ud800@home.test"] }),
  },
];

for (const { name, text } of BAD) {
  Deno.test(`readEnvelope() refuses an envelope that ${name}`, () => {
    assert.equal(readEnvelope(new TextEncoder().encode(text)), undefined);
  });
}

Deno.test("readEnvelope() refuses octets that are no UTF-8", () => {
  assert.equal(readEnvelope(new Uint8Array([0xff])), undefined);
});

Deno.test("writeTrailer() writes no envelope that pickup would not read", () => {
  const long = { ...ENVELOPE, envid: "x".repeat(MAX_ENVELOPE) };
  assert.throws(() => writeTrailer(long), RangeError);
});
