import assert from "node:assert/strict";
import { visible } from "./visible.ts";

Deno.test("visible() replaces controls and direction marks, nothing else", () => {
  assert.equal(
    visible("a\x1b[2J\r\n\x00\x7f\x9b\u2028\u200f\u202e\u2066b", "?"),
    "a?[2J?????????b",
  );
  assert.equal(visible("Grüße, 世界 <a@b>", "?"), "Grüße, 世界 <a@b>");
});
