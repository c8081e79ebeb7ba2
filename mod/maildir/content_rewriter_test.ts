import assert from "node:assert/strict";
import { ContentRewriter } from "./content_rewriter.ts";

const ME = "me@home.test";

const REWRITINGS: {
  name: string;
  wire: string;
  want: string;
  isLoop?: boolean;
}[] = [
  { name: "an empty message", wire: "", want: "" },
  {
    name: "CRLF to LF",
    wire: "A: b\r\n\r\nx\r\n\r\ny\r\n",
    want: "A: b\n\nx\n\ny\n",
  },
  {
    name: "a CR of its own, in header and text, unchanged",
    wire: "A: b\rc\r\n\r\nx\ry\r\r\nz\r",
    want: "A: b\rc\n\nx\ry\r\nz\r",
  },
  {
    name: "a header block without an end",
    wire: "A: b\r\nC: d",
    want: "A: b\nC: d",
  },
  { name: "a message cut in a CR", wire: "A: b\r", want: "A: b\r" },
  { name: "a message cut in a name", wire: "Return-Pa", want: "Return-Pa" },
  {
    name: "Return-Path away, wherever it stands",
    wire: "Return-Path: <a@b>\r\nA: b\r\nreturn-PATH:<>\r\nC: d\r\n\r\nx\r\n",
    want: "A: b\nC: d\n\nx\n",
  },
  {
    name: "Return-Path away with its folded lines",
    wire: "A: b\r\n c\r\nReturn-Path:\r\n <a@b>\r\n\t(x)\r\nC: d\r\n e\r\n\r\n",
    want: "A: b\n c\nC: d\n e\n\n",
  },
  {
    name: "Return-Path away with space before the colon",
    wire: "Return-Path \t: <a@b>\r\nC: d\r\n\r\n",
    want: "C: d\n\n",
  },
  {
    name: "Return-Path away at the very end",
    wire: "A: b\r\nReturn-Path: <a@b>",
    want: "A: b\n",
  },
  {
    name: "no Return-Path in the text",
    wire: "A: b\r\n\r\nReturn-Path: <a@b>\r\n",
    want: "A: b\n\nReturn-Path: <a@b>\n",
  },
  {
    name: "no field whose name only resembles Return-Path",
    wire: "Return-Paths: a\r\nX-Return-Path: b\r\nReturn-Pat: c\r\n\r\n",
    want: "Return-Paths: a\nX-Return-Path: b\nReturn-Pat: c\n\n",
  },
  {
    name: "nothing after the first line that is no field",
    wire: "no field here\r\nReturn-Path: <a@b>\r\n",
    want: "no field here\nReturn-Path: <a@b>\n",
  },
  {
    name: "nothing after a first line that looks folded",
    wire: " x\r\nReturn-Path: <a@b>\r\n",
    want: " x\nReturn-Path: <a@b>\n",
  },
  {
    name: "nothing after a line that starts with a colon",
    wire: ": x\r\nReturn-Path: <a@b>\r\n",
    want: ": x\nReturn-Path: <a@b>\n",
  },
  {
    name: "nothing after a name with a space in it",
    wire: "From me: x\r\nReturn-Path: <a@b>\r\n",
    want: "From me: x\nReturn-Path: <a@b>\n",
  },
  {
    name: "a very long name and a very long value",
    wire: `${"N".repeat(99)} : ${
      "v".repeat(999)
    }\r\nReturn-Path: x\r\nA: b\r\n`,
    want: `${"N".repeat(99)} : ${"v".repeat(999)}\nA: b\n`,
  },
  {
    name: "much white space before a colon",
    wire: `Return-Path${" ".repeat(50)}: x\r\nA: b\r\n\r\n`,
    want: `Return-Path${" ".repeat(50)}: x\nA: b\n\n`,
  },
  {
    name: "8-bit and NUL octets unchanged",
    wire: "A: \u00fc\0\r\n\r\n\u00fc\0\u20ac\r\n",
    want: "A: \u00fc\0\n\n\u00fc\0\u20ac\n",
  },
  {
    name: "a message that was here before",
    wire: `Delivered-To: ${ME}\r\nA: b\r\n\r\n`,
    want: `Delivered-To: ${ME}\nA: b\n\n`,
    isLoop: true,
  },
  {
    name: "a loop in another case, with brackets, folded, at the end",
    wire: "A: b\r\nDELIVERED-to :\r\n\t <ME@Home.TEST> \r\n",
    want: "A: b\nDELIVERED-to :\n\t <ME@Home.TEST> \n",
    isLoop: true,
  },
  {
    name: "a loop after a Delivered-To of another",
    wire: `Delivered-To: you@home.test\r\nDelivered-To: ${ME}\r\n\r\n`,
    want: `Delivered-To: you@home.test\nDelivered-To: ${ME}\n\n`,
    isLoop: true,
  },
  {
    name: "no loop for an address that only contains ours",
    wire: `Delivered-To: x${ME}\r\nDelivered-To: ${ME}x\r\n\r\n`,
    want: `Delivered-To: x${ME}\nDelivered-To: ${ME}x\n\n`,
  },
  {
    name: "no loop for ours after a value without end",
    wire: `Delivered-To: ${"x".repeat(2_000)} ${ME}\r\n\r\n`,
    want: `Delivered-To: ${"x".repeat(2_000)} ${ME}\n\n`,
  },
  {
    name: "no loop for a Delivered-To in the text",
    wire: `A: b\r\n\r\nDelivered-To: ${ME}\r\n`,
    want: `A: b\n\nDelivered-To: ${ME}\n`,
  },
];

