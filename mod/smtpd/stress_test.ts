import assert from "node:assert/strict";
import { AT_EASE, sessionsPerClient, stressAt } from "./stress.ts";

Deno.test("stressAt() is at ease until 60 % of the slots are in use", () => {
  assert.equal(stressAt(0, 100), AT_EASE);
  assert.equal(stressAt(59, 100), AT_EASE);
  assert.notEqual(stressAt(60, 100), AT_EASE);
});

Deno.test("stressAt() grants less, never more, as slots fill", () => {
  let last = AT_EASE;
  for (let open = 0; open <= 200; open++) {
    const now = stressAt(open, 200);
    assert.ok(now.commandWithinMs <= last.commandWithinMs);
    assert.ok(now.greetWaitShare <= last.greetWaitShare);
    assert.ok(now.clientShare <= last.clientShare);
    last = now;
  }
  assert.equal(last.commandWithinMs, 5_000);
});

Deno.test("sessionsPerClient() leaves one to everybody", () => {
  const full = stressAt(100, 100);
  assert.equal(sessionsPerClient(50, AT_EASE), 50);
  assert.equal(sessionsPerClient(50, full), 5);
  assert.equal(sessionsPerClient(1, full), 1);
});
