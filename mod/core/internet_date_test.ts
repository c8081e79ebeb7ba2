import assert from "node:assert/strict";
import { internetDate } from "./internet_date.ts";

Deno.test("internetDate pads days as RFC 5322 allows", () => {
  assert.equal(internetDate(0), "Thu, 01 Jan 1970 00:00:00 +0000");
});
