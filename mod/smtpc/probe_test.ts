/** Probes against scripted servers on loopback. */
import assert from "node:assert/strict";
import {
  NO_NAMES,
  PART as USUAL,
  safetyOf,
  withServer,
} from "./delivery_fixture.ts";
import { Sources } from "./source.ts";
import { Logins } from "./logins.ts";
import { probe } from "./probe.ts";
import { type Answers, behave, type Heard } from "./scripted_server.ts";

const PART = { ...USUAL, replyWithinMs: 500 };

/** Probes a server that behaves but for `answers`. */
async function meets(answers: Answers, recipient = "a@x.test") {
  const heard: Heard = { lines: [], messages: [] };
  const outcome = await withServer(
    (visit) => behave(visit, answers, heard),
    (server) =>
      probe({
        recipient,
        nextHop: { kind: "host", host: "127.0.0.1", port: server.port },
      }, {
        part: PART,
        names: NO_NAMES,
        safety: safetyOf(),
        isOurs: () => false,
        logins: new Logins(PART, () => {}),
        sources: new Sources(PART),
      }),
  );
  return { outcome, heard };
}

Deno.test("probe() asks with the empty reverse-path, and sends nothing", async () => {
  const { outcome, heard } = await meets({});
  assert.equal(outcome.kind, "delivered");
  assert.deepEqual(heard.lines.slice(0, 3), [
    "EHLO us.test",
    "MAIL FROM:<>",
    "RCPT TO:<a@x.test>",
  ]);
  assert.ok(!heard.lines.includes("DATA"));
  assert.deepEqual(heard.messages, []);
});

const SAID: { name: string; answers: Answers; kind: string; code?: number }[] =
  [
    {
      name: "a no to RCPT",
      answers: { RCPT: "550 5.1.1 who" },
      kind: "permanent",
      code: 550,
    },
    {
      name: "not now at RCPT",
      answers: { RCPT: "450 4.2.1 later" },
      kind: "temporary",
      code: 450,
    },
    {
      name: "552 at RCPT, which is no word on the address",
      answers: { RCPT: "552 too many" },
      kind: "temporary",
    },
    {
      name: "503 at RCPT, which is about the session",
      answers: { RCPT: "503 5.5.1 not now" },
      kind: "temporary",
    },
    {
      name: "a no to MAIL, which is none either",
      answers: { MAIL: "550 5.7.1 not you" },
      kind: "temporary",
    },
    {
      name: "a no in the greeting",
      answers: { greeting: "554 go away" },
      kind: "temporary",
    },
    { name: "silence", answers: { RCPT: "MUTE" }, kind: "temporary" },
    {
      name: "a lost connection",
      answers: { RCPT: "RESET" },
      kind: "temporary",
    },
  ];

for (const { name, answers, kind, code } of SAID) {
  Deno.test(`probe() takes ${name} for ${kind}`, async () => {
    const { outcome } = await meets(answers);
    assert.equal(outcome.kind, kind);
    if (code !== undefined) assert.equal(outcome.code, code);
  });
}

Deno.test("probe() writes no address that would be a parameter", async () => {
  const { outcome, heard } = await meets({}, "a> NOTIFY=NEVER x@x.test");
  assert.equal(outcome.kind, "permanent");
  assert.deepEqual(heard.lines, []);
});

Deno.test("probe() asks nothing with SMTPUTF8 of a server without", async () => {
  const { outcome, heard } = await meets({}, "\u00fc@x.test");
  assert.equal(outcome.kind, "temporary");
  assert.ok(!heard.lines.some((line) => line.startsWith("RCPT")));
});
