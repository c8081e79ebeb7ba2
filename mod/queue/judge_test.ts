import assert from "node:assert/strict";
import { span } from "./judge.ts";

const SPANS: [ms: number, want: string][] = [
  [5 * 86_400_000, "5 days"],
  [86_400_000, "1 day"],
  [36 * 3_600_000, "36 hours"],
  [90 * 60_000, "90 minutes"],
  [6_000, "6 seconds"],
  [1_000, "1 second"],
];

Deno.test("span() says a time as people do, and truly", () => {
  for (const [ms, want] of SPANS) assert.equal(span(ms), want);
});
