import assert from "node:assert/strict";
import { Shelf } from "./shelf.ts";

Deno.test("Shelf forgets what is over, and writes that too", () => {
  const shelf = new Shelf<string>(10);
  shelf.set("a", "A", 100);
  assert.equal(shelf.get("a", 99), "A");
  assert.deepEqual(shelf.take(10), [{ key: "a", untilMs: 100, value: "A" }]);
  assert.deepEqual(shelf.take(10), []);
  assert.equal(shelf.get("a", 100), undefined);
  assert.deepEqual(shelf.take(10), [
    { key: "a", untilMs: 0, value: undefined },
  ]);
});

Deno.test("Shelf keeps what was used last when it is full", () => {
  const shelf = new Shelf<number>(2);
  shelf.set("a", 1, 100);
  shelf.set("b", 2, 100);
  shelf.get("a", 0);
  shelf.set("c", 3, 100);
  assert.deepEqual([...shelf], [["a", 1], ["c", 3]]);
  assert.equal(shelf.size, 2);
});

Deno.test("Shelf gives changes again that could not be written", () => {
  const shelf = new Shelf<number>(9);
  shelf.set("a", 1, 100);
  shelf.set("b", 2, 100);
  const first = shelf.take(1);
  assert.equal(first.length, 1);
  shelf.giveBack(first);
  assert.equal(shelf.waiting, 2);
});

Deno.test("Shelf does not write what it was restored from", () => {
  const shelf = new Shelf<number>(1);
  shelf.restore("a", 1, 100);
  shelf.restore("b", 2, 100);
  assert.deepEqual([...shelf], [["a", 1]]);
  assert.equal(shelf.waiting, 0);
});

Deno.test("sweep() comes to every entry in the end", () => {
  const shelf = new Shelf<number>(10_000);
  for (let n = 0; n < 5_000; n++) shelf.set(String(n), n, n % 2 ? 10 : 1_000);
  for (let n = 0; n < 6; n++) shelf.sweep(10);
  assert.equal(shelf.size, 2_500);
});

Deno.test("Shelf has nothing to write of what came and went unwritten", () => {
  const shelf = new Shelf<number>(10);
  for (let n = 0; n < 10_000; n++) shelf.set(`k${n}`, n, 100);
  assert.equal(shelf.waiting, 10);
  // What is on the disk must be taken from there.
  assert.equal(shelf.take(100).length, 10);
  shelf.set("new", 1, 100);
  assert.deepEqual(shelf.take(100).map(({ key }) => key), ["new", "k9990"]);
  // As must one that came again before its end was written.
  shelf.delete("k9991");
  shelf.set("k9991", 2, 100);
  shelf.delete("k9991");
  assert.equal(shelf.take(100)[0]?.value, undefined);
});
