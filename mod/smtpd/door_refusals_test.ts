/** What the gate is told of refusals, and the queue of what was looked at. */
import assert from "node:assert/strict";
import { PASS } from "../gate/gate_ipc.ts";
import type { AskOf } from "../ipc/call.ts";
import { refusedAsk } from "./door_refusals.ts";
import { FakeGate } from "./fake_gate.ts";
import { REPLIES } from "./replies.ts";
import { until, withGate } from "./server_fixture.ts";
import { TestClient } from "./test_client.ts";

type Refused = AskOf<
  typeof import("../gate/gate_ipc.ts").gateContract.calls.refused
>;

/** A gate that keeps what it is told of refusals. */
class Listening extends FakeGate {
  readonly refused: Refused[] = [];
  override async ask<K extends Parameters<FakeGate["ask"]>[0]>(
    name: K,
    ask: Parameters<FakeGate["ask"]>[1],
  ) {
    if (name === "refused") this.refused.push(ask as Refused);
    // deno-lint-ignore no-explicit-any
    return await super.ask(name, ask as any) as any;
  }
}

Deno.test("SmtpServer tells the gate of what it refuses by rules of its own, trusted or not", async () => {
  for (const trusted of [[], ["127.0.0.0/8"]]) {
    const gate = new Listening();
    await withGate(gate, {
      maxMessageBytes: 1_024,
      screening: { trusted },
    }, async ({ port }) => {
      const client = await TestClient.open(port);
      await client.dialog(
        ["EHLO client.test", 250],
        ["MAIL FROM:<a@b.test> SIZE=5000", 552],
        ["MAIL FROM:<a@b.test>", 250],
        ["RCPT TO:<nobody@home.test>", 550],
        ["RCPT TO:<me@home.test>", 250],
        ["DATA", 354],
        [`${"x".repeat(900)}\r\n${"x".repeat(900)}\r\n.`, 552],
        ["QUIT", 221],
      );
      await until(() => gate.refused.length === 3, "three are told");
      assert.deepEqual(
        gate.refused.map(({ rule, recipient, said }) =>
          `${rule} ${recipient} ${said?.code} ${said?.enhanced}`
        ),
        [
          "too-large  552 5.3.4",
          "unknown-recipient nobody@home.test 550 5.1.1",
          "too-large me@home.test 552 5.3.4",
        ],
      );
      assert.equal(gate.refused[1]!.reversePath, "a@b.test");
    });
  }
});

Deno.test("SmtpServer tells the queue what was looked at, and the subject's words", async () => {
  const gate = new FakeGate();
  gate.arriving = { verdict: PASS, tests: ["pregreet", "dnsbl", "deep"] };
  gate.scoring = { verdict: PASS, hits: ["bl.test*1"], allowed: false };
  gate.judging = ({ stage }) =>
    stage === "recipient"
      ? { ...PASS, rule: "greylist", evidence: "it came again" }
      : PASS;
  await withGate(gate, {}, async ({ port, backend }) => {
    const client = await TestClient.open(port);
    await client.dialog(
      ["EHLO client.test", 250],
      ["MAIL FROM:<a@b.test>", 250],
      ["RCPT TO:<me@home.test>", 250],
      ["DATA", 354],
      ["Subject: =?utf-8?q?Z=C3=BCrich?= now\r\n\r\nx\r\n.", 250],
      ["QUIT", 221],
    );
    const [taken] = backend.taken;
    const { intake, subjectWords } = taken!.ask;
    assert.deepEqual(subjectWords, ["zürich", "now"]);
    assert.equal(intake!.tls, "");
    const said = intake!.checks.map(({ what, said }) => `${what} ${said}`);
    assert.deepEqual(said.toSorted(), [
      "dnsbl passed",
      "greylist passed",
      "pregreet passed",
      "recipient passed",
    ]);
    const score = intake!.checks.find(({ what }) => what === "dnsbl");
    assert.equal(score!.evidence, "bl.test*1");
  });
});

Deno.test("refusedAsk() says what the client was told", () => {
  const ask = refusedAsk({
    rule: "loop",
    reversePath: "",
    recipient: "me@home.test",
    reply: REPLIES.loop,
    evidence: "e".repeat(400),
  }, { client: "192.0.2.1", helo: "c.test" });
  assert.equal(ask.said!.code, 554);
  assert.equal(ask.said!.enhanced, "5.4.6");
  assert.equal(ask.evidence!.length, 300);
});
