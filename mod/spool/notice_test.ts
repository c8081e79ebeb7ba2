import assert from "node:assert/strict";
import {
  headerBlock,
  isReturnable,
  MAX_QUOTED_OCTETS,
  messageStart,
} from "./notice.ts";

const encoder = new TextEncoder();
const decoder = new TextDecoder();

// RFC 5322 §2.1: the header block ends at the first empty line.
const BLOCKS = [
  {
    name: "whole lines",
    message: "A: b\r\n c\r\nD: e\r\n\r\nbody\r\n",
    want: "A: b\r\n c\r\nD: e\r\n",
  },
  {
    name: "nothing of a message without a header",
    message: "\r\nbody\r\n",
    want: "",
  },
  {
    name: "all of a message without a body",
    message: "A: b\r\nC: d\r\n",
    want: "A: b\r\nC: d\r\n",
  },
  {
    name: "no line that is cut off",
    message: "A: b\r\nC: d",
    want: "A: b\r\n",
  },
  {
    name: "nothing from a line with a bare LF on",
    message: "A: b\r\nC: d\nE: f\r\n\r\n",
    want: "A: b\r\n",
  },
  {
    name: "nothing from a line with a bare CR on",
    message: "A: b\r\nC: d\rE: f\r\n\r\n",
    want: "A: b\r\n",
  },
  {
    name: "nothing from a line with a NUL on",
    message: "A: b\r\nC\0: d\r\n\r\n",
    want: "A: b\r\n",
  },
  { name: "nothing of an empty message", message: "", want: "" },
];

for (const { name, message, want } of BLOCKS) {
  Deno.test(`headerBlock() quotes ${name}`, () => {
    assert.equal(decoder.decode(headerBlock(encoder.encode(message))), want);
  });
}

Deno.test("isReturnable() finds NUL and bare CR or LF, wherever the chunks are cut", () => {
  for (
    const [text, want] of [
      ["", true],
      ["a\r\nb\r\n", true],
      ["\r\n\r\n", true],
      ["a\nb", false],
      ["a\rb", false],
      ["a\r\r\n", false],
      ["a\r", false],
      ["\n", false],
      ["a\0b", false],
    ] as const
  ) {
    const octets = encoder.encode(text);
    for (let cut = 0; cut <= octets.length; cut++) {
      const chunks = [octets.subarray(0, cut), octets.subarray(cut)];
      assert.equal(isReturnable(chunks), want, `${text} cut at ${cut}`);
    }
  }
});

Deno.test("headerBlock() cuts a long block at a line's end within its limit", () => {
  const line = "X: " + "y".repeat(75) + "\r\n";
  const block = headerBlock(encoder.encode(line.repeat(2_000)));
  assert.equal(block.length, Math.floor(MAX_QUOTED_OCTETS / 80) * 80);
});

Deno.test("messageStart() stops reading when it has enough", () => {
  let given = 0;
  function* chunks() {
    while (true) {
      given++;
      yield new Uint8Array(40_000);
    }
  }
  assert.equal(messageStart(chunks()).length, MAX_QUOTED_OCTETS);
  assert.equal(given, 2);
});
