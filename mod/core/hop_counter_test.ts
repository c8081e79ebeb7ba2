import assert from "node:assert/strict";
import { HopCounter } from "./hop_counter.ts";

const HEADERS: { name: string; wire: string; want: number }[] = [
  {
    name: "counts fields",
    wire: "Received: a\r\nReceived: b\r\n\r\n",
    want: 2,
  },
  {
    name: "counts in any case",
    wire: "RECEIVED: a\r\nreceived:b\r\n\r\n",
    want: 2,
  },
  {
    name: "reads white space before the colon",
    wire: "Received : a\r\n\r\n",
    want: 1,
  },
  {
    name: "counts nothing behind the empty line",
    wire: "A: b\r\n\r\nReceived: a\r\n",
    want: 0,
  },
  {
    name: "counts nothing behind a line that is no field",
    wire: "A: b\r\nhello there\r\nReceived: a\r\n",
    want: 0,
  },
  {
    name: "counts nothing in a message without a header",
    wire: "\r\nReceived: a\r\n",
    want: 0,
  },
  {
    name: "counts no folded line",
    wire: "A: b\r\n Received: a\r\n\tReceived: a\r\n\r\n",
    want: 0,
  },
  {
    name: "counts no other names",
    wire:
      "Receive: a\r\nReceivedx: a\r\nX-Received: a\r\nReceived-SPF: a\r\n\r\n",
    want: 0,
  },
  {
    name: "counts on behind a folded field",
    wire: "Received: a\r\n b\r\nReceived: c\r\n\r\n",
    want: 2,
  },
  {
    name: "stops at eight-bit names",
    wire: "\xe9: b\r\nReceived: a\r\n\r\n",
    want: 0,
  },
];

for (const { name, wire, want } of HEADERS) {
  Deno.test(`HopCounter ${name}, wherever it is cut`, () => {
    const bytes = Uint8Array.from(wire, (c) => c.charCodeAt(0));
    for (let cut = 0; cut <= bytes.length; cut++) {
      const counter = new HopCounter();
      counter.push(bytes.subarray(0, cut));
      counter.push(bytes.subarray(cut));
      assert.equal(counter.hops, want, `cut at ${cut}`);
    }
  });
}
