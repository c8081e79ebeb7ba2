import assert from "node:assert/strict";
import { Changes } from "./changes.ts";

const role = (restarts: number, errors = 0, error = 0) => [
  { instance: "dns.0", restarts, errors, logged: { error } },
];
const at = (ms: number, wallAhead = 0) => ({
  wallMs: ms + wallAhead,
  steadyMs: ms,
});

Deno.test("Changes counts restarts of ten minutes", () => {
  const changes = new Changes();
  changes.look(role(1), at(0));
  changes.look(role(2), at(300_000));
  changes.look(role(2), at(301_000));
  assert.deepEqual([...changes.restarts], [["dns.0", 2]]);
  changes.look(role(2), at(700_000));
  assert.deepEqual([...changes.restarts], [["dns.0", 1]]);
  changes.look(role(2), at(1_000_000));
  assert.deepEqual([...changes.restarts], []);
});

Deno.test("Changes counts errors of a day", () => {
  const changes = new Changes();
  changes.look(role(1, 1), at(0));
  changes.look(role(1, 1), at(86_000_000));
  assert.deepEqual([...changes.errors], [["dns.0", 1]]);
  changes.look(role(1, 1), at(86_500_000));
  assert.deepEqual([...changes.errors], []);
});

Deno.test("Changes counts moments in which errors were logged", () => {
  const changes = new Changes();
  changes.look(role(0, 0, 5), at(0));
  changes.look(role(0, 0, 5), at(1_000));
  changes.look(role(0, 0, 7), at(2_000));
  assert.deepEqual([...changes.logged], [["dns.0", 2]]);
  changes.look(role(0, 0, 7), at(86_402_001));
  assert.deepEqual([...changes.logged], []);
});

Deno.test("Changes sees a clock that jumped, and not a machine that was slow", () => {
  const changes = new Changes();
  changes.look([], at(0));
  changes.look([], at(500_000));
  assert.deepEqual(changes.jumps, []);
  changes.look([], at(501_000, -120_000));
  assert.deepEqual(changes.jumps, [{ atMs: 381_000, byMs: -120_000 }]);
  changes.look([], at(502_000, -120_000));
  assert.equal(changes.jumps.length, 1);
});
