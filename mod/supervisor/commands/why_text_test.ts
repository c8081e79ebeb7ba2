import assert from "node:assert/strict";
import type { Journey } from "../../journey/journey.ts";
import { foundText, journeyText } from "./why_text.ts";

const JOURNEY: Journey = {
  queueId: "1M7Z9AR45QFFN7QT",
  isQueued: true,
  headline: "Waiting for <bob@remote.test>: it says \u001b[2Jno.",
  tone: "waiting",
  steps: [
    {
      atMs: Date.UTC(2026, 10, 21, 12, 30, 5),
      kind: "attempt",
      tone: "waiting",
      recipient: "bob@\u202eremote.test",
      text: `${"word ".repeat(40)}${"x".repeat(200)}`,
      details: ["S: 450 \u0007 later"],
    },
  ],
  next: "It is tried again in 12 minutes.",
  advice: [{
    text: "Do it.",
    command: "bulkhead queue retry 1M7Z9AR45QFFN7QT",
  }],
};

Deno.test("journeyText() keeps to 80 columns and obeys nobody's characters", () => {
  const text = journeyText(JOURNEY, true);
  // deno-lint-ignore no-control-regex
  assert.doesNotMatch(text, /[\x00-\x09\x0b-\x1f\x7f\u202e]/);
  for (const line of text.split("\n")) assert.ok(line.length < 80, line);
  assert.match(text, /^1M7Z9AR45QFFN7QT: Waiting for/);
  assert.match(text, /^2026-11-21 \(UTC\)$/m);
  assert.match(text, /^12:30:05 ~ word/m);
  assert.match(text, /^Next: It is tried/m);
  assert.match(text, /^ {4}bulkhead queue retry 1M7Z9AR45QFFN7QT$/m);
  assert.match(text, /S: 450 \? later/);
  assert.doesNotMatch(journeyText(JOURNEY, false), /S: 450/);
});

Deno.test("foundText() lists few, newest first, and says how to pick one", () => {
  const found = Array.from({ length: 25 }, (_, n) => ({
    queueId: `ID${n}`,
    atMs: Date.UTC(2026, 10, 21),
    sender: "a@sender.test",
    to: ["bob@home.test", "carol@home.test"],
    recipients: 9,
    state: "deferred",
  }));
  const text = foundText(found);
  assert.match(text, /^25 messages, the newest first/);
  assert.match(text, /<a@sender\.test> to <bob@home\.test> and 8 more/);
  assert.match(text, /and 5 more; another word narrows it down/);
  assert.match(text, /Pick one: bulkhead why ID0$/);
  const many = Array.from({ length: 100 }, () => found[0]!);
  assert.match(foundText(many), /^The newest 100 messages, there may be more/);
});
