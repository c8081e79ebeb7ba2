/** Screening and the gate's verdicts, over real sockets. */
import assert from "node:assert/strict";
import { PASS } from "../gate/gate_ipc.ts";
import { FakeGate, rejects } from "./fake_gate.ts";
import { type Fixture, until, withGate } from "./server_fixture.ts";
import { TestClient } from "./test_client.ts";

const ALL = ["pregreet", "dnsbl", "deep"] as const;

function testing(...tests: (typeof ALL)[number][]): FakeGate {
  const gate = new FakeGate();
  gate.arriving = { verdict: PASS, tests };
  return gate;
}

/** Says all of a message; returns the reply to RCPT. */
async function deliver(client: TestClient): Promise<string> {
  await client.dialog(["EHLO client.test", 250], ["MAIL FROM:<a@b.test>", 250]);
  const reply = await client.say("RCPT TO:<me@home.test>");
  if (reply.startsWith("250")) {
    await client.dialog(["DATA", 354], ["x\r\n.", 250]);
  }
  await client.dialog(["QUIT", 221]);
  return reply;
}

function events({ logged }: Fixture): string[] {
  return logged.map(({ event, fields }) =>
    `${event} ${fields.rule ?? fields.why ?? ""}`.trim()
  );
}

Deno.test("SmtpServer asks the gate nothing about trusted clients", () => {
  const gate = testing(...ALL);
  return withGate(gate, {
    screening: { trusted: ["127.0.0.0/8"] },
  }, async ({ port }) => {
    const client = await TestClient.open(port);
    assert.match(await deliver(client), /^250/);
    assert.deepEqual(gate.calls, []);
  });
});

Deno.test("SmtpServer judges trusted clients where there are tables", () => {
  const gate = new FakeGate();
  gate.judging = ({ stage }) =>
    stage === "recipient" ? rejects(550, "Not to them") : PASS;
  return withGate(gate, {
    screening: { trusted: ["127.0.0.0/8"], hasTables: true },
  }, async ({ port }) => {
    const client = await TestClient.open(port);
    assert.match(await deliver(client), /^550 5\.7\.1 Not to them$/);
    assert.equal(gate.judged[0]!.trusted, true);
    assert.deepEqual(gate.calls, ["judge 127.0.0.1", "judge 127.0.0.1"]);
  });
});

Deno.test("SmtpServer greets a client that is known at once", () => {
  const gate = new FakeGate();
  return withGate(gate, {
    screening: { greetWaitMs: 30_000 },
  }, async (fixture) => {
    const client = await TestClient.open(fixture.port);
    assert.match(await deliver(client), /^250/);
    await until(() => gate.count("leave") === 1, "it has left");
    assert.deepEqual(gate.calls.map((one) => one.split(" ")[0]), [
      "arrive",
      "judge",
      "judge",
      "leave",
    ]);
    assert.equal(gate.judged[1]!.recipient, "me@home.test");
    assert.equal(gate.judged[1]!.reversePath, "a@b.test");
    assert.equal(gate.judged[1]!.helo, "client.test");
  });
});

Deno.test("SmtpServer loses no octet sent while the gate is asked", () => {
  const gate = new FakeGate();
  const asked = Promise.withResolvers<void>();
  gate.delays.set("arrive", asked.promise);
  return withGate(gate, {}, async ({ port }) => {
    const client = TestClient.openRaw(port);
    client.send("NOOP\r\nQUIT\r\n");
    client.socket.end();
    await until(() => gate.count("arrive") === 1, "asked");
    asked.resolve();
    assert.match(await client.rest(), /^220 .*\r\n250 .*\r\n221 /);
  });
});

Deno.test("SmtpServer tells the gate what a good client passed", () => {
  const gate = testing(...ALL);
  return withGate(gate, {}, async (fixture) => {
    const client = TestClient.openRaw(fixture.port);
    const from = performance.now();
    const greeting = await client.reply();
    assert.match(greeting, /^220-mx\.home\.test .*\|220 mx\.home\.test /);
    assert.ok(performance.now() - from >= 90, "it was made to wait");
    assert.match(await deliver(client), /^250/);
    assert.deepEqual(gate.tested.map(({ passed }) => [...passed].sort()), [
      ["dnsbl", "pregreet"],
      ["deep"],
    ]);
    assert.equal(gate.tested[1]!.helo, "client.test");
    assert.deepEqual(events(fixture), ["message-accepted"]);
  });
});

