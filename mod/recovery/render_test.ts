import assert from "node:assert/strict";
import { EDGES } from "./edges.ts";
import { refresh } from "./render.ts";

const README = new URL("./README.md", import.meta.url);

Deno.test("README.md shows the tables as they are", () => {
  const document = Deno.readTextFileSync(README);
  assert.equal(
    document,
    refresh(document),
    "deno run -A scripts/recovery_doc.ts",
  );
});

Deno.test("refresh() says so when a document has no place for the tables", () => {
  assert.throws(() => refresh("# nothing"), RangeError);
});

Deno.test("EDGES promise a copy of everything that was acknowledged", () => {
  for (const { name, ends, told, reach } of EDGES) {
    const isKept = ["damaged", "double"].includes(reach.script);
    for (const [death, end] of Object.entries(ends)) {
      if (end.told !== "250" || isKept) continue;
      assert.ok(end.copies[0] > 0, `${name}, ${death}: nobody has it`);
    }
    if (told !== "250") continue;
    for (const [death, end] of Object.entries(ends)) {
      assert.equal(end.told, "250", `${name}, ${death}: a 250 stays said`);
    }
  }
});

Deno.test("EDGES have names of their own", () => {
  const names = EDGES.map(({ name }) => name);
  assert.equal(new Set(names).size, names.length);
});
