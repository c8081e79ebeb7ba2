import assert from "node:assert/strict";
import { DotLine } from "./dot_line.ts";
import { LineEnds } from "./line_ends.ts";

const encoder = new TextEncoder();
const latin1 = new TextDecoder("latin1");

// A final `$` says that the dot was read.
const DOTS: { name: string; text: string; want: string }[] = [
  { name: "ends at a dot alone", text: "a\n.\nb\n", want: "a\n$" },
  { name: "ends at a dot and CRLF", text: "a\r\n.\r\nb", want: "a\r\n$" },
  { name: "ends at a first line of a dot", text: ".\nb", want: "$" },
  { name: "ends at a dot without a line end", text: "a\n.", want: "a\n$" },
  { name: "keeps two dots", text: "..\n.a\na.\n", want: "..\n.a\na.\n" },
  { name: "keeps a dot and a CR alone", text: ".\rb\n", want: ".\rb\n" },
  { name: "keeps a dot and two CRs", text: ".\r\r\n", want: ".\r\r\n" },
  { name: "keeps an empty message", text: "", want: "" },
];

for (const { name, text, want } of DOTS) {
  Deno.test(`DotLine ${name}, wherever it is cut`, () => {
    const octets = encoder.encode(text);
    for (let cut = 0; cut <= octets.length; cut++) {
      let got = "";
      const dots = new DotLine((piece) => got += latin1.decode(piece));
      dots.push(octets.subarray(0, cut));
      if (!dots.ended) dots.push(octets.subarray(cut));
      dots.end();
      assert.equal(got + (dots.ended ? "$" : ""), want, `at ${cut}`);
    }
  });
}

const ENDS: { name: string; text: string; want: string }[] = [
  { name: "makes LF a CRLF", text: "a\nb\n", want: "a\r\nb\r\n" },
  { name: "leaves a CRLF", text: "a\r\nb\r\n", want: "a\r\nb\r\n" },
  { name: "makes a CR alone a CRLF", text: "a\rb\n", want: "a\r\nb\r\n" },
  {
    name: "makes each of two CRs one",
    text: "a\r\r\nb",
    want: "a\r\n\r\nb\r\n",
  },
  { name: "ends the last line", text: "a", want: "a\r\n" },
  { name: "ends a last CR", text: "a\r", want: "a\r\n" },
  { name: "leaves NUL out", text: "a\0b\0\n", want: "ab\r\n" },
  { name: "leaves nothing as nothing", text: "", want: "" },
  {
    name: "cannot be led to a dot of its own",
    text: "\0.\0\r\n",
    want: ".\r\n",
  },
];

for (const { name, text, want } of ENDS) {
  Deno.test(`LineEnds ${name}, wherever it is cut`, () => {
    const octets = encoder.encode(text);
    for (let cut = 0; cut <= octets.length; cut++) {
      let got = "";
      const lines = new LineEnds((piece) => got += latin1.decode(piece));
      lines.push(octets.subarray(0, cut));
      lines.push(octets.subarray(cut));
      lines.end();
      assert.equal(got, want, `at ${cut}`);
    }
  });
}

Deno.test("LineEnds tells of octets above 127", () => {
  const lines = new LineEnds(() => {});
  lines.push(encoder.encode("a\n"));
  assert.equal(lines.has8Bit, false);
  lines.push(encoder.encode("ä\n"));
  assert.equal(lines.has8Bit, true);
});
