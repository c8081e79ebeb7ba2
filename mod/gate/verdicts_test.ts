import assert from "node:assert/strict";
import { counterOf } from "./verdicts.ts";

Deno.test("counterOf() has no more names than there are rules", () => {
  for (const rule of ["dnsbl", "rate-errors", "rate-concurrency"]) {
    assert.equal(counterOf(rule), `verdict-${rule}`);
  }
  assert.equal(counterOf("client-access"), "verdict-client-access");
  for (const rule of ["", "made-up", "__proto__", "rate-", "x".repeat(64)]) {
    assert.equal(counterOf(rule), "verdict-other");
  }
});
