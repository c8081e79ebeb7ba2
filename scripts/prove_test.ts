import assert from "node:assert/strict";
import { help, PROOFS, proofsNamed } from "./prove.ts";

Deno.test("proofsNamed gives those named, all without a name, and names a stranger", () => {
  const [first, second] = PROOFS;
  assert.deepEqual(proofsNamed([]), PROOFS);
  assert.deepEqual(proofsNamed([second!.name]), [second]);
  assert.deepEqual(proofsNamed([second!.name, first!.name]), [first, second]);
  assert.deepEqual(proofsNamed([first!.name, "nonsense"]), {
    unknown: "nonsense",
  });
});

Deno.test("every proof has a name of its own, a file, and a line of help", () => {
  const names = PROOFS.map(({ name }) => name);
  assert.equal(new Set(names).size, names.length);
  for (const { name, path, shows } of PROOFS) {
    assert.ok(Deno.statSync(new URL(`../${path}`, import.meta.url)).isFile);
    assert.ok(help().includes(name) && help().includes(shows));
  }
});
