import assert from "node:assert/strict";
import { OneAtATime } from "./one_at_a_time.ts";

Deno.test("OneAtATime does one thing after the other, and refuses too many", async () => {
  const serial = new OneAtATime(2);
  const gate = Promise.withResolvers<void>();
  const seen: string[] = [];
  const first = serial.run(async () => {
    seen.push("first begins");
    await gate.promise;
    seen.push("first ends");
    throw new Error("first fails");
  });
  const second = serial.run(() => Promise.resolve(seen.push("second")));
  assert.equal(serial.run(() => Promise.resolve()), undefined);
  await Promise.resolve();
  gate.resolve();
  await assert.rejects(first!, /first fails/);
  await second;
  assert.deepEqual(seen, ["first begins", "first ends", "second"]);
  await serial.run(() => Promise.resolve());
});
