import assert from "node:assert/strict";
import type { ContentRef } from "../core/shapes.ts";
import { until } from "./laboratory.ts";
import { type SpoolEdge, SpoolLink } from "./spool_link.ts";

const REF = { segment: "pool-1", offset: 0, length: 48, sizeBytes: 0 };

// Its row is deleted by a later commit; a spool that was told of it in the
// meantime would count it as in use until the next time that it is told.
Deno.test("SpoolLink tells no spool of a record that it gave back", async () => {
  const told: (readonly ContentRef[])[] = [];
  const spool = {
    ask: (name: string, { refs }: { refs: readonly ContentRef[] }) => {
      if (name === "adopt") told.push(refs);
      return Promise.resolve({ kind: "answered", answer: {} });
    },
  } as unknown as SpoolEdge;
  const store = {
    refsAfter: (n: number) => ({ refs: n < 0 ? [REF] : [], lastN: 1 }),
  };
  const link = new SpoolLink({ spool, store });
  await link.plugged();
  assert.deepEqual(told.splice(0).flat(), [REF]);
  let taken = false;
  link.release(REF, () => taken = true);
  await until("taken", () => taken);
  await link.plugged();
  assert.deepEqual(told.splice(0).flat(), [], "it is in use by nobody");
  link.rowGone(REF);
  await link.plugged();
  assert.deepEqual(told.flat(), [REF], "the row of another message");
  link.close();
});
