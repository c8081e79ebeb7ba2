import assert from "node:assert/strict";
import {
  Counters,
  MAX_COUNT,
  MAX_COUNTER_NAME,
  MAX_COUNTERS,
  MAX_REPORTED,
  sumOf,
} from "./counters.ts";
import { reports } from "./role_runtime.ts";

Deno.test("Counters stay such that the supervisor takes them, whatever is counted", () => {
  const counters = new Counters();
  counters.add("own");
  counters.add("own", 2);
  counters.add("x".repeat(64));
  for (let n = 0; n < 2 * MAX_COUNTERS; n++) counters.add(`rule-${n}`);
  counters.add("own");
  counters.measure("sessions", () => 3.4);
  counters.measure("odd", () => -1);
  const all = counters.all();
  assert.equal(all["own"], 4);
  assert.equal(all["x".repeat(MAX_COUNTER_NAME)], 1);
  assert.equal(all["sessions"], 3);
  assert.equal(all["odd"], 0);
  assert.equal(Object.keys(all).length, MAX_COUNTERS + 2);
  const pong = { is: "pong", n: 1, counters: all };
  assert.ok(reports.safeParse(pong).success);
});

Deno.test("sumOf() is bounded, whatever a role says in whatever number of lives", () => {
  const names = (from: number) =>
    Object.fromEntries(
      Array.from(
        { length: MAX_REPORTED },
        (_, n) => [`${from + n}`, MAX_COUNT],
      ),
    );
  let sum = sumOf({ own: 1 }, { own: 2 });
  assert.deepEqual(sum, { own: 3 });
  for (let life = 0; life < 3; life++) sum = sumOf(sum, names(200 * life));
  assert.equal(Object.keys(sum).length, MAX_REPORTED);
  const pong = (counters: unknown) =>
    reports.safeParse({ is: "pong", n: 1, counters }).success;
  assert.ok(pong(sum));
  assert.equal(pong({ ...names(0), another: 1 }), false, "a name too many");
});
