import assert from "node:assert/strict";
import { MAX_LINE, MAX_LINES, MAX_TEXT, ReplyReader } from "./reply.ts";

const bytesOf = (text: string) => Uint8Array.from(text, (c) => c.charCodeAt(0));

/** What a reader says to `parts`: replies as `code|line|line`, and its end. */
function read(...parts: Uint8Array[]): string[] {
  const reader = new ReplyReader();
  const said: string[] = [];
  for (const part of parts) {
    const { replies, malformed } = reader.push(part);
    for (const { code, lines } of replies) {
      said.push([code, ...lines].join("|"));
    }
    if (malformed !== undefined) {
      said.push(`! ${malformed}`);
      break;
    }
  }
  if (said.at(-1)?.[0] !== "!" && reader.midReply) said.push("...");
  return said;
}

const NO_CODE = "! reply line without a code";
const READINGS: { name: string; wire: string; want: string[] }[] = [
  { name: "one line", wire: "250 ok\r\n", want: ["250|ok"] },
  { name: "a code alone", wire: "250\r\n", want: ["250|"] },
  { name: "a bare LF as an end", wire: "250 ok\n", want: ["250|ok"] },
  {
    name: "several lines",
    wire: "250-a\r\n250-b c\r\n250 d\r\n",
    want: ["250|a|b c|d"],
  },
  {
    name: "pipelined replies",
    wire: "250 a\r\n550-b\r\n550 c\r\n354 d\r\n",
    want: ["250|a", "550|b|c", "354|d"],
  },
  {
    name: "NUL, CR and 8-bit text as question marks", // CVE-2020-8794
    wire: "550 a\0b\rc\xe9d\x1b[31m\r\n",
    want: ["550|a?b?c?d?[31m"],
  },
  {
    name: "different codes as malformed", // RFC 5321 §4.2.1
    wire: "250-a\r\n550 b\r\n",
    want: ["! reply lines with different codes"],
  },
  { name: "a short code as malformed", wire: "25\r\n", want: [NO_CODE] },
  { name: "a long code as malformed", wire: "2500 ok\r\n", want: [NO_CODE] },
  { name: "1xx as malformed", wire: "150 ok\r\n", want: [NO_CODE] },
  { name: "6xx as malformed", wire: "650 ok\r\n", want: [NO_CODE] },
  { name: "letters as malformed", wire: "hello\r\n", want: [NO_CODE] },
  { name: "an empty line as malformed", wire: "\r\n", want: [NO_CODE] },
  { name: "half a line as more to come", wire: "250 o", want: ["..."] },
  { name: "half a reply as more to come", wire: "250-a\r\n", want: ["..."] },
  {
    name: "what came before malformed text",
    wire: "250 a\r\nevil\r\n250 b\r\n",
    want: ["250|a", NO_CODE],
  },
];

for (const { name, wire, want } of READINGS) {
  Deno.test(`ReplyReader reads ${name}, wherever TCP cuts it`, () => {
    const bytes = bytesOf(wire);
    for (let a = 0; a <= bytes.length; a++) {
      for (let b = a; b <= bytes.length; b++) {
        assert.deepEqual(
          read(bytes.subarray(0, a), bytes.subarray(a, b), bytes.subarray(b)),
          want,
          `cut at ${a} and ${b}`,
        );
      }
    }
  });
}

Deno.test("ReplyReader bounds a line's length and what is kept of it", () => {
  const fits = "250 " + "x".repeat(MAX_LINE - 5) + "\r\n";
  assert.deepEqual(read(bytesOf(fits)), ["250|" + "x".repeat(MAX_TEXT)]);
  const over = "250 " + "x".repeat(MAX_LINE - 4) + "\r\n";
  assert.deepEqual(read(bytesOf(over)), [`! reply line over 2048 octets`]);
});

Deno.test("ReplyReader bounds the number of lines", () => {
  const lines = "250-x\r\n".repeat(MAX_LINES - 1);
  assert.equal(read(bytesOf(lines + "250 x\r\n"))[0]!.split("|").length, 101);
  assert.deepEqual(read(bytesOf(lines + "250-x\r\n250 x\r\n")), [
    "! reply over 100 lines",
  ]);
});

Deno.test("ReplyReader stays dead after malformed text", () => {
  const reader = new ReplyReader();
  reader.push(bytesOf("evil\r\n"));
  const { replies, malformed } = reader.push(bytesOf("250 ok\r\n"));
  assert.deepEqual(replies, []);
  assert.ok(malformed);
});
