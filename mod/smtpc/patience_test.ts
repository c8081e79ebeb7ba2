import assert from "node:assert/strict";
import { Patience } from "./patience.ts";

Deno.test("Patience gives each wait its time, and all of them no more than theirs", () => {
  let now = 1_000;
  const limits = { eachMs: 300, wholeMs: 1_000, untilMs: 1e9 };
  const patience = new Patience(limits, () => now);
  const given: number[] = [];
  for (let i = 0; i < 6; i++) {
    given.push(patience.nextMs);
    now += 290;
  }
  assert.deepEqual(given, [300, 300, 300, 130, 1, 1]);
});

Deno.test("Patience ends with the delivery", () => {
  const limits = { eachMs: 300, wholeMs: 1_000, untilMs: 1_100 };
  assert.equal(new Patience(limits, () => 1_000).nextMs, 100);
});
