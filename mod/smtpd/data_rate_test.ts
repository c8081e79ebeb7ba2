import assert from "node:assert/strict";
import { DataRate } from "./data_rate.ts";

const rate = () =>
  new DataRate({ octetsPerSecond: 500, budgetMs: 60_000, nowMs: 0 });

Deno.test("DataRate ends a message that stalls, or drips", () => {
  assert.equal(rate().endsAtMs, 60_000);
  const drip = rate();
  for (let s = 1; s <= 60; s++) drip.earn(1, s * 1_000);
  assert.equal(drip.endsAtMs, 60_120);
});

Deno.test("DataRate never ends one that keeps the speed", () => {
  const line = rate();
  for (let s = 1; s <= 10_000; s++) {
    assert.ok(line.endsAtMs > s * 1_000, `at ${s} s`);
    line.earn(500, s * 1_000);
  }
});

Deno.test("DataRate saves no more than its budget", () => {
  const burst = rate();
  burst.earn(100_000_000, 1_000);
  assert.equal(burst.endsAtMs, 61_000);
});

Deno.test("DataRate does not run while the server does not read", () => {
  const held = rate();
  held.hold(true, 10_000);
  held.hold(true, 15_000);
  assert.equal(held.endsAtMs, Infinity);
  held.hold(false, 40_000);
  held.hold(false, 50_000);
  assert.equal(held.endsAtMs, 90_000);
});

Deno.test("DataRate is no limit when it is 0", () => {
  const free = new DataRate({ octetsPerSecond: 0, budgetMs: 1, nowMs: 0 });
  free.earn(1, 5);
  assert.equal(free.endsAtMs, Infinity);
});