for (const { name, wire, want, isLoop = false } of REWRITINGS) {
  Deno.test(`ContentRewriter passes ${name}, wherever the input is cut`, () => {
    const octets = new TextEncoder().encode(wire);
    for (let cut = 0; cut <= octets.length; cut++) {
      const [got, loop] = rewrite([
        octets.subarray(0, cut),
        octets.subarray(cut),
      ]);
      assert.equal(got, want, `cut at octet ${cut}`);
      assert.equal(loop, isLoop, `cut at octet ${cut}`);
    }
    const single = Array.from(octets, (octet) => Uint8Array.of(octet));
    assert.deepEqual(rewrite(single), [want, isLoop], "octet by octet");
  });
}

Deno.test("ContentRewriter finds a loop only for the address that has one", () => {
  const rewriter = new ContentRewriter(["a@h.test", "b@h.test"]);
  rewriter.push(new TextEncoder().encode("Delivered-To: b@h.test\r\n\r\n"));
  assert.equal(rewriter.isLoop("a@h.test"), false);
  assert.equal(rewriter.isLoop("B@h.test"), true);
});

Deno.test("ContentRewriter holds no more for a field of 50 MB", () => {
  const rewriter = new ContentRewriter([ME]);
  const part = new Uint8Array(65_536).fill(0x61);
  rewriter.push(new TextEncoder().encode("Delivered-To: "));
  let length = 0;
  for (let i = 0; i < 800; i++) length += rewriter.push(part).length;
  assert.equal(length, 800 * 65_536);
  assert.equal(rewriter.end().length, 0);
});

function rewrite(parts: Uint8Array[]): [string, boolean] {
  const rewriter = new ContentRewriter([ME]);
  const out: number[] = [];
  for (const part of parts) out.push(...rewriter.push(part));
  out.push(...rewriter.end());
  return [
    new TextDecoder().decode(Uint8Array.from(out)),
    rewriter.isLoop(ME),
  ];
}

Deno.test("ContentRewriter keeps every octet of a BINARYMIME text, wherever it is cut", () => {
  const message = "A: b\r\nReturn-Path: <x@y>\r\n\r\n\r\n\0\r\r\n\n\r";
  const want = "A: b\n\n\r\n\0\r\r\n\n\r";
  const octets = Uint8Array.from(message, (c) => c.charCodeAt(0));
  for (let cut = 0; cut <= octets.length; cut++) {
    const rewriter = new ContentRewriter([], { keepsText: true });
    let got = "";
    for (const part of [octets.subarray(0, cut), octets.subarray(cut)]) {
      got += String.fromCharCode(...rewriter.push(part));
    }
    got += String.fromCharCode(...rewriter.end());
    assert.equal(got, want, `cut at ${cut}`);
  }
});
