import assert from "node:assert/strict";
import { Crowd, LONGEST_MS } from "./crowd.ts";

/** Deliveries at an even rate from `fromMs` on. */
function deliver(
  crowd: Crowd,
  { fromMs, ms, perMs }: { fromMs: number; ms: number; perMs: number },
): void {
  for (let at = 0; at < ms; at += 1 / perMs) crowd.left("a", fromMs + at);
}

Deno.test("Crowd.turnMs() lines up what finds no room, at the rate of the destination", () => {
  const crowd = new Crowd();
  crowd.turnMs("a", { nowMs: 0, waiting: 100 });
  deliver(crowd, { fromMs: 0, ms: 20_000, perMs: 0.1 });
  const turns = Array.from(
    { length: 1_000 },
    () => crowd.turnMs("a", { nowMs: 20_000, waiting: 100 }),
  );
  // 50 of those in memory at 0.125 a millisecond.
  assert.ok(Math.abs(turns[0]! - 20_400) < 50, `${turns[0]}`);
  const eachMs = (turns.at(-1)! - turns[0]!) / (turns.length - 1);
  assert.ok(Math.abs(eachMs - 8) < 1, `${eachMs}`);
});

Deno.test("Crowd.turnMs() waits a second or three before anything is known", () => {
  const turn = new Crowd().turnMs("a", { nowMs: 5, waiting: 5_000 });
  assert.ok(turn > 1_000 && turn < 3_000, `${turn}`);
});

Deno.test("Crowd.turnMs() never waits longer than the longest wait", () => {
  const crowd = new Crowd();
  crowd.turnMs("a", { nowMs: 0, waiting: 10 });
  crowd.left("a", 100_000); // one in 100 s
  for (let i = 0; i < 100_000; i++) {
    const turn = crowd.turnMs("a", { nowMs: 100_000, waiting: 5_000 });
    assert.ok(turn <= 100_000 + LONGEST_MS);
  }
});

Deno.test("Crowd measures destinations apart from each other", () => {
  const crowd = new Crowd();
  crowd.turnMs("a", { nowMs: 0, waiting: 100 });
  deliver(crowd, { fromMs: 0, ms: 20_000, perMs: 0.01 });
  const slow = crowd.turnMs("a", { nowMs: 20_000, waiting: 100 });
  const other = crowd.turnMs("b", { nowMs: 20_000, waiting: 100 });
  assert.ok(slow - 20_000 > 10 * (other - 20_000));
});

Deno.test("Crowd.turnInDoubtMs() doubles from lap to lap, not from message to message", () => {
  const crowd = new Crowd();
  const turn = (nowMs: number, random = 0) =>
    crowd.turnInDoubtMs("a", { nowMs, random });
  assert.deepEqual([turn(0), turn(1_000), turn(1_999, 0.5)], [
    2_000,
    2_000,
    2_500,
  ]);
  assert.deepEqual([turn(2_000), turn(2_500)], [6_000, 6_000]);
  assert.equal(turn(6_000), 14_000);
  for (let now = 14_000, i = 0; i < 20; i++) now = turn(now);
  assert.equal(turn(1e9), 1e9 + 600_000);
  crowd.turnMs("a", { nowMs: 2e9, waiting: 1 });
  assert.equal(turn(2e9), 2e9 + 2_000);
});
