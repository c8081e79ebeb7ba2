import assert from "node:assert/strict";
import { ownOutcome } from "../core/outcome.ts";
import { endingOf, judge, type Law } from "./judge.ts";
import { newMessage, newRecipient, type Recipient } from "./message.ts";
import { choose, MAX_DEPTH } from "./route.ts";
import type { Target } from "../resolve/resolve_ipc.ts";

const DAY_MS = 86_400_000;
const LAW: Law = {
  nowMs: 10 * DAY_MS,
  random: 0,
  firstRetryMs: 1_000,
  maxRetryMs: 60_000,
  expireMs: 5 * DAY_MS,
  graceUntilMs: 0,
};
const NOT_NOW = ownOutcome("temporary", 451, "4.2.0", "not now");

function recipient(attempts: number): Recipient {
  return { ...newRecipient(0, "bob@home.test"), state: "active", attempts };
}

Deno.test("judge defers with growing delay, then fails with 4.4.7 when expired", () => {
  const young = { arrivedMs: LAW.nowMs - DAY_MS };
  const old = { arrivedMs: LAW.nowMs - 6 * DAY_MS };
  const one = recipient(2);
  const result = { kind: "outcome", recipient: one, outcome: NOT_NOW } as const;
  assert.equal(judge(young, result, LAW), "deferred");
  assert.equal(one.attempts, 3);
  assert.equal(one.nextMs, LAW.nowMs + 2_250);
  assert.equal(judge(old, result, LAW), "failed");
  assert.equal(one.state, "bounce");
  assert.equal(one.last?.enhanced, "4.4.7");
  assert.match(one.last!.text, /5 days.*not now/);
});

Deno.test("judge lets nothing expire at the first attempt or during grace", () => {
  const old = { arrivedMs: 0 };
  const outcome = NOT_NOW;
  const first = { kind: "outcome", recipient: recipient(0), outcome } as const;
  assert.equal(judge(old, first, LAW), "deferred");
  const later = { kind: "outcome", recipient: recipient(9), outcome } as const;
  const grace = { ...LAW, graceUntilMs: LAW.nowMs + 1 };
  assert.equal(judge(old, later, grace), "deferred");
  assert.equal(judge(old, later, LAW), "failed");
});

Deno.test("judge counts no attempt when a recipient is postponed", () => {
  const one = recipient(1);
  const untilMs = LAW.nowMs + 5;
  const result = { kind: "postponed", recipient: one, untilMs, why: NOT_NOW };
  assert.equal(
    judge({ arrivedMs: LAW.nowMs }, { ...result, kind: "postponed" }, LAW),
    "deferred",
  );
  assert.equal(one.attempts, 1);
  assert.equal(one.nextMs, untilMs);
});

Deno.test("endingOf parks until the earliest next attempt, holds apart", () => {
  const ref = { segment: "s", offset: 0, length: 1, sizeBytes: 1 };
  const facts = {
    n: 1,
    id: "A",
    slot: 0,
    ref,
    reversePath: "",
    is8bit: false,
    arrivedMs: 0,
  };
  const at = (state: Recipient["state"], nextMs: number) => ({
    ...recipient(1),
    state,
    nextMs,
  });
  const ending = (...recipients: Recipient[]) =>
    endingOf(newMessage(facts, recipients));
  assert.deepEqual(
    ending(at("deferred", 9), at("deferred", 5), at("hold", 0)),
    {
      kind: "parked",
      dueMs: 5,
    },
  );
  assert.deepEqual(ending(at("hold", 0)), { kind: "parked", dueMs: -1 });
  assert.deepEqual(ending(at("deferred", 9), at("bounce", 0)), {
    kind: "bounce",
  });
  assert.deepEqual(ending(), { kind: "spent" });
});

Deno.test("choose stops at a recipient's own name, and at aliases that grow for ever", () => {
  const remote = (address: string): Target => ({
    kind: "remote",
    address,
    nextHop: { kind: "mx", domain: "far.test" },
  });
  const targets = [remote("a@far.test"), remote("b@far.test")];
  assert.equal(
    choose({ address: "a@far.test", depth: 0 }, targets).kind,
    "several",
  );
  assert.deepEqual(choose({ address: "a@far.test", depth: 1 }, targets), {
    kind: "one",
    target: targets[0],
  });
  assert.equal(
    choose({ address: "c@far.test", depth: MAX_DEPTH }, targets).kind,
    "loop",
  );
});
