import assert from "node:assert/strict";
import { FakeGate } from "./fake_gate.ts";
import { GateAsker } from "./gate_asker.ts";

const ASK = {
  stage: "sender",
  client: "192.0.2.1",
  helo: "a.test",
  reversePath: "a@x.test",
  recipient: "",
  login: "",
  trusted: false,
} as const;

Deno.test("judge() does not wait long for a gate that was late", async () => {
  const gate = new FakeGate();
  const asker = new GateAsker(gate, () => {});
  const hang = Promise.withResolvers<void>();
  gate.delays.set("judge", hang.promise);
  asker.late();
  const began = performance.now();
  const reply = await asker.judge(ASK);
  const tookMs = performance.now() - began;
  assert.equal(reply.kind, "failed");
  assert.ok(tookMs > 400 && tookMs < 2_000, String(tookMs));
  // Once it answers, however late, it is waited for again.
  hang.resolve();
  await asker.arrive(ASK.client);
  const slow = Promise.withResolvers<void>();
  gate.delays.set("judge", slow.promise);
  setTimeout(() => slow.resolve(), 700);
  assert.equal((await asker.judge(ASK)).kind, "answered");
});

Deno.test("a gate that is not there is wanted: it may rest, and nobody have said so", async () => {
  const gate = new FakeGate();
  const asker = new GateAsker(gate, () => {});
  await asker.arrive(ASK.client);
  assert.equal(gate.wantedTimes, 0);
  gate.answerers = 0;
  assert.equal(await asker.arrive(ASK.client), undefined, "nobody is kept");
  assert.equal(gate.wantedTimes, 1);
});
