import assert from "node:assert/strict";
import { DataReader } from "./data_reader.ts";

interface Reading {
  body?: string;
  rest?: string;
  spoilt?: string;
  ended?: false;
}

// RFC 5321 §4.5.2 (transparency), §2.3.8 (bare CR and LF).
const READINGS: { name: string; wire: string; want: Reading }[] = [
  { name: "reads an empty message", wire: ".\r\n", want: { body: "" } },
  { name: "reads one line", wire: "a\r\n.\r\n", want: { body: "a\r\n" } },
  {
    name: "keeps empty lines",
    wire: "\r\n\r\n.\r\n",
    want: { body: "\r\n\r\n" },
  },
  {
    name: "takes one stuffed dot away",
    wire: "..\r\n.\r\n",
    want: { body: ".\r\n" },
  },
  {
    name: "takes one of three dots away",
    wire: "...a\r\n..\r\n.\r\n",
    want: { body: "..a\r\n.\r\n" },
  },
  {
    name: "takes a lone dot before text away",
    wire: ".a\r\n.\r\n",
    want: { body: "a\r\n" },
  },
  {
    name: "keeps dots inside lines",
    wire: "a.\r\nb.c\r\n.\r\n",
    want: { body: "a.\r\nb.c\r\n" },
  },
  {
    name: "keeps eight-bit octets",
    wire: "\xff\x80\xe9\r\n.\r\n",
    want: { body: "\xff\x80\xe9\r\n" },
  },
  {
    name: "gives back what follows the end",
    wire: "a\r\n.\r\nQUIT\r\n",
    want: { body: "a\r\n", rest: "QUIT\r\n" },
  },
  {
    name: "waits at CRLF.",
    wire: "a\r\n.",
    want: { body: "a\r\n", ended: false },
  },
  {
    name: "waits at CRLF.CR",
    wire: "a\r\n.\r",
    want: { body: "a\r\n", ended: false },
  },
  // SMTP smuggling, CVE-2023-51764.
  {
    name: "does not end at LF.CRLF",
    wire: "a\n.\r\nMAIL FROM:<e@x>\r\n.\r\nQ",
    want: { spoilt: "bare-lf", rest: "Q" },
  },
  {
    name: "does not end at CRLF.LF",
    wire: "a\r\n.\nMAIL\r\n.\r\nQ",
    want: { spoilt: "bare-lf", rest: "Q" },
  },
  {
    name: "does not end at LF.LF",
    wire: "a\n.\nMAIL\r\n.\r\nQ",
    want: { spoilt: "bare-lf", rest: "Q" },
  },
  {
    name: "does not end at CR.CR",
    wire: "a\r.\rMAIL\r\n.\r\nQ",
    want: { spoilt: "bare-cr", rest: "Q" },
  },
  {
    name: "does not end at CRLF.CR",
    wire: "a\r\n.\rMAIL\r\n.\r\nQ",
    want: { spoilt: "bare-cr", rest: "Q" },
  },
  {
    name: "does not end at CRLF.CRCRLF",
    wire: "a\r\n.\r\r\nb\r\n.\r\nQ",
    want: { spoilt: "bare-cr", rest: "Q" },
  },
  {
    name: "does not end at CRLF.NUL CRLF",
    wire: "a\r\n.\0\r\nb\r\n.\r\nQ",
    want: { spoilt: "nul", rest: "Q" },
  },
  {
    name: "names the first fault",
    wire: "\0\n\r.\r\n.\r\nQ",
    want: { spoilt: "nul", rest: "Q" },
  },
  {
    name: "reads a spoilt message to its real end",
    wire: "\n\r\n.\r\n",
    want: { spoilt: "bare-lf" },
  },
];

for (const { name, wire, want } of READINGS) {
  Deno.test(`DataReader ${name}, wherever TCP cuts it`, () => {
    for (let cut = 0; cut <= wire.length; cut++) {
      for (let second = cut; second <= wire.length; second++) {
        const got = read([
          wire.slice(0, cut),
          wire.slice(cut, second),
          wire.slice(second),
        ]);
        assert.deepEqual(got, expected(want), `cuts at ${cut} and ${second}`);
      }
    }
    assert.deepEqual(read([...wire]), expected(want), "octet by octet");
  });
}

function expected(want: Reading) {
  const body = want.spoilt === undefined ? want.body : undefined;
  return {
    body,
    rest: want.rest ?? "",
    spoilt: want.spoilt,
    ended: want.ended ?? true,
  };
}

function read(parts: string[]) {
  let body = "";
  let rest = "";
  const reader = new DataReader((piece) => body += latin1(piece));
  for (const part of parts) {
    if (reader.ended) {
      rest += part;
      continue;
    }
    const bytes = octets(part);
    const used = reader.push(bytes);
    rest += latin1(bytes.subarray(used));
  }
  const { spoilt, ended } = reader;
  return { body: spoilt === undefined ? body : undefined, rest, spoilt, ended };
}

// Every pair of line ends around a dot but the one that counts: nothing may
// end there, and nothing may be accepted.
const ENDS = [
  "\n",
  "\r",
  "\r\r\n",
  "\n\n",
  "\n\r",
  "\r\r",
  "\0\r\n",
  "\r\n\0",
  "\r\0\n",
  "\r\n",
];

Deno.test("DataReader ends at no dot between any other line ends", () => {
  let pairs = 0;
  for (const before of ENDS) {
    for (const after of ENDS) {
      const wire = `first${before}.${after}MAIL FROM:<e@x.test>\r\n.\r\n`;
      const end = wire.indexOf("\r\n.\r\n") + 5;
      if (end !== wire.length) continue; // a real end is in it
      const got = read([...wire]);
      assert.equal(got.rest, "", JSON.stringify(wire));
      assert.notEqual(got.spoilt, undefined, JSON.stringify(wire));
      pairs++;
    }
  }
  assert.ok(pairs >= 90, `${pairs} pairs`);
});

Deno.test("DataReader hands on long bodies uncopied", () => {
  const bytes = octets("x".repeat(50_000) + "\r\n.\r\n");
  const pieces: Uint8Array[] = [];
  new DataReader((piece) => pieces.push(piece)).push(bytes);
  assert.equal(pieces.length, 1);
  assert.equal(pieces[0]!.buffer, bytes.buffer);
});

Deno.test("DataReader.push throws after the end", () => {
  const reader = new DataReader(() => {});
  reader.push(octets(".\r\n"));
  assert.throws(() => reader.push(octets("x")), RangeError);
});

function octets(text: string): Uint8Array {
  return Uint8Array.from(text, (c) => c.charCodeAt(0));
}

function latin1(bytes: Uint8Array): string {
  return String.fromCharCode(...bytes);
}
