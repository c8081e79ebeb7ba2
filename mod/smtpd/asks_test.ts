import assert from "node:assert/strict";
import { ask } from "./asks.ts";
import { FakeBackend } from "./fake_backend.ts";
import { NO_RECIPIENT_WISHES } from "../core/shapes.ts";
import { NEW_SESSION, type Question } from "./session.ts";

type Reply = Awaited<ReturnType<FakeBackend["answers"]["recipient"]>>;

const REFUSED: { name: string; reply: Reply; why: string; code: number }[] = [
  {
    name: "unknown",
    reply: { kind: "refused", refusal: "unknown-recipient" },
    why: "unknown-recipient",
    code: 550,
  },
  {
    name: "not ours",
    reply: { kind: "refused", refusal: "relay-denied" },
    why: "relay-denied",
    code: 554,
  },
  {
    name: "an alias loop",
    reply: { kind: "refused", refusal: "alias-loop" },
    why: "alias-loop",
    code: 451,
  },
  {
    name: "not to be had",
    reply: { kind: "failed", why: "test" },
    why: "failed",
    code: 451,
  },
];

const QUESTION: Question = {
  about: "recipient",
  address: "b@home.test",
  wishes: NO_RECIPIENT_WISHES,
};

for (const { name, reply, why, code } of REFUSED) {
  Deno.test(`ask() denies a recipient that is ${name}, counts and logs it`, async () => {
    const backend = new FakeBackend();
    backend.answers.recipient = () => Promise.resolve(reply);
    const told: unknown[] = [];
    const answer = await ask(QUESTION, {
      backend,
      session: NEW_SESSION,
      guard: undefined,
      refused: () => {},
      count: (name) => told.push(name),
      log: (event, fields) => told.push({ event, ...fields }),
    });
    assert.equal(answer.is === "denied" && answer.reply.code, code);
    assert.deepEqual(told, [
      `recipients-${why}`,
      { event: "recipient-refused", to: "b@home.test", why },
    ]);
  });
}
