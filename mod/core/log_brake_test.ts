import assert from "node:assert/strict";
import { LogBrake } from "./log_brake.ts";

Deno.test("LogBrake lets so many lines of a second pass, and counts the rest once", () => {
  const brake = new LogBrake(3);
  const passed = (nowMs: number, lines: number) =>
    Array.from({ length: lines }, () => brake.mayWrite(nowMs))
      .filter((may) => may).length;
  assert.equal(passed(5_000, 10), 3);
  assert.equal(passed(5_999, 5), 0);
  assert.equal(brake.takeLeftOut(), 12);
  assert.equal(brake.takeLeftOut(), 0);
  assert.equal(passed(6_000, 3), 3);
  assert.equal(brake.takeLeftOut(), 0);
});
