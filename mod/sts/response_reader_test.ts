import assert from "node:assert/strict";
import {
  MAX_LINES,
  MAX_POLICY,
  type Reading,
  ResponseReader,
} from "./response_reader.ts";

const OK = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n";
const CHUNKED = `${OK}Transfer-Encoding: chunked\r\n\r\n`;

// RFC 9112; RFC 8461 §3.3: 200, text/plain, no redirects.
const ANSWERS: { name: string; wire: string; want: string | RegExp }[] = [
  { name: "a length", wire: `${OK}Content-Length: 3\r\n\r\nabc`, want: "abc" },
  { name: "no octet", wire: `${OK}Content-Length: 0\r\n\r\n`, want: "" },
  { name: "what ends with the connection", wire: `${OK}\r\nabc`, want: "abc" },
  {
    name: "chunks, an extension and a trailer",
    wire: `${CHUNKED}2;x=y\r\nab\r\n1\r\nc\r\n0\r\nX: y\r\n\r\n`,
    want: "abc",
  },
  {
    name: "a charset, and case that does not matter",
    wire: "HTTP/1.0 200\r\ncontent-TYPE:  Text/Plain ; charset=utf-8\r\n" +
      "CONTENT-LENGTH: 1\r\n\r\na",
    want: "a",
  },
  {
    name: "the answer after 103",
    wire: `HTTP/1.1 103 Early\r\nLink: x\r\n\r\n${OK}\r\nabc`,
    want: "abc",
  },
  { name: "bare LF", wire: `${OK.replaceAll("\r", "")}\nabc`, want: "abc" },
  {
    name: "what it did not ask for after the end",
    wire: `${OK}Content-Length: 3\r\n\r\nabcdef`,
    want: "abc",
  },
  {
    name: "a redirect",
    wire: "HTTP/1.1 301 Moved\r\nLocation: https://other.test/\r\n\r\n",
    want: /HTTP status 301/,
  },
  { name: "404", wire: "HTTP/1.1 404 No\r\n\r\n", want: /HTTP status 404/ },
  { name: "101", wire: "HTTP/1.1 101 Up\r\n\r\n", want: /HTTP status 101/ },
  { name: "another protocol", wire: "220 mx ESMTP\r\n", want: /no HTTP/ },
  { name: "half a status", wire: "HTTP/1.1 20\r\n\r\n", want: /no HTTP/ },
  { name: "a long status", wire: "HTTP/1.1 2000 x\r\n", want: /no HTTP/ },
  {
    name: "HTML",
    wire: "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\nabc",
    want: /media type "text\/html"/,
  },
  {
    name: "no media type",
    wire: "HTTP/1.1 200 OK\r\n\r\nabc",
    want: /media type ""/,
  },
  {
    name: "a type that only begins so",
    wire: "HTTP/1.1 200 OK\r\nContent-Type: text/plainer\r\n\r\nabc",
    want: /media type/,
  },
  {
    name: "compression",
    wire: `${OK}Content-Encoding: gzip\r\n\r\nabc`,
    want: /compressed/,
  },
  {
    name: "a length beside chunks",
    wire: `${OK}Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n`,
    want: /transfer encoding/,
  },
  {
    name: "compressed chunks",
    wire: `${OK}Transfer-Encoding: gzip, chunked\r\n\r\n`,
    want: /transfer encoding/,
  },
  {
    name: "two lengths",
    wire: `${OK}Content-Length: 3\r\nContent-Length: 3\r\n\r\nabc`,
    want: /twice/,
  },
  {
    name: "a length with a sign",
    wire: `${OK}Content-Length: +3\r\n\r\nabc`,
    want: /length that is none/,
  },
  {
    name: "a length of its own that is too long",
    wire: `${OK}Content-Length: ${MAX_POLICY + 1}\r\n\r\n`,
    want: /more than 65536 octets/,
  },
  {
    name: "a body that is too long",
    wire: `${OK}\r\n${"a".repeat(MAX_POLICY + 1)}`,
    want: /more than 65536 octets/,
  },
  {
    name: "a chunk that is too long",
    wire: `${CHUNKED}ffffffff\r\n${"a".repeat(MAX_POLICY + 1)}`,
    want: /more than 65536 octets/,
  },
  {
    name: "a chunk size that is none",
    wire: `${CHUNKED}0x1\r\na\r\n0\r\n\r\n`,
    want: /chunk without a size/,
  },
  {
    name: "a chunk that goes on",
    wire: `${CHUNKED}1\r\nab\r\n0\r\n\r\n`,
    want: /longer than it says/,
  },
  {
    name: "a header without an end",
    wire: `${OK}${"X: y\r\n".repeat(MAX_LINES / 6 + 1)}`,
    want: /more than 16384/,
  },
  {
    name: "one line without an end",
    wire: `${OK}X: ${"y".repeat(MAX_LINES)}`,
    want: /more than 16384/,
  },
  {
    name: "chunks of one octet without an end",
    wire: CHUNKED + "1\r\na\r\n".repeat(MAX_LINES),
    want: /more than 16384/,
  },
  {
    name: "answers before the answer without an end",
    wire: "HTTP/1.1 100 x\r\n\r\n".repeat(MAX_LINES),
    want: /more than 16384/,
  },
  { name: "a folded line", wire: `${OK} folded\r\n\r\n`, want: /line that is/ },
  { name: "no colon", wire: `${OK}colon\r\n\r\n`, want: /line that is none/ },
  { name: "an empty answer", wire: "", want: /ends in the middle/ },
  { name: "half a header", wire: OK, want: /ends in the middle/ },
  {
    name: "half a body",
    wire: `${OK}Content-Length: 3\r\n\r\nab`,
    want: /ends in the middle/,
  },
  { name: "chunks without an end", wire: `${CHUNKED}1\r\na\r\n`, want: /ends/ },
];

function shown(reading: Reading): string {
  switch (reading.kind) {
    case "policy":
      return new TextDecoder().decode(reading.octets);
    case "refused":
      return `refused: ${reading.why}`;
    case "more":
      return "more";
  }
}

function readIn(pieces: readonly Uint8Array[]): string {
  const reader = new ResponseReader();
  for (const piece of pieces) reader.push(piece);
  return shown(reader.end());
}

for (const { name, wire, want } of ANSWERS) {
  Deno.test(`ResponseReader reads ${name}, wherever it is cut`, () => {
    const bytes = new TextEncoder().encode(wire);
    const whole = readIn([bytes]);
    if (typeof want === "string") assert.equal(whole, want);
    else assert.match(whole, want);
    const step = Math.max(1, Math.floor(bytes.length / 400));
    for (let cut = 0; cut <= bytes.length; cut += step) {
      const got = readIn([bytes.subarray(0, cut), bytes.subarray(cut)]);
      assert.equal(got, whole, `cut at octet ${cut}`);
    }
  });
}

Deno.test("ResponseReader needs one pass, an octet at a time", () => {
  const wire = `${OK}\r\n${"a".repeat(MAX_POLICY)}`;
  const bytes = new TextEncoder().encode(wire);
  const reader = new ResponseReader();
  const began = performance.now();
  for (let at = 0; at < bytes.length; at++) {
    reader.push(bytes.subarray(at, at + 1));
  }
  assert.equal(shown(reader.end()).length, MAX_POLICY);
  assert.ok(performance.now() - began < 1_000);
});
