import assert from "node:assert/strict";
import type { State } from "./message.ts";
import { StateCounts } from "./state_counts.ts";

/** Messages of one recipient each, all of one state. */
function fakeStore() {
  const store = {
    messages: 0,
    slices: 0,
    counts: () => new Map<State, number>([["deferred", store.messages]]),
    lowerEnd: (high: number, rows: number) =>
      Math.max(0, Math.min(high, store.messages + 1) - rows - 1),
    countsBetween: (low: number, high: number) => {
      store.slices++;
      const n = Math.min(high, store.messages + 1) - Math.max(low, 1);
      return new Map<State, number>([["deferred", n]]);
    },
  };
  return store;
}

const later = (ms: number) => new Promise((done) => setTimeout(done, ms));

Deno.test("StateCounts counts a small queue at once, and again after a while", async () => {
  const store = fakeStore();
  const counts = new StateCounts(store, 100);
  store.messages = 10;
  assert.equal(counts.read().get("deferred"), 10);
  store.messages = 20;
  assert.equal(counts.read().get("deferred"), 10);
  await later(110);
  assert.equal(counts.read().get("deferred"), 20);
  assert.equal(store.slices, 1);
});

Deno.test("StateCounts counts a large queue slice by slice, each recipient once", async () => {
  const store = fakeStore();
  const counts = new StateCounts(store, 100);
  store.messages = 1;
  counts.read();
  store.messages = 23_456;
  await later(110);
  assert.equal(counts.read().get("deferred"), 1, "the count before");
  await later(50);
  assert.equal(counts.read().get("deferred"), 23_456);
  assert.equal(store.slices, 5);
});

Deno.test("StateCounts counts anew when something was ordered", async () => {
  const store = fakeStore();
  const counts = new StateCounts(store, 60_000);
  counts.read();
  store.messages = 20;
  counts.expire();
  assert.equal(counts.read().get("deferred"), 20);
  store.messages = 30;
  assert.equal(counts.read().get("deferred"), 20, "it is kept again");
  store.messages = 23_456;
  counts.expire();
  counts.read();
  counts.expire();
  await later(50);
  counts.read();
  await later(50);
  assert.equal(store.slices, 11, "what was ordered while it counted, too");
});
