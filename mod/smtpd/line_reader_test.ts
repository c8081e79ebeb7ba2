import assert from "node:assert/strict";
import { LineReader, MAX_COMMAND_LINE, MAX_SKIPPED } from "./line_reader.ts";

const CUTS: { name: string; wire: string; want: string[] }[] = [
  { name: "reads lines", wire: "NOOP\r\nQUIT\r\n", want: ["NOOP", "QUIT"] },
  { name: "reads empty lines", wire: "\r\n\r\n", want: ["", ""] },
  { name: "waits for the CRLF", wire: "NOOP\r", want: [] },
  { name: "keeps eight-bit octets", wire: "\xff\x80\r\n", want: ["\xff\x80"] },
  {
    name: "runs nothing behind a bare LF",
    wire: "RCPT TO:<a@b>\nDATA\r\nQUIT\r\n",
    want: ["!bare-lf", "QUIT"],
  },
  {
    name: "refuses STARTTLS LF",
    wire: "STARTTLS\nNOOP\r\n",
    want: ["!bare-lf"],
  },
  {
    name: "refuses a lone LF",
    wire: "\n\r\nNOOP\r\n",
    want: ["!bare-lf", "NOOP"],
  },
  {
    name: "refuses a bare CR",
    wire: "NO\rOP\r\nQUIT\r\n",
    want: ["!bare-cr", "QUIT"],
  },
  {
    name: "refuses CR CR LF",
    wire: "NOOP\r\r\nQUIT\r\n",
    want: ["!bare-cr", "QUIT"],
  },
  { name: "refuses a NUL", wire: "NO\0OP\r\nQUIT\r\n", want: ["!nul", "QUIT"] },
  {
    name: "refuses a NUL at the end",
    wire: "NOOP\0\r\nQUIT\r\n",
    want: ["!nul", "QUIT"],
  },
];

for (const { name, wire, want } of CUTS) {
  Deno.test(`LineReader ${name}, wherever TCP cuts it`, () => {
    for (let cut = 0; cut <= wire.length; cut++) {
      const got = read([wire.slice(0, cut), wire.slice(cut)]);
      assert.deepEqual(got, want, `cut at ${cut}`);
    }
    assert.deepEqual(read([...wire]), want, "octet by octet");
  });
}

Deno.test("LineReader takes 2,048 octets with CRLF and not one more", () => {
  const most = "x".repeat(MAX_COMMAND_LINE - 2);
  assert.deepEqual(read([most + "\r\n"]), [most]);
  assert.deepEqual(read([most + "x\r\nNOOP\r\n"]), ["!too-long", "NOOP"]);
  assert.deepEqual(read([...(most + "x\r\nNOOP\r\n")]), ["!too-long", "NOOP"]);
});

Deno.test("LineReader reports a flood and holds nothing of it", () => {
  const reader = new LineReader();
  reader.push(octets("A".repeat(3_000)));
  assert.deepEqual(reader.next(), { is: "fault", fault: "too-long" });
  let pushed = 3_000;
  while (reader.next() === undefined) {
    assert.equal(reader.pending, 0);
    reader.push(octets("A".repeat(1_000)));
    pushed += 1_000;
    assert.ok(pushed < MAX_SKIPPED + 2_000, "must give up");
  }
  assert.deepEqual(reader.next(), { is: "flood" });
});

Deno.test("LineReader.takeRest hands out what waits, once", () => {
  const reader = new LineReader();
  reader.push(octets("DATA\r\nabc"));
  assert.deepEqual(reader.next(), { is: "line", text: "DATA" });
  assert.equal(reader.pending, 3);
  assert.deepEqual(reader.takeRest(), octets("abc"));
  assert.equal(reader.pending, 0);
});

const AHEAD: { name: string; text: string; count: number; want: string[] }[] = [
  { name: "whole lines", text: "A\r\nB\r\nC", count: 9, want: ["A", "B"] },
  { name: "no more than asked", text: "A\r\nB\r\n", count: 1, want: ["A"] },
  {
    name: "none behind a bare LF",
    text: "A\r\nB\nC\r\n",
    count: 9,
    want: ["A"],
  },
  {
    name: "none behind a bare CR",
    text: "A\r\nB\rC\r\n",
    count: 9,
    want: ["A"],
  },
  { name: "none behind a NUL", text: "A\0\r\nB\r\n", count: 9, want: [] },
  {
    name: "none behind one that is too long",
    text: `A\r\n${"x".repeat(2_047)}\r\nB\r\n`,
    count: 9,
    want: ["A"],
  },
];

for (const { name, text, count, want } of AHEAD) {
  Deno.test(`LineReader.ahead shows ${name}, and takes nothing`, () => {
    const reader = new LineReader();
    reader.push(octets(text));
    assert.deepEqual([...reader.ahead(count)], want);
    assert.equal(reader.pending, text.length);
  });
}

Deno.test("LineReader.ahead shows nothing while a faulty line is skipped", () => {
  const reader = new LineReader();
  reader.push(octets("A\nB\r\nC\r\n"));
  assert.deepEqual(reader.next(), { is: "fault", fault: "bare-lf" });
  assert.deepEqual([...reader.ahead(9)], []);
});

function read(parts: string[]): string[] {
  const reader = new LineReader();
  const got: string[] = [];
  for (const part of parts) {
    reader.push(octets(part));
    for (let line = reader.next(); line; line = reader.next()) {
      assert.notEqual(line.is, "flood");
      if (line.is === "line") got.push(line.text);
      if (line.is === "fault") got.push(`!${line.fault}`);
    }
  }
  return got;
}

function octets(text: string): Uint8Array {
  return Uint8Array.from(text, (c) => c.charCodeAt(0));
}
