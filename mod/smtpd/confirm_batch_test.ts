import assert from "node:assert/strict";
import { ConfirmBatch, MAX_CONFIRMED } from "./confirm_batch.ts";

Deno.test("ConfirmBatch sends a turn's ids in one ask", async () => {
  const sent: string[][] = [];
  const batch = new ConfirmBatch((queueIds) => sent.push(queueIds));
  batch.add("a");
  batch.add("b");
  assert.deepEqual(sent, []);
  await new Promise((resolve) => setTimeout(resolve, 1));
  assert.deepEqual(sent, [["a", "b"]]);
  batch.add("c");
  await new Promise((resolve) => setTimeout(resolve, 1));
  assert.deepEqual(sent, [["a", "b"], ["c"]]);
});

Deno.test("ConfirmBatch never sends more than the call allows", async () => {
  const sent: string[][] = [];
  const batch = new ConfirmBatch((queueIds) => sent.push(queueIds));
  for (let i = 0; i < MAX_CONFIRMED + 1; i++) batch.add(String(i));
  await new Promise((resolve) => setTimeout(resolve, 1));
  assert.deepEqual(sent.map((ids) => ids.length), [MAX_CONFIRMED, 1]);
});
