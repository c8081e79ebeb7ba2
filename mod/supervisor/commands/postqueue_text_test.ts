import assert from "node:assert/strict";
import { postqueueLine } from "./postqueue_text.ts";

const recipient = {
  address: "eva@x.test",
  original: "",
  state: "deferred",
  attempts: 2,
  nextAttemptMs: 1_767_000_060_500,
  lastOutcome: "451 4.4.1 no\u202e answer",
  lastHost: "mx.x.test",
};
const message = {
  id: "1M7Z9SBRC14PN355",
  state: "queued",
  arrivedMs: 1_767_000_000_999,
  sizeBytes: 7_000,
  sender: "me@home.test",
  nextHop: "",
  recipients: [recipient],
};

Deno.test("postqueueLine() has Postfix's fields first, then its own", () => {
  const line = postqueueLine(message);
  assert.ok(!line.includes("\u202e"), "a terminal obeys none of it");
  assert.deepEqual(Object.entries(JSON.parse(line)), [
    ["queue_name", "deferred"],
    ["queue_id", "1M7Z9SBRC14PN355"],
    ["arrival_time", 1_767_000_000],
    ["message_size", 7_000],
    ["forced_expire", false],
    ["sender", "me@home.test"],
    ["recipients", [{
      address: "eva@x.test",
      delay_reason: "451 4.4.1 no\u202e answer",
      state: "deferred",
      attempts: 2,
      next_attempt_time: 1_767_000_060,
      host: "mx.x.test",
    }]],
  ]);
});

const QUEUES: { states: string[]; state: string; want: string }[] = [
  { states: ["hold", "hold"], state: "queued", want: "hold" },
  { states: ["hold", "deferred"], state: "queued", want: "deferred" },
  { states: ["incoming"], state: "incoming", want: "incoming" },
  { states: ["active", "deferred"], state: "queued", want: "active" },
  { states: ["bounce"], state: "queued", want: "deferred" },
  { states: ["corrupt"], state: "corrupt", want: "corrupt" },
];

for (const { states, state, want } of QUEUES) {
  Deno.test(`postqueueLine() is in ${want} with ${state}, ${states}`, () => {
    const recipients = states.map((one) => ({ ...recipient, state: one }));
    const line = postqueueLine({ ...message, state, recipients });
    assert.equal(JSON.parse(line).queue_name, want);
  });
}

Deno.test("postqueueLine() calls the empty sender as Postfix does", () => {
  const line = postqueueLine({ ...message, sender: "" });
  assert.equal(JSON.parse(line).sender, "MAILER-DAEMON");
});
