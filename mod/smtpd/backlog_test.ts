import assert from "node:assert/strict";
import { Backlog } from "./backlog.ts";

Deno.test("Backlog gives each message less, the more there are", () => {
  const backlog = new Backlog();
  assert.equal(backlog.mostEach, 262_144);
  for (let n = 0; n < 256; n++) backlog.begin();
  assert.equal(backlog.mostEach, 262_144);
  for (let n = 0; n < 768; n++) backlog.begin();
  assert.equal(backlog.mostEach, 65_536);
  for (let n = 0; n < 99_000; n++) backlog.begin();
  assert.equal(backlog.mostEach, 8_192);
  for (let n = 0; n < 100_024; n++) backlog.end();
  assert.equal(backlog.mostEach, 262_144);
  assert.throws(() => backlog.end(), RangeError);
});
