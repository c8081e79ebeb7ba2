/** Every published hole has a test that is really there. */
import assert from "node:assert/strict";
import { ATTACK_CASES } from "./attack_cases.ts";

const ROOT = new URL("../../", import.meta.url);

for (const { id, shownBy } of ATTACK_CASES) {
  Deno.test(`ATTACK_CASES: ${id} is shown not to work`, () => {
    assert.ok(shownBy.length > 0);
    if (typeof shownBy === "string") return;
    for (const { file, name } of shownBy) {
      const text = Deno.readTextFileSync(new URL(file, ROOT));
      assert.ok(text.includes(name), `${file} has ${JSON.stringify(name)}`);
    }
  });
}

Deno.test("ATTACK_CASES has each once", () => {
  const ids = ATTACK_CASES.map(({ id }) => id);
  assert.equal(new Set(ids).size, ids.length);
});
