import assert from "node:assert/strict";
import { forTerminal, headerOf } from "./queue_cat.ts";

const encoder = new TextEncoder();
const decoder = new TextDecoder();

const HEADERS: { name: string; message: string; want: string }[] = [
  {
    name: "a header",
    message: "A: 1\r\nB: 2\r\n\r\nx",
    want: "A: 1\r\nB: 2\r\n",
  },
  { name: "bare line feeds", message: "A: 1\n\nx", want: "A: 1\n" },
  { name: "no body", message: "A: 1\r\n", want: "A: 1\r\n" },
  { name: "nothing", message: "", want: "" },
];

for (const { name, message, want } of HEADERS) {
  Deno.test(`headerOf() ends before the body, given ${name}`, () => {
    assert.equal(decoder.decode(headerOf(encoder.encode(message))), want);
  });
}

Deno.test("forTerminal() leaves lines and tabs, and nothing to obey", () => {
  const message = encoder.encode("a\tb\r\n\u001b[2Jc\u0007\r\né\u202e\n");
  assert.equal(forTerminal(message), "a\tb\n?[2Jc?\né?\n");
});
