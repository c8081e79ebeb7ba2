import assert from "node:assert/strict";
import { decodeEncodedWords } from "./encoded_word.ts";
import { SubjectReader } from "./subject_reader.ts";

const encoder = new TextEncoder();

const ENCODED = [
  { name: "plain text stays", text: "a =? b", is: "a =? b" },
  { name: "Q", text: "=?utf-8?Q?Gr=C3=BC=C3=9Fe_an?= Bob", is: "Grüße an Bob" },
  { name: "B", text: "=?UTF-8?B?w5xiZXI=?=", is: "Über" },
  { name: "older charset", text: "=?iso-8859-1?q?K=F6ln?=", is: "Köln" },
  { name: "language", text: "=?us-ascii*en?q?hi?=", is: "hi" },
  {
    name: "space between two is not shown",
    text: "=?utf-8?q?a?=  =?utf-8?q?b?=",
    is: "ab",
  },
  { name: "space before text is", text: "=?utf-8?q?a?= b", is: "a b" },
  {
    name: "character cut between two",
    text: "=?utf-8?q?=C3?= =?utf-8?q?=BC?=",
    is: "ü",
  },
  { name: "unknown charset", text: "=?x-none?q?abc?=", is: "abc" },
  { name: "unknown encoding", text: "=?utf-8?x?abc?=", is: "=?utf-8?x?abc?=" },
  { name: "broken base64", text: "=?utf-8?b?!?=", is: "=?utf-8?b?!?=" },
  { name: "no end", text: "=?utf-8?q?abc", is: "=?utf-8?q?abc" },
  { name: "broken hex stays", text: "=?utf-8?q?a=ZZ?=", is: "a=ZZ" },
];

for (const { name, text, is } of ENCODED) {
  Deno.test(`decodeEncodedWords() decodes: ${name}`, () => {
    assert.equal(decodeEncodedWords(text), is);
  });
}

const ROWS = [
  {
    name: "plain",
    text: "From: a\r\nSubject: Hello World\r\n\r\nbody",
    words: ["hello", "world"],
  },
  { name: "none", text: "From: a\r\n\r\nSubject: body\r\n", words: [] },
  {
    name: "folded",
    text: "subject: one\r\n two\r\n\tthree\r\nTo: x\r\n\r\n",
    words: ["one", "two", "three"],
  },
  {
    name: "white space before the colon",
    text: "SUBJECT : one\r\n\r\n",
    words: ["one"],
  },
  {
    name: "only the first",
    text: "Subject: one\r\nSubject: two\r\n\r\n",
    words: ["one"],
  },
  {
    name: "no header at all",
    text: "hello there\r\nSubject: two\r\n",
    words: [],
  },
  {
    name: "a longer name",
    text: "Subjects: no\r\nX-Subject: no\r\nSubject: yes\r\n\r\n",
    words: ["yes"],
  },
  {
    name: "encoded",
    text: "Subject: =?utf-8?q?Caf=C3=A9?=\r\n =?utf-8?q?_rechnung?=\r\n\r\n",
    words: ["café", "rechnung"],
  },
  { name: "raw UTF-8", text: "Subject: Zürich\r\n\r\n", words: ["zürich"] },
  {
    name: "ends with the message",
    text: "Subject: one two",
    words: ["one", "two"],
  },
  { name: "empty", text: "Subject:\r\n\r\n", words: [] },
];

for (const { name, text, words } of ROWS) {
  Deno.test(`SubjectReader reads the same words in every cut: ${name}`, () => {
    const octets = encoder.encode(text);
    for (let cut = 0; cut <= octets.length; cut++) {
      const reader = new SubjectReader();
      reader.push(octets.subarray(0, cut));
      reader.push(octets.subarray(cut));
      assert.deepEqual(reader.words(), words, `cut at ${cut}`);
    }
    const slow = new SubjectReader();
    for (const octet of octets) slow.push(new Uint8Array([octet]));
    assert.deepEqual(slow.words(), words);
  });
}

Deno.test("SubjectReader is bounded and linear, whatever comes", () => {
  const startedMs = performance.now();
  for (
    const text of [
      `Subject: ${"=?utf-8?q?".repeat(100_000)}\r\n`,
      `Subject: ${"=?".repeat(500_000)}\r\n`,
      `Subject: a\r\n${" b\r\n".repeat(200_000)}`,
      "x: y\r\n".repeat(200_000),
    ]
  ) {
    const reader = new SubjectReader();
    reader.push(encoder.encode(text));
    assert.ok(reader.words().length <= 16);
  }
  assert.ok(performance.now() - startedMs < 1_000);
});
