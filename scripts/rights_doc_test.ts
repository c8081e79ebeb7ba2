import assert from "node:assert/strict";
import { formatted } from "./formatted.ts";
import { RIGHTS_PAGE, rightsPage } from "./rights_doc.ts";

Deno.test("docs/rights.md is what the manifests say: deno run -A scripts/rights_doc.ts", async () => {
  assert.equal(
    Deno.readTextFileSync(RIGHTS_PAGE),
    await formatted(rightsPage()),
  );
});
