import assert from "node:assert/strict";
import { jsonText } from "./exit.ts";

Deno.test("jsonText() has nothing that a terminal obeys, and says the same", () => {
  const data = { said: "a\x1b[2J\x9b2J\x7f\u202e\u2028b", "Grüße": ["世界"] };
  const text = jsonText(data);
  assert.deepEqual(JSON.parse(text), data);
  for (const mark of "\x1b\x9b\x7f\u202e\u2028") {
    assert.ok(!text.includes(mark));
  }
  assert.ok(text.includes("Grüße") && text.includes("世界"));
});
