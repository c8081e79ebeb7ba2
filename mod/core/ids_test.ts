import assert from "node:assert/strict";
import { newQueueId, QUEUE_ID_PATTERN } from "./ids.ts";

const ZERO = new Uint8Array(5);
const ONES = new Uint8Array(5).fill(255);

Deno.test("newQueueId is nine digits of time and seven of randomness", () => {
  assert.equal(newQueueId(0, ZERO), "0000000000000000");
  assert.equal(newQueueId(33, ZERO), "0000000110000000");
  assert.equal(newQueueId(32 ** 9 - 1, ONES), "ZZZZZZZZZZZZZZZZ");
});

Deno.test("newQueueId uses 35 random bits, the first ones", () => {
  const ids = new Set<string>();
  for (let bit = 0; bit < 35; bit++) {
    const random = new Uint8Array(5);
    random[bit >> 3] = 128 >> (bit & 7);
    ids.add(newQueueId(0, random));
  }
  assert.equal(ids.size, 35);
  assert.ok(!ids.has(newQueueId(0, ZERO)));
});

Deno.test("newQueueId sorts by time", () => {
  const times = [0, 1, 31, 32, 1_023, 1_024, 1.7e12, 1.7e12 + 1, 2 ** 44];
  const ids = times.map((ms) => newQueueId(ms, ONES.slice()));
  assert.deepEqual([...ids].sort(), ids);
});

Deno.test("newQueueId is unique and fits its pattern", () => {
  const ids = new Set<string>();
  for (let n = 0; n < 10_000; n++) ids.add(newQueueId());
  assert.equal(ids.size, 10_000);
  for (const id of ids) assert.match(id, QUEUE_ID_PATTERN);
});

for (
  const text of [
    "",
    "0".repeat(15),
    "0".repeat(17),
    "000000000000000I",
    "00000000000000/0",
    "0000000000000000\n",
    "00000000000000.0",
    "0000000000000o00",
  ]
) {
  Deno.test(`QUEUE_ID_PATTERN refuses ${JSON.stringify(text)}`, () => {
    assert.doesNotMatch(text, QUEUE_ID_PATTERN);
  });
}
