import assert from "node:assert/strict";
import { MAX_REMEMBERED, RecentFlushes, REST_MS } from "./recent_flushes.ts";

Deno.test("RecentFlushes lets a domain rest for a while, and only it", () => {
  let nowMs = 0;
  const flushes = new RecentFlushes(() => nowMs);
  assert.equal(flushes.rests("a.test"), false);
  flushes.note("a.test");
  assert.equal(flushes.rests("a.test"), true);
  assert.equal(flushes.rests("b.test"), false);
  nowMs = REST_MS;
  assert.equal(flushes.rests("a.test"), false);
});

Deno.test("RecentFlushes remembers a bounded number", () => {
  const flushes = new RecentFlushes(() => 0);
  for (let i = 0; i <= MAX_REMEMBERED; i++) flushes.note(`${i}.test`);
  assert.equal(flushes.rests("0.test"), false);
  assert.equal(flushes.rests("1.test"), true);
});
