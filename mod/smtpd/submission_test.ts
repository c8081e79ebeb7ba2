/** What a login changes: who may be the sender, where mail may go, the header. */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { FakeGate } from "./fake_gate.ts";
import {
  selfSigned,
  type SubmissionFixture,
  until,
  withSubmission,
} from "./server_fixture.ts";
import { TestClient } from "./test_client.ts";

const PEM = await selfSigned();
const LOGIN = "AUTH PLAIN " +
  Buffer.from("\0me@home.test\0right").toString("base64");

function submissionTest(
  name: string,
  test: (fixture: SubmissionFixture) => Promise<void>,
  hideClient = false,
): void {
  Deno.test(`submission ${name}`, () =>
    withSubmission({ tls: PEM, hideClient }, { isTls: true }, test));
}

async function loggedIn(port: number): Promise<TestClient> {
  const client = await TestClient.openTls(port);
  await client.dialog(["EHLO a.test", 250], [LOGIN, 235]);
  return client;
}

submissionTest("relays for a login, and mends its header", async (fixture) => {
  const { port, backend, logged } = fixture;
  const client = await loggedIn(port);
  await client.dialog(
    ["MAIL FROM:<me@home.test>", 250],
    ["RCPT TO:<x@away.test>", 250],
    ["RCPT TO:<nobody@away.test>", 550],
    ["DATA", 354],
    ["Bcc: y@away.test\r\nSubject: x\r\n\r\nx\r\n.", 250],
    ["QUIT", 221],
  );
  const { ask, body } = backend.taken[0]!;
  assert.deepEqual(ask.recipients, ["x@away.test"]);
  assert.equal(ask.client.login, "me@home.test");
  assert.equal(ask.client.protocol, "ESMTPSA");
  const id = ask.queueId;
  assert.match(body, /^Received: from a\.test .*\r\n\tby mx.* with ESMTPSA/);
  const mended = body.slice(body.indexOf("Subject"));
  const date = /Date: (.*)\r\n/.exec(body)![1]!;
  assert.ok(Math.abs(Date.parse(date) - Date.now()) < 60_000, date);
  assert.equal(
    mended,
    `Subject: x\r\nDate: ${date}\r\nFrom: <me@home.test>\r\n` +
      `Message-ID: <${id}@mx.home.test>\r\n\r\nx\r\n`,
  );
  assert.ok(!body.includes("Bcc"));
  const accepted = logged.find((one) => one.event === "message-accepted");
  assert.equal(accepted?.fields.login, "me@home.test");
});

submissionTest(
  "takes <> of a login, and its own name for From",
  async (fixture) => {
    const { port, backend } = fixture;
    const client = await loggedIn(port);
    await client.dialog(
      ["MAIL FROM:<>", 250],
      ["RCPT TO:<x@away.test>", 250],
      ["DATA", 354],
      ["Subject: read\r\n\r\n.", 250],
    );
    assert.match(backend.taken[0]!.body, /\r\nFrom: <me@home\.test>\r\n/);
    client.close();
  },
);

submissionTest("takes no sender of somebody else's", async (fixture) => {
  const { port, backend, logged } = fixture;
  const client = await loggedIn(port);
  assert.equal(
    await client.say("MAIL FROM:<you@home.test>"),
    "550 5.7.1 Sender address is none of this login's",
  );
  assert.equal(logged.at(-1)!.event, "sender-refused");
  assert.ok(backend.calls.includes("sender you@home.test of me@home.test"));
  await client.dialog(["MAIL FROM:<me@home.test>", 250]);
  client.close();
});

submissionTest("says later where it cannot be sure", async (fixture) => {
  const { port, backend } = fixture;
  const client = await TestClient.openTls(port);
  await client.dialog(["EHLO a.test", 250]);
  const { loginAnswer } = backend;
  const failed = { kind: "failed", why: "test" } as const;
  backend.loginAnswer = () => ({ call: "password", reply: failed });
  for (let i = 0; i < 4; i++) {
    assert.match(await client.say(LOGIN), /^454 4\.7\.0 /);
  }
  backend.loginAnswer = loginAnswer;
  await client.dialog([LOGIN, 235]);
  const { forLogins } = backend;
  backend.forLogins = {
    ...forLogins,
    sender: () => Promise.resolve(failed),
    relay: () => Promise.resolve(failed),
  };
  await client.dialog(
    ["MAIL FROM:<me@home.test>", 451],
    ["MAIL FROM:<>", 250],
    ["RCPT TO:<x@away.test>", 451],
  );
  client.close();
});

submissionTest("hides who the client is, if it shall", async (fixture) => {
  const { port, backend } = fixture;
  const client = await loggedIn(port);
  await client.dialog(
    ["MAIL FROM:<me@home.test>", 250],
    ["RCPT TO:<x@away.test>", 250],
    ["DATA", 354],
    ["Subject: x\r\n\r\n.", 250],
  );
  const { body } = backend.taken[0]!;
  assert.match(body, /^Received: by mx\.home\.test with ESMTPSA id /);
  assert.doesNotMatch(body, /127\.0\.0\.1|a\.test/);
  client.close();
}, true);

submissionTest(
  "reads a response as long as RFC 4954 allows",
  async (fixture) => {
    const client = await TestClient.openTls(fixture.port);
    await client.dialog(["EHLO a.test", 250], ["AUTH PLAIN", 334]);
    // 12,288 octets with CRLF; padded to a whole number of groups.
    assert.match(await client.say("A".repeat(12_284)), /^501 5\.5\.2/);
    await client.dialog(["AUTH PLAIN", 334]);
    assert.match(await client.say("A".repeat(12_288)), /^500 /);
    await client.dialog(["NOOP", 250]);
    client.close();
  },
);

Deno.test("submission makes no test of a client, and counts its failed logins", () => {
  const gate = new FakeGate();
  gate.arriving = {
    ...gate.arriving,
    tests: ["pregreet", "dnsbl", "deep"],
  };
  return withSubmission(
    { tls: PEM },
    { isTls: false, gate },
    async (fixture) => {
      const client = await TestClient.open(fixture.port);
      await client.dialog(["EHLO a.test", 250], ["STARTTLS", 220]);
      await client.startTls();
      await client.dialog(
        ["EHLO a.test", 250],
        ["AUTH PLAIN AGEAYg==", 535],
        ["AUTH PLAIN !", 501],
        [LOGIN, 235],
        ["MAIL FROM:<me@home.test>", 250],
        ["QUIT", 221],
      );
      const tally = "tally 127.0.0.1 auth-failures 1";
      await until(() => gate.calls.includes(tally), "the gate is told");
      await until(() => gate.count("leave") === 1, "the client has left");
      assert.deepEqual([gate.count("score"), gate.count("tested")], [0, 0]);
      assert.equal(gate.judged[0]!.login, "me@home.test");
    },
  );
});

for (const channelBinding of [true, false]) {
  Deno.test(`submission ${channelBinding ? "offers" : "does not offer"} a login bound to the certificate`, () =>
    withSubmission(
      { tls: PEM, channelBinding },
      { isTls: true },
      async ({ port }) => {
        const client = await TestClient.openTls(port);
        client.send("EHLO a.test\r\n");
        const reply = await client.reply();
        assert.match(reply, /AUTH .*SCRAM-SHA-256 /);
        assert.equal(reply.includes("SCRAM-SHA-256-PLUS"), channelBinding);
        client.close();
      },
    ));
}
