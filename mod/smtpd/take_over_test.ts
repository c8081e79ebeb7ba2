import { NO_WISHES } from "../core/shapes.ts";
import assert from "node:assert/strict";
import type { StoreReply } from "./backend.ts";
import { FakeBackend } from "./fake_backend.ts";
import { type Envelope, takeOver } from "./take_over.ts";

const ENVELOPE: Envelope = {
  queueId: "01KAJ2V7Z0ABCDEF",
  reversePath: "",
  recipients: ["me@home.test"],
  bodyType: "7bit",
  wishes: NO_WISHES,
  recipientWishes: [],
  hold: false,
  discard: false,
  client: {
    address: "192.0.2.1",
    helo: "a.test",
    protocol: "ESMTP",
    login: "",
  },
};

const YES = { kind: "answered", answer: {} } as const;
const FAILED = { kind: "failed", why: "test" } as const;
const FULL = { kind: "refused", refusal: "full" } as const;
const UNHEALTHY = { kind: "refused", refusal: "unhealthy" } as const;

// Every row of the moment of responsibility.
const ROWS: {
  accept: typeof YES | typeof FAILED | typeof FULL | typeof UNHEALTHY;
  want: string;
  then: string[];
}[] = [
  { accept: YES, want: "taken", then: [] },
  { accept: FULL, want: "full", then: ["drop"] },
  { accept: UNHEALTHY, want: "failed", then: ["drop"] },
  { accept: FAILED, want: "failed", then: [] },
];

for (const { accept, want, then } of ROWS) {
  Deno.test(`takeOver is ${want} when accept is ${JSON.stringify(accept)}`, async () => {
    const backend = new FakeBackend();
    backend.answers.accept = () => Promise.resolve(accept);
    const end = await takeOver(backend, ENVELOPE, backend.storeReply);
    assert.equal(end.is, want);
    assert.deepEqual(backend.calls, ["accept", ...then]);
  });
}

for (
  const [stored, want] of [[FULL, "full"], [UNHEALTHY, "failed"], [
    FAILED,
    "failed",
  ]] as [StoreReply, string][]
) {
  Deno.test(`takeOver asks nobody when the store is ${JSON.stringify(stored)}`, async () => {
    const backend = new FakeBackend();
    const end = await takeOver(backend, ENVELOPE, stored);
    assert.equal(end.is, want);
    assert.deepEqual(backend.calls, []);
  });
}

Deno.test("takeOver gives the record of a discarded message back, and says taken", async () => {
  const backend = new FakeBackend();
  const envelope = { ...ENVELOPE, discard: true };
  const end = await takeOver(backend, envelope, backend.storeReply);
  assert.equal(end.is, "taken");
  assert.deepEqual(backend.calls, ["drop"]);
});