Deno.test("SmtpServer refuses the recipients of who talks too early", () => {
  const gate = testing(...ALL);
  return withGate(gate, {}, async (fixture) => {
    const client = TestClient.openRaw(fixture.port);
    client.send("EHLO bot.test\r\n");
    assert.match(await client.reply(), /^220-/);
    assert.match(await client.reply(), /^250-/);
    await client.dialog(["MAIL FROM:<a@b.test>", 250]);
    assert.equal(
      await client.say("RCPT TO:<me@home.test>"),
      "550 5.7.1 You spoke before the greeting was complete",
    );
    await client.dialog(["DATA", 554], ["QUIT", 221]);
    const failed = gate.tested.flatMap((one) => one.failed);
    assert.equal(failed[0]!.rule, "pregreet");
    assert.equal(failed[0]!.stopped, true);
    assert.match(failed[0]!.evidence, /"EHLO bot\.test\\r\\n"$/);
    assert.deepEqual(events(fixture), [
      "client-failed-test pregreet",
      "recipient-refused pregreet",
    ]);
    assert.equal(fixture.backend.calls.length, 0, "resolve is not asked");
    assert.equal(fixture.counted.get("failed-pregreet"), 1);
  });
});

Deno.test("SmtpServer drops who talks too early, if so configured", () => {
  const gate = testing("pregreet");
  return withGate(gate, {
    screening: { greetAction: "drop" },
  }, async ({ port, server }) => {
    const client = TestClient.openRaw(port);
    await until(() => client.heard !== "", "half a greeting");
    client.send("EHLO bot.test\r\n");
    assert.match(
      await client.rest(),
      /^220-.*\r\n220 .*\r\n521 5\.7\.1 You spoke/,
    );
    await until(() => server.sessions === 0, "it is gone");
    await until(() => gate.count("leave") === 1, "the gate knows");
  });
});

Deno.test("SmtpServer in shadow mode tells and does nothing", () => {
  const gate = testing("pregreet", "deep");
  return withGate(gate, {
    screening: { shadow: true, greetAction: "drop", deepAction: "drop" },
  }, async (fixture) => {
    const client = TestClient.openRaw(fixture.port);
    client.send("EHLO bot.test\r\nMAIL FROM:<a@b.test>\r\n");
    client.send("RCPT TO:<me@home.test>\r\n");
    for (const code of ["220-", "250-", "250 ", "250 "]) {
      assert.ok((await client.reply()).startsWith(code));
    }
    await client.dialog(["DATA", 354], ["x\r\n.", 250]);
    client.close();
    assert.deepEqual(
      gate.tested.flatMap(({ failed }) => failed).map((one) =>
        `${one.rule} ${one.stopped}`
      ),
      ["pregreet false", "pipelining false"],
    );
  });
});

Deno.test("SmtpServer ends a session that turns out to be no SMTP", () => {
  const gate = testing("deep");
  return withGate(gate, {
    screening: { deepAction: "drop" },
  }, async ({ port }) => {
    const client = await TestClient.open(port);
    client.send("X-Header: yes\r\nHELO a\r\n");
    assert.match(await client.rest(), /^521 5\.7\.1 You said something/);
  });
});

Deno.test("SmtpServer refuses a listed client, late or early", async () => {
  for (const late of [false, true]) {
    const gate = testing("dnsbl");
    gate.scoring = { ...gate.scoring, verdict: rejects(550, "You are listed") };
    const scored = Promise.withResolvers<void>();
    if (late) gate.delays.set("score", scored.promise);
    await withGate(gate, {}, async ({ port }) => {
      const client = await TestClient.open(port);
      await client.dialog(["EHLO a.test", 250]);
      scored.resolve();
      await until(() => gate.tested.length === 1, "the score is known");
      await client.dialog(["MAIL FROM:<>", 250]);
      assert.equal(
        await client.say("RCPT TO:<me@home.test>"),
        "550 5.7.1 You are listed",
      );
      client.close();
    });
  }
});

Deno.test("SmtpServer never waits for a list beyond the greeting's wait", () => {
  const gate = testing(...ALL);
  gate.delays.set("score", new Promise(() => {}));
  return withGate(gate, {}, async ({ port }) => {
    const from = performance.now();
    const client = await TestClient.open(port);
    assert.match(await deliver(client), /^250/);
    assert.ok(performance.now() - from < 1_000);
  });
});

