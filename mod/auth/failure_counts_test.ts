import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { FailureCounts } from "./failure_counts.ts";

const BOUNDS = { limit: 10, windowMs: 900_000, maxNames: 3 };

function failing(times: number): FailureCounts {
  const counts = new FailureCounts(BOUNDS);
  for (let i = 0; i < times; i++) counts.add("a", 0);
  return counts;
}

Deno.test("FailureCounts is full after its limit, and leaks", () => {
  strictEqual(failing(9).fullForMs("a", 0), 0);
  const counts = failing(10);
  strictEqual(counts.fullForMs("a", 0), 90_000);
  strictEqual(counts.fullForMs("a", 89_000), 1_000);
  strictEqual(counts.fullForMs("a", 90_000), 0);
  strictEqual(counts.fullForMs("b", 0), 0);
  // One more fills it again.
  counts.add("a", 90_000);
  strictEqual(counts.fullForMs("a", 90_000), 90_000);
});

Deno.test("FailureCounts allows in the long run what its window says", () => {
  const counts = new FailureCounts(BOUNDS);
  let tries = 0;
  for (let ms = 0; ms < 86_400_000; ms += 1_000) {
    if (counts.fullForMs("a", ms) > 0) continue;
    counts.add("a", ms);
    tries++;
  }
  ok(tries <= 970 && tries >= 960, `${tries} a day`);
});

Deno.test("FailureCounts keeps so many names, and forgets the oldest", () => {
  const counts = new FailureCounts(BOUNDS);
  for (const name of ["a", "b", "c", "a", "d"]) {
    for (let i = 0; i < 10; i++) counts.add(name, 0);
  }
  strictEqual(counts.size, 3);
  deepStrictEqual(counts.full(0, 10), ["d", "a", "c"]);
  deepStrictEqual(counts.full(0, 1), ["d"]);
  counts.clear("d");
  deepStrictEqual(counts.full(0, 10), ["a", "c"]);
});

Deno.test("FailureCounts is not moved by a clock that is set back", () => {
  const counts = failing(10);
  strictEqual(counts.fullForMs("a", -1_000_000), 90_000);
});
