import assert from "node:assert/strict";
import { Counters, MAX_COUNTER_NAME, MAX_COUNTERS } from "./counters.ts";
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
