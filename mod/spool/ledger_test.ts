import assert from "node:assert/strict";
import type { ContentRef } from "../core/shapes.ts";
import { GRACE_MS, Ledger } from "./ledger.ts";

const durable = Promise.resolve("on-disk" as const);

function ref(segment: string, offset: number): ContentRef {
  return { segment, offset, length: 100, sizeBytes: 52 };
}

function own(storedAtMs: number, asker = "smtpd.0") {
  return { storedAtMs, asker, durable };
}

Deno.test("Ledger keeps a segment live until its last record is removed", () => {
  const ledger = new Ledger(0);
  ledger.add(ref("a", 0), own(1));
  ledger.add(ref("a", 512), own(1));
  assert.ok(ledger.remove(ref("a", 0)));
  assert.ok(ledger.isLive("a"));
  assert.ok(ledger.remove(ref("a", 512)));
  assert.ok(!ledger.isLive("a"));
});

Deno.test("Ledger ignores the release of what it does not know", () => {
  const ledger = new Ledger(0);
  ledger.add(ref("a", 0), own(1));
  assert.ok(!ledger.remove(ref("a", 512)));
  assert.ok(!ledger.remove(ref("b", 0)));
  assert.ok(!ledger.remove({ ...ref("a", 0), length: 99 }));
  assert.ok(ledger.isLive("a"));
});

Deno.test("Ledger.completeAdopt() replaces what was stored before the grace", () => {
  const ledger = new Ledger(0);
  ledger.add(ref("a", 0), own(1));
  ledger.add(ref("b", 0), own(1));
  ledger.adopt([ref("b", 0), ref("c", 0)], GRACE_MS + 2);
  assert.equal(ledger.completeAdopt(), 1);
  assert.deepEqual([...ledger.segments].sort(), ["b", "c"]);
});

Deno.test("Ledger.completeAdopt() keeps a record that is on its way to the queue", () => {
  const ledger = new Ledger(0);
  const begin = 10 * GRACE_MS;
  ledger.add(ref("old", 0), own(begin - GRACE_MS - 1));
  ledger.add(ref("young", 0), own(begin - GRACE_MS));
  ledger.adopt([], begin);
  ledger.add(ref("within", 0), own(begin + 1));
  // The pages may take their time: what counts is when the first one came.
  ledger.adopt([], begin + 5 * GRACE_MS);
  assert.equal(ledger.completeAdopt(), 1);
  assert.deepEqual([...ledger.segments].sort(), ["within", "young"]);
});

Deno.test("Ledger.completeAdopt() does not bring back what was released during the pages", () => {
  const ledger = new Ledger(0);
  ledger.add(ref("a", 0), own(1));
  ledger.adopt([ref("a", 0)], 2);
  ledger.remove(ref("a", 0));
  ledger.adopt([ref("a", 0)], 3);
  ledger.completeAdopt();
  assert.ok(!ledger.isLive("a"));
});

Deno.test("Ledger.abandonAdopt() forgets the pages of a queue that died", () => {
  const ledger = new Ledger(0);
  ledger.add(ref("a", 0), own(1));
  ledger.adopt([ref("ghost", 0)], 10 * GRACE_MS);
  ledger.abandonAdopt();
  assert.ok(ledger.isLive("a"));
  ledger.adopt([ref("a", 0)], 11 * GRACE_MS);
  ledger.completeAdopt();
  assert.deepEqual([...ledger.segments], ["a"]);
});

Deno.test("Ledger holds a segment until a sequence that began a grace after the start", () => {
  const ledger = new Ledger(1_000);
  ledger.hold(["young"]);
  ledger.adopt([], 1_000 + GRACE_MS - 1);
  ledger.completeAdopt();
  assert.ok(ledger.isLive("young"));
  ledger.adopt([], 1_000 + GRACE_MS);
  ledger.completeAdopt();
  assert.ok(!ledger.isLive("young"));
});

Deno.test("Ledger.askerGone() takes away the right to drop", () => {
  const ledger = new Ledger(0);
  ledger.add(ref("a", 0), own(1, "smtpd.0"));
  ledger.add(ref("b", 0), own(1, "smtpd.1"));
  ledger.askerGone("smtpd.0");
  assert.equal(ledger.find(ref("a", 0))?.own?.asker, undefined);
  assert.equal(ledger.find(ref("b", 0))?.own?.asker, "smtpd.1");
});
