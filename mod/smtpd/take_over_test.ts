import assert from "node:assert/strict";
import type { StoreReply } from "./backend.ts";
import { FakeBackend } from "./fake_backend.ts";
import { type Envelope, takeOver } from "./take_over.ts";

const ENVELOPE: Envelope = {
  queueId: "01KAJ2V7Z0ABCDEF",
  reversePath: "",
  recipients: ["me@home.test"],
  bodyType: "7bit",
  client: { address: "192.0.2.1", helo: "a.test", protocol: "ESMTP" },
};

const YES = { kind: "answered", answer: {} } as const;
const FAILED = { kind: "failed", why: "test" } as const;
const NOT_ON_DISK = { kind: "refused", refusal: "not-on-disk" } as const;
const FULL = { kind: "refused", refusal: "full" } as const;
const UNHEALTHY = { kind: "refused", refusal: "unhealthy" } as const;

// Every row of the moment of responsibility.
const ROWS: {
  sync: typeof YES | typeof FAILED | typeof NOT_ON_DISK;
  accept: typeof YES | typeof FAILED | typeof FULL | typeof UNHEALTHY;
  want: string;
  then: string[];
}[] = [
  { sync: YES, accept: YES, want: "taken", then: ["confirm"] },
  { sync: NOT_ON_DISK, accept: YES, want: "failed", then: ["withdraw"] },
  { sync: FAILED, accept: YES, want: "failed", then: ["withdraw"] },
  { sync: YES, accept: FULL, want: "full", then: ["drop"] },
  { sync: NOT_ON_DISK, accept: FULL, want: "full", then: ["drop"] },
  { sync: YES, accept: UNHEALTHY, want: "failed", then: ["drop"] },
  { sync: YES, accept: FAILED, want: "failed", then: ["withdraw"] },
  { sync: FAILED, accept: FAILED, want: "failed", then: ["withdraw"] },
];

for (const { sync, accept, want, then } of ROWS) {
  Deno.test(`takeOver is ${want} when sync is ${sync.kind}, accept ${JSON.stringify(accept)}`, async () => {
    const backend = new FakeBackend();
    backend.answers.sync = () => Promise.resolve(sync);
    backend.answers.accept = () => Promise.resolve(accept);
    const end = await takeOver(backend, ENVELOPE, backend.storeReply);
    assert.equal(end.is, want);
    assert.deepEqual(backend.calls, ["accept", "sync", ...then]);
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

Deno.test("takeOver asks sync and accept side by side, and waits for both", async () => {
  const backend = new FakeBackend();
  const sync = Promise.withResolvers<typeof YES>();
  backend.answers.sync = () => sync.promise;
  let ended = false;
  const end = takeOver(backend, ENVELOPE, backend.storeReply).then((end) => {
    ended = true;
    return end;
  });
  await new Promise((resolve) => setTimeout(resolve, 1));
  assert.deepEqual(backend.calls, ["accept", "sync"]);
  assert.equal(ended, false, "no 250 before the content is on disk");
  sync.resolve(YES);
  assert.equal((await end).is, "taken");
});
