import assert from "node:assert/strict";
import { tamed, visible } from "./visible.ts";

Deno.test("visible() replaces controls and direction marks, nothing else", () => {
  assert.equal(
    visible("a\x1b[2J\r\n\x00\x7f\x9b\u2028\u200f\u202e\u2066b", "?"),
    "a?[2J?????????b",
  );
  assert.equal(visible("Grüße, 世界 <a@b>", "?"), "Grüße, 世界 <a@b>");
});

Deno.test("tamed() has nothing that a terminal obeys, and says the same", () => {
  const data = { said: "a\x1b[2J\x9b2J\x7f\u202e\u2028b", "Grüße": ["世界"] };
  const text = tamed(JSON.stringify(data));
  assert.deepEqual(JSON.parse(text), data);
  for (const mark of "\x1b\x9b\x7f\u202e\u2028") {
    assert.ok(!text.includes(mark));
  }
  assert.ok(text.includes("Grüße") && text.includes("世界"));
});
