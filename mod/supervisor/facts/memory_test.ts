import assert from "node:assert/strict";
import { MemoryWatch, pssIn, pssOf } from "./memory_io.ts";

Deno.test("pssIn() reads the line of the proportional set", () => {
  const text = "55d0-7ffc ---p 00000000 00:00 0   [rollup]\n" +
    "Rss:              102400 kB\nPss:               51234 kB\n" +
    "Pss_Dirty:         40000 kB\n";
  assert.equal(pssIn(text), 51_234 * 1_024);
  assert.equal(pssIn("Rss: 4 kB\n"), 0);
  assert.equal(pssIn("Pss: lots kB\n"), 0);
});

Deno.test("pssOf() is 0 when there is no such process", () => {
  assert.equal(pssOf(2 ** 30), 0);
});

Deno.test("MemoryWatch asks for one process at a time, and not again within 30 s", () => {
  const asked: number[] = [];
  const watch = new MemoryWatch((pid) => {
    asked.push(pid);
    return pid * 10;
  });
  for (let second = 0; second < 29; second++) {
    watch.look([1, 2, 3], second * 1_000);
  }
  assert.deepEqual(asked, [1, 2, 3]);
  const known = watch.look([1, 2, 3], 30_000);
  assert.deepEqual(asked, [1, 2, 3, 1]);
  assert.deepEqual([1, 2, 3, 4].map(known), [10, 20, 30, 0]);
});

Deno.test("MemoryWatch forgets a process that ended", () => {
  const watch = new MemoryWatch(() => 7);
  watch.look([5], 0);
  watch.look([], 1_000);
  const asked: number[] = [];
  const known = watch.look([], 2_000);
  assert.deepEqual(asked, []);
  assert.equal(known(5), 0);
});
