import assert from "node:assert/strict";
import { MAX_ALL, MAX_EACH, SuccessLimit } from "./success_limit.ts";

Deno.test("allows() tells one sender so often in an hour, and all so often", () => {
  const limit = new SuccessLimit();
  for (let n = 0; n < MAX_EACH; n++) assert.ok(limit.allows("a@b.test", 0));
  assert.equal(limit.allows("A@b.test", 0), false);
  for (let n = MAX_EACH; n < MAX_ALL; n++) {
    assert.ok(limit.allows(`${n}@b.test`, 0));
  }
  assert.equal(limit.allows("c@b.test", 0), false);
  assert.equal(limit.allows("c@b.test", 3_600_000), true);
});
