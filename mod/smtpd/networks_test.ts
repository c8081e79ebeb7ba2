import assert from "node:assert/strict";
import { Networks } from "./networks.ts";

Deno.test("Networks.has() tells what is inside and what is not", () => {
  const networks = new Networks(["127.0.0.0/8", "192.0.2.128/25", "::1"]);
  for (const one of ["127.0.0.1", "192.0.2.255", "::1", "::ffff:127.0.0.1"]) {
    assert.equal(networks.has(one), true, one);
  }
  for (const one of ["128.0.0.1", "192.0.2.1", "::2", "", "unknown"]) {
    assert.equal(networks.has(one), false, one);
  }
  assert.equal(new Networks([]).has("127.0.0.1"), false);
  assert.throws(() => new Networks(["127.0.0.1/8"]), RangeError);
});
