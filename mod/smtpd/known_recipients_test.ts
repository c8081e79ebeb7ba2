import assert from "node:assert/strict";
import {
  BELIEVE_MS,
  KnownRecipients,
  MAX_AHEAD,
  MAX_KNOWN,
} from "./known_recipients.ts";

function bench() {
  const asked: string[] = [];
  const clock = { nowMs: 0 };
  const refused = new Set<string>();
  const known = new KnownRecipients((address) => {
    asked.push(address);
    const kind = refused.has(address) ? "refused" : "answered";
    return Promise.resolve({ kind });
  }, () => clock.nowMs);
  return { asked, clock, refused, known };
}

Deno.test("KnownRecipients asks about an address once a moment", async () => {
  const { asked, clock, known } = bench();
  for (let i = 0; i < 3; i++) await known.recipient("a@b.test");
  assert.deepEqual(asked, ["a@b.test"]);
  clock.nowMs = BELIEVE_MS;
  assert.deepEqual(await known.recipient("a@b.test"), { kind: "answered" });
  assert.equal(asked.length, 2);
});

Deno.test("KnownRecipients remembers no refusal, and forgets what is refused now", async () => {
  const { asked, clock, refused, known } = bench();
  await known.recipient("a@b.test");
  clock.nowMs = BELIEVE_MS;
  refused.add("a@b.test");
  for (let i = 0; i < 2; i++) {
    assert.deepEqual(await known.recipient("a@b.test"), { kind: "refused" });
  }
  assert.equal(asked.length, 3);
});

Deno.test("KnownRecipients is bounded: the oldest goes", async () => {
  const { asked, known } = bench();
  for (let i = 0; i <= MAX_KNOWN; i++) await known.recipient(`${i}@b.test`);
  asked.length = 0;
  await known.recipient(`${MAX_KNOWN}@b.test`);
  await known.recipient("1@b.test");
  assert.deepEqual(asked, []);
  await known.recipient("0@b.test");
  assert.deepEqual(asked, ["0@b.test"]);
});

Deno.test("KnownRecipients asks once about what is asked and foreseen together", async () => {
  const { asked, known } = bench();
  known.foresee("a@b.test");
  await Promise.all([known.recipient("a@b.test"), known.recipient("a@b.test")]);
  assert.deepEqual(asked, ["a@b.test"]);
});

Deno.test("KnownRecipients.foresee() asks nothing when much is asked already", () => {
  const asked: string[] = [];
  const known = new KnownRecipients<{ kind: string }>((address) => {
    asked.push(address);
    return new Promise(() => {});
  });
  for (let i = 0; i < MAX_AHEAD + 5; i++) known.foresee(`${i}@b.test`);
  assert.equal(asked.length, MAX_AHEAD);
  void known.recipient("now@b.test");
  assert.equal(asked.length, MAX_AHEAD + 1);
});