Deno.test("SmtpServer refuses at once whom the gate wants away", () => {
  const gate = new FakeGate();
  gate.arriving = { verdict: rejects(421, "Come back later"), tests: [] };
  return withGate(gate, {}, async ({ port, server, counted }) => {
    const client = TestClient.openRaw(port);
    client.send("EHLO a\r\n");
    assert.equal(await client.rest(), "421 4.7.1 Come back later\r\n");
    await until(() => server.sessions === 0, "it is gone");
    assert.equal(counted.get("clients-refused"), 1);
  });
});

Deno.test("SmtpServer refuses the recipients of whom the gate denies", () => {
  const gate = new FakeGate();
  gate.arriving = { verdict: rejects(550, "You are denied"), tests: [] };
  return withGate(gate, {}, async ({ port }) => {
    const client = await TestClient.open(port);
    assert.equal(await deliver(client), "550 5.7.1 You are denied");
  });
});

Deno.test("SmtpServer lets all in without a gate, and says so once", async () => {
  const faults: ((gate: FakeGate) => void)[] = [
    (gate) => void (gate.answerers = 0),
    (gate) => void gate.fails.add("arrive").add("judge").add("leave"),
    (gate) =>
      void ["arrive", "score"].map((one) =>
        gate.delays.set(one, new Promise(() => {}))
      ),
  ];
  for (const fault of faults) {
    const gate = testing(...ALL);
    fault(gate);
    await withGate(gate, {}, async (fixture) => {
      for (let i = 0; i < 2; i++) {
        const from = performance.now();
        const client = await TestClient.open(fixture.port);
        assert.match(await deliver(client), /^250/);
        assert.ok(performance.now() - from < 1_500);
      }
      const said = events(fixture).filter((one) => one.startsWith("gate-s"));
      assert.equal(said.length, 1, said.join());
    });
  }
});

Deno.test("SmtpServer says later where tables cannot be asked", () => {
  const gate = new FakeGate();
  gate.fails.add("judge");
  return withGate(gate, {
    screening: { hasTables: true },
  }, async ({ port }) => {
    const client = await TestClient.open(port);
    await client.dialog(["EHLO a.test", 250], ["MAIL FROM:<>", 451]);
    client.close();
  });
});

Deno.test("SmtpServer does with a message what the gate says", () => {
  const gate = new FakeGate();
  gate.judging = ({ stage }) =>
    stage === "recipient" ? { ...PASS, action: "hold" } : PASS;
  return withGate(gate, {}, async ({ port, backend }) => {
    const client = await TestClient.open(port);
    assert.match(await deliver(client), /^250/);
    assert.equal(backend.taken[0]!.ask.hold, true);
  });
});

Deno.test("SmtpServer counts errors together, and sends away who has too many", () => {
  const gate = new FakeGate();
  gate.tallying = rejects(421, "Too many errors from you");
  return withGate(gate, {}, async ({ port }) => {
    const client = await TestClient.open(port);
    client.send("A\r\nB\r\nC\r\nNOOP\r\n");
    assert.match(
      await client.rest(),
      /^500 .*\r\n500 .*\r\n500 .*\r\n250 .*\r\n421 4\.7\.1 Too many errors/,
    );
    assert.ok(gate.calls.includes("tally 127.0.0.1 errors 3"));
  });
});

Deno.test("SmtpServer stops with clients in the trap", () => {
  const gate = testing("pregreet");
  return withGate(gate, {
    screening: { greetWaitMs: 30_000 },
  }, async ({ port, server }) => {
    const client = TestClient.openRaw(port);
    await until(() => client.heard !== "", "half a greeting");
    const from = performance.now();
    await server.stop();
    assert.match(await client.rest(), /421 4\.3\.2/);
    assert.ok(performance.now() - from < 1_000);
  });
});

Deno.test("SmtpServer is survived by clients that leave the trap", () => {
  const gate = testing("pregreet");
  return withGate(gate, {
    screening: { greetWaitMs: 30_000 },
  }, async ({ port, server }) => {
    for (let i = 0; i < 20; i++) {
      const client = TestClient.openRaw(port);
      if (i % 2 === 0) {
        await until(() => client.heard !== "", "half a greeting");
      }
      client.close();
    }
    await until(() => server.sessions === 0, "all are gone");
    await until(() => gate.count("leave") === gate.count("arrive"), "all left");
  });
});
