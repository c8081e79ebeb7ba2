import assert from "node:assert/strict";
import { DelayHistogram, quantileMs } from "./delay_histogram.ts";

Deno.test("DelayHistogram counts each bound with those below it", () => {
  const delays = new DelayHistogram();
  for (const ms of [-5, 10, 11, 86_400_000, 86_400_001]) delays.add(ms);
  const { upTo, sumMs } = delays.read();
  assert.deepEqual([upTo[0], upTo[1], upTo.at(-2), upTo.at(-1)], [2, 3, 4, 5]);
  assert.equal(sumMs, 172_800_022);
});

Deno.test("quantileMs() tells of what came between two readings", () => {
  const delays = new DelayHistogram();
  const none = delays.read().upTo;
  assert.equal(quantileMs(none, none, 0.5), 0);
  for (let i = 0; i < 100; i++) delays.add(3_000_000);
  const before = delays.read().upTo;
  for (let i = 0; i < 90; i++) delays.add(20);
  for (let i = 0; i < 10; i++) delays.add(7_000);
  const after = delays.read().upTo;
  const median = quantileMs(before, after, 0.5);
  assert.ok(median > 10 && median <= 25, `${median}`);
  const late = quantileMs(before, after, 0.95);
  assert.ok(late > 5_000 && late <= 10_000, `${late}`);
  for (let i = 0; i < 200; i++) delays.add(1e9);
  assert.equal(quantileMs(after, delays.read().upTo, 0.5), 86_400_000);
});
