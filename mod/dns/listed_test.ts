import assert from "node:assert/strict";
import { listed, type Listing, type Listings } from "./listed.ts";

const NOTHING: Listing = { kind: "nothing" };
const found = (...records: string[]): Listing => ({ kind: "records", records });

function listings(a: Listing, txt: Listing = NOTHING): Listings {
  return { a: () => Promise.resolve(a), txt: () => Promise.resolve(txt) };
}

const ROWS: { name: string; over: Listings; want: unknown }[] = [
  {
    name: "addresses and words",
    over: listings(found("127.0.0.2"), found("see https://bl.test/")),
    want: {
      answer: { addresses: ["127.0.0.2"], text: "see https://bl.test/" },
    },
  },
  {
    name: "addresses without words",
    over: listings(found("127.0.0.2", "127.0.0.4")),
    want: { answer: { addresses: ["127.0.0.2", "127.0.0.4"], text: "" } },
  },
  {
    name: "words of control characters and letters beyond ASCII as ?",
    over: listings(found("127.0.0.2"), found("a\r\nb\u00e9")),
    want: { answer: { addresses: ["127.0.0.2"], text: "a??b?" } },
  },
  {
    name: "nothing as not-listed",
    over: listings(NOTHING, found("x")),
    want: { refusal: "not-listed" },
  },
  {
    name: "silence as try-later",
    over: listings({ kind: "silent" }),
    want: { refusal: "try-later" },
  },
];

for (const { name, over, want } of ROWS) {
  Deno.test(`listed() answers ${name}`, async () => {
    const ask = { name: "1.2.0.192.bl.test", withinMs: 1_000, words: true };
    assert.deepEqual(await listed(ask, over), want);
  });
}

Deno.test("listed() asks for no words of a list that has not the client", async () => {
  const over = { ...listings(NOTHING), txt: () => assert.fail("asked") };
  const ask = { name: "1.bl.test", withinMs: 1_000, words: true };
  assert.deepEqual(await listed(ask, over), { refusal: "not-listed" });
});

Deno.test("listed() asks for no words when none are wanted", async () => {
  const over = {
    ...listings(found("127.0.0.2")),
    txt: () => assert.fail("asked"),
  };
  const ask = { name: "1.bl.test", withinMs: 1_000, words: false };
  assert.ok("answer" in await listed(ask, over));
});
