import assert from "node:assert/strict";
import { Idleness } from "./rest.ts";

Deno.test("Idleness.isOver() is true when nothing happened for long enough", () => {
  let nowMs = 0;
  const idleness = new Idleness(() => nowMs);
  idleness.allow(() => true, () => 0);
  nowMs = 999;
  assert.equal(idleness.isOver(1_000), false);
  nowMs = 1_000;
  assert.equal(idleness.isOver(1_000), true);
  idleness.touch();
  assert.equal(idleness.isOver(1_000), false);
  nowMs = 2_000;
  assert.equal(idleness.isOver(1_000), true);
});

Deno.test("Idleness.isOver() is never true if the role, or the configuration, does not allow it", () => {
  let nowMs = 0;
  const silent = new Idleness(() => nowMs);
  const busy = new Idleness(() => nowMs);
  busy.allow(() => false, () => 0);
  const slow = new Idleness(() => nowMs);
  slow.allow(() => true, () => 5_000);
  nowMs = 4_999;
  assert.equal(silent.isOver(1), false, "it never said that it may");
  assert.equal(busy.isOver(1), false, "it would miss something");
  assert.equal(slow.isOver(1), false, "not before its own time");
  nowMs = 5_000;
  assert.equal(slow.isOver(1), true);
  assert.equal(slow.isOver(0), false, "switched off");
});
