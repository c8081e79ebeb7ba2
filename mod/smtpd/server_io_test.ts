import assert from "node:assert/strict";
import {
  type Fixture,
  TEST_PART,
  until,
  withServer,
} from "./server_fixture.ts";
import { TestClient } from "./test_client.ts";

const ENVELOPE: [string, number][] = [
  ["EHLO a.test", 250],
  ["MAIL FROM:<s@a.test>", 250],
  ["RCPT TO:<me@home.test>", 250],
];
const HEAD = ENVELOPE.map(([line]) => line + "\r\n").join("");

function serverTest(
  name: string,
  part: Parameters<typeof withServer>[0],
  test: (fixture: Fixture) => Promise<void>,
): void {
  Deno.test(`SmtpServer ${name}`, () => withServer(part, test));
}

serverTest(
  "takes a message over, octet for octet",
  {},
  async ({ port, backend, logged }) => {
    const client = await TestClient.open(port);
    await client.dialog(...ENVELOPE, ["RCPT TO:<q@home.test>", 250], [
      "DATA",
      354,
    ]);
    client.send("Subject: x\r\n\r\n..dot\r\n\xff\x80\r\n.\r\n");
    const reply = await client.reply();
    assert.match(reply, /^250 2\.0\.0 Ok: queued as [0-9A-Z]{16}$/);
    const { ask, body } = backend.taken[0]!;
    assert.equal(reply.slice(-16), ask.queueId);
    assert.equal(ask.reversePath, "s@a.test");
    assert.deepEqual(ask.recipients, ["me@home.test", "q@home.test"]);
    assert.deepEqual(ask.client, {
      address: "127.0.0.1",
      helo: "a.test",
      protocol: "ESMTP",
      login: "",
    });
    const [received, rest] = [
      body.slice(0, body.indexOf("Subject")),
      body.slice(body.indexOf("Subject")),
    ];
    assert.match(
      received,
      new RegExp(
        `^Received: from a\\.test \\(\\[127\\.0\\.0\\.1\\]\\)\\r\\n\\tby mx\\.home\\.test with ESMTP id ${ask.queueId};\\r\\n\\t[^\\r\\n]+ \\+0000\\r\\n$`,
      ),
    );
    assert.equal(rest, "Subject: x\r\n\r\n.dot\r\n\xff\x80\r\n");
    assert.deepEqual(backend.calls.slice(-2), [
      "store",
      "accept",
    ]);
    assert.equal(logged.at(-1)!.event, "message-accepted");
    assert.equal(await client.say("QUIT"), "221 2.0.0 Bye");
    assert.equal(await client.rest(), "");
  },
);

serverTest(
  "answers a pipelined batch in order",
  {},
  async ({ port, backend }) => {
    const client = await TestClient.open(port);
    client.send(
      HEAD +
        "RCPT TO:<nobody@home.test>\r\nRCPT TO:<x@away.test>\r\nNOOP\r\nDATA\r\n",
    );
    const codes: string[] = [];
    for (let i = 0; i < 7; i++) codes.push((await client.reply()).slice(0, 3));
    assert.deepEqual(codes, ["250", "250", "250", "550", "554", "250", "354"]);
    client.send(`.\r\n${HEAD.slice(HEAD.indexOf("MAIL"))}DATA\r\n`);
    for (const code of ["250", "250", "250", "354"]) {
      assert.equal((await client.reply()).slice(0, 3), code);
    }
    client.send("second\r\n.\r\nQUIT\r\n");
    assert.match(await client.rest(), /^250 .*\r\n221 .*\r\n$/);
    assert.equal(backend.taken.length, 2);
  },
);

serverTest(
  "asks ahead about recipients named in one go, and about no more",
  {},
  async ({ port, backend }) => {
    const foreseen: string[] = [];
    Object.assign(backend, { foresee: (one: string) => foreseen.push(one) });
    const client = await TestClient.open(port);
    const rcpt = (n: number) => `RCPT TO:<u${n}@home.test>\r\n`;
    const names = Array.from({ length: 40 }, (_, n) => n);
    client.send(HEAD + names.map(rcpt).join("") + "NOOP\r\n" + rcpt(99));
    const before = HEAD.split("\r\n").length - 1;
    const codes: string[] = [];
    for (let i = 0; i < before + 42; i++) {
      codes.push((await client.reply()).slice(0, 3));
    }
    assert.deepEqual(codes, codes.map(() => "250"));
    // The first of each batch is asked about in its turn.
    assert.equal(new Set(foreseen).size, foreseen.length);
    assert.ok(foreseen.length >= 38, `${foreseen.length} foreseen`);
    assert.ok(!foreseen.includes("u99@home.test"));
    client.send("QUIT\r\n");
    await client.rest();
  },
);

serverTest("answers a batch in one write", {}, async ({ port }) => {
  const client = await TestClient.open(port);
  let parts = 0;
  client.socket.on("data", () => parts++);
  client.send(HEAD + "NOOP\r\n");
  for (let i = 0; i < 4; i++) await client.reply();
  assert.equal(parts, 1);
});

serverTest(
  "says that a message is taken before it goes on with the batch",
  {},
  async ({ port, backend }) => {
    const { promise, resolve } = Promise.withResolvers<void>();
    const accept = backend.answers.accept;
    let accepts = 0;
    backend.answers.accept = async (ask) => {
      if (++accepts === 2) await promise;
      return accept(ask);
    };
    const client = await TestClient.open(port);
    const mail = "MAIL FROM:<s@a.test>\r\nRCPT TO:<me@home.test>\r\n" +
      "BDAT 2 LAST\r\n\r\n";
    client.send("EHLO a.test\r\n" + mail + mail);
    for (let i = 0; i < 4; i++) {
      assert.match(await client.reply(), /^250/);
    }
    assert.equal(backend.taken.length, 1);
    resolve();
    for (let i = 0; i < 3; i++) assert.match(await client.reply(), /^250/);
    assert.equal(backend.taken.length, 2);
    client.close();
  },
);

serverTest(
  "takes a session cut at every octet",
  {},
  async ({ port, backend }) => {
    const client = await TestClient.open(port);
    client.socket.setNoDelay(true);
    for (const octet of HEAD + "DATA\r\n") {
      client.send(octet);
      await new Promise((resolve) => setImmediate(resolve));
    }
    for (let i = 0; i < 4; i++) await client.reply();
    for (const octet of "a: b\r\n\r\n..\r\n.\r\n") {
      client.send(octet);
      await new Promise((resolve) => setImmediate(resolve));
    }
    assert.match(await client.reply(), /^250/);
    assert.ok(backend.taken[0]!.body.endsWith("a: b\r\n\r\n.\r\n"));
    client.close();
  },
);

serverTest(
  "says 451 or 452 when the roles behind it cannot",
  {},
  async ({ port, backend }) => {
    const client = await TestClient.open(port);
    await client.dialog(["EHLO a.test", 250]);
    const send = async () => {
      await client.dialog(...ENVELOPE.slice(1), ["DATA", 354]);
      client.send("x\r\n.\r\n");
      return (await client.reply()).slice(0, 9);
    };
    const stored = backend.storeReply;
    backend.storeReply = { kind: "refused", refusal: "full" };
    assert.equal(await send(), "452 4.3.1");
    backend.storeReply = stored;
    backend.answers.accept = () =>
      Promise.resolve({ kind: "refused", refusal: "unhealthy" });
    assert.equal(await send(), "451 4.3.0");
    assert.equal(backend.calls.at(-1), "drop");
    backend.answers.store = () => Promise.resolve(undefined);
    await client.dialog(...ENVELOPE.slice(1), ["DATA", 451]);
    assert.equal(backend.taken.length, 0);
    client.close();
  },
);

// Sequences that some server took as an end of data (CVE-2023-51764 to 51766).
for (
  const end of [
    "\n.\n",
    "\n.\r\n",
    "\r\n.\n",
    "\r.\r",
    "\r\n.\r",
    "\n.\r",
    "\r.\n",
    "\r\n.\0\r\n",
    "\r.\r\n",
    "\r\n.\r\r\n",
    "\n\n.\n\n",
    "\r\n\0.\r\n",
  ]
) {
  serverTest(
    `takes no second message out of ${JSON.stringify(end)}`,
    {},
    async ({ port, backend }) => {
      const client = await TestClient.open(port);
      await client.dialog(...ENVELOPE, ["DATA", 354]);
      client.send(
        `a: b\r\n\r\nx${end}MAIL FROM:<e@e.test>\r\nRCPT TO:<me@home.test>\r\nDATA\r\nevil\r\n.\r\nNOOP\r\n`,
      );
      const said = await client.rest();
      assert.match(
        said,
        /^550 5\.6\.\d+ [^\r\n]*\r\n$/,
        "one refusal, then closed",
      );
      assert.equal(backend.taken.length, 0);
      assert.equal(backend.openStreams, 0);
      assert.equal(backend.aborted, 1);
    },
  );
}

serverTest("refuses what is too large where it ends, and goes on", {
  maxMessageBytes: 2_000,
}, async ({ port, backend }) => {
  const client = await TestClient.open(port);
  await client.dialog(...ENVELOPE, ["DATA", 354]);
  client.send("x".repeat(1_998) + "\r\n.\r\n");
  assert.match(await client.reply(), /^250/, "exactly the limit");
  await client.dialog(...ENVELOPE, ["DATA", 354]);
  client.send("x".repeat(1_999) + "\r\n.\r\n");
  assert.match(await client.reply(), /^552 5\.3\.4/);
  await client.dialog(...ENVELOPE, ["DATA", 354]);
  client.send(("x".repeat(98) + "\r\n").repeat(41));
  assert.match(await client.rest(), /^421 4\.3\.4/, "beyond twice the limit");
  assert.equal(backend.taken.length, 1);
  assert.equal(backend.openStreams, 0);
});

serverTest("refuses a loop", { hopLimit: 10 }, async ({ port, backend }) => {
  const client = await TestClient.open(port);
  const field = "Received: from a by b; Fri, 21 Nov 2025 02:10:00 +0000\r\n";
  for (const [hops, code] of [[10, "250"], [11, "554"]] as const) {
    await client.dialog(...ENVELOPE, ["DATA", 354]);
    client.send(field.repeat(hops) + "\r\nReceived: not a header\r\n.\r\n");
    assert.equal((await client.reply()).slice(0, 3), code, `${hops} hops`);
  }
  assert.equal(backend.taken.length, 1);
  client.close();
});

serverTest("streams a large message through a slow spool unchanged", {
  maxMessageBytes: 40_000_000,
}, async ({ port, backend }) => {
  const line = Array.from({ length: 97 }, (_, i) =>
    String.fromCharCode(33 + i % 90)).join("") + "\r\n";
  const body = Array.from({ length: 120_000 }, (_, i) =>
    String(i).padStart(6, "0") + line).join("");
  const gate = Promise.withResolvers<void>();
  backend.writeGate = gate.promise;
  const client = await TestClient.open(port);
  await client.dialog(...ENVELOPE, ["DATA", 354]);
  client.send(body);
  client.send(".\r\n");
  await new Promise((resolve) =>
    setTimeout(resolve, 200)
  );
  // Back-pressure: the kernel holds some megabytes, the client the rest.
  assert.ok(
    client.socket.writableLength > 100_000,
    String(client.socket.writableLength),
  );
  gate.resolve();
  assert.match(await client.reply(), /^250/);
  const got = backend.taken[0]!.body;
  assert.equal(got.length - got.indexOf("000000"), body.length);
  assert.ok(got.endsWith(body));
  client.close();
});

serverTest(
  "keeps nothing of a client that is lost in DATA",
  {},
  async ({ port, backend, server }) => {
    const message = "a: b\r\n\r\nbody\r\n.\r";
    for (let cut = 0; cut <= message.length; cut++) {
      const client = await TestClient.open(port);
      await client.dialog(...ENVELOPE, ["DATA", 354]);
      client.send(message.slice(0, cut));
      await new Promise((resolve) => setTimeout(resolve, 2));
      if (cut % 2 === 0) client.close();
      else client.socket.end();
    }
    await until(() => server.sessions === 0, "sessions gone");
    assert.equal(backend.openStreams, 0);
    assert.equal(backend.taken.length, 0);
    assert.equal(backend.aborted, message.length + 1);
  },
);

serverTest(
  "finishes a message whose client hung up after the end",
  {},
  async ({ port, backend, server }) => {
    const gate = Promise.withResolvers<void>();
    let answered = 0;
    backend.answers.accept = async () => {
      await gate.promise;
      answered++;
      return { kind: "answered", answer: {} };
    };
    const client = await TestClient.open(port);
    await client.dialog(...ENVELOPE, ["DATA", 354]);
    client.send("x\r\n.\r\n");
    await until(() => backend.calls.includes("accept"), "accept asked");
    client.close();
    await new Promise((resolve) => setTimeout(resolve, 20));
    gate.resolve();
    await until(() => answered === 1, "answered");
    assert.ok(!backend.calls.includes("drop"));
    await until(() => server.sessions === 0, "session gone");
  },
);

serverTest(
  "answers a client that half closed",
  {},
  async ({ port, backend }) => {
    const client = await TestClient.open(port);
    await client.dialog(...ENVELOPE, ["DATA", 354]);
    client.send("x\r\n.\r\nNOOP\r\n");
    client.socket.end();
    assert.match(
      await client.rest(),
      /^250 2\.0\.0 Ok: q.*\r\n250 2\.0\.0 Ok\r\n$/,
    );
    assert.equal(backend.taken.length, 1);
  },
);

serverTest(
  "takes nothing sent before 354 as a message",
  {},
  async ({ port, backend }) => {
    const client = await TestClient.open(port);
    client.send(HEAD + "DATA\r\nMAIL FROM:<e@e.test>\r\n.\r\n");
    assert.match(await client.rest(), /554 5\.5\.0 [^\r\n]*\r\n$/);
    assert.equal(backend.taken.length, 0);
  },
);

serverTest(
  "takes nothing sent while the spool is asked as a message",
  {},
  async ({ port, backend }) => {
    const open = backend.answers.store;
    const gate = Promise.withResolvers<void>();
    backend.answers.store = () => gate.promise.then(open);
    const client = await TestClient.open(port);
    client.send(HEAD + "DATA\r\n");
    await until(() => backend.calls.includes("store"), "store asked");
    client.send("early\r\n.\r\n");
    await new Promise((resolve) => setTimeout(resolve, 20));
    gate.resolve();
    assert.match(await client.rest(), /554 5\.5\.0 [^\r\n]*\r\n$/);
    assert.equal(backend.openStreams, 0);
  },
);

serverTest("cuts an endless command line off", {}, async ({ port, server }) => {
  const client = await TestClient.open(port);
  const block = "A".repeat(60_000);
  client.send("EHLO " + block);
  client.send(block);
  assert.match(await client.rest(), /^500 5\.5\.2 .*\r\n421 .*\r\n$/);
  client.close();
  await until(() => server.sessions === 0, "session gone");
});

serverTest(
  "refuses faulty lines and goes on behind their CRLF",
  {},
  async ({ port }) => {
    const client = await TestClient.open(port);
    for (
      const line of [
        "NO\0OP",
        "NO\rOP",
        "NOOP\nEHLO evil",
        "X".repeat(2_100),
        "\x80\xff",
      ]
    ) {
      assert.match(await client.say(line), /^500 5\.5\.[12]/);
    }
    assert.match(await client.say("NOOP"), /^250/);
    client.close();
  },
);

serverTest(
  "bounds what a client pipelines without reading",
  {},
  async ({ port, server }) => {
    const client = await TestClient.open(port);
    client.socket.pause();
    const blast = "HELP\r\n".repeat(10_000);
    for (let i = 0; i < 20; i++) client.send(blast);
    await new Promise((resolve) => setTimeout(resolve, 50));
    client.socket.resume();
    assert.match(await client.rest(), /421 4\.7\.0 [^\r\n]*\r\n$/);
    client.close();
    await until(() => server.sessions === 0, "session gone");
  },
);

serverTest(
  "frees the slot of a client that never reads",
  { commandWithinMs: 200 },
  async ({ port, server }) => {
    const client = await TestClient.open(port);
    await client.dialog(...ENVELOPE);
    client.socket.pause();
    // Neither errors nor junk: only the unread replies can stop it.
    const blast = "BDAT 1\r\nx".repeat(20_000);
    for (let i = 0; i < 40; i++) client.send(blast);
    await new Promise((resolve) => setTimeout(resolve, 400));
    assert.ok(client.socket.writableLength > 1_000_000, "back-pressure");
    assert.equal(server.sessions, 1);
    await until(() => server.sessions === 0, "session gone");
    client.close();
  },
);

const DRIPS: { name: string; start: string; drip: string }[] = [
  { name: "a command", start: "", drip: "N" },
  { name: "a faulty line", start: "A\n", drip: "N" },
];

for (const { name, start, drip } of DRIPS) {
  serverTest(
    `ends a client that drips ${name}`,
    { commandWithinMs: 300 },
    async ({ port }) => {
      const client = await TestClient.open(port);
      client.send(start);
      const dripping = setInterval(() => client.send(drip), 20);
      const said = await client.rest();
      clearInterval(dripping);
      client.close();
      assert.match(said, /421 4\.4\.2 Timeout\r\n$/);
    },
  );
}

serverTest(
  "ends a client that drips a message",
  { messageWithinMs: 1_000 },
  async ({ port, backend }) => {
    const client = await TestClient.open(port);
    await client.dialog(...ENVELOPE, ["DATA", 354]);
    const dripping = setInterval(() => client.send("x\r\n"), 50);
    const said = await client.rest();
    clearInterval(dripping);
    client.close();
    assert.match(said, /^421 4\.4\.2 Timeout\r\n$/);
    assert.equal(backend.openStreams, 0);
  },
);

serverTest(
  "ends a session that lasts too long",
  { sessionWithinMs: 1_000 },
  async ({ port }) => {
    const client = await TestClient.open(port);
    const talking = setInterval(() => client.send("NOOP\r\n"), 50);
    const said = await client.rest();
    clearInterval(talking);
    client.close();
    assert.match(said, /421 4\.4\.2 Timeout\r\n$/);
  },
);

serverTest(
  "limits sessions per client",
  { maxSessionsPerClient: 2 },
  async ({ port, server, counted }) => {
    const clients = [await TestClient.open(port), await TestClient.open(port)];
    assert.match(await TestClient.openRaw(port).rest(), /^421 4\.7\.0 /);
    assert.equal(counted.get("sessions-too-many-from-client"), 1);
    clients[0]!.close();
    await until(() => server.sessions === 1, "one left");
    const third = await TestClient.open(port);
    assert.match(await third.say("NOOP"), /^250/);
    for (const client of [clients[1]!, third]) client.close();
  },
);

serverTest("limits sessions in all", { maxSessions: 1 }, async ({ port }) => {
  const client = await TestClient.open(port);
  assert.match(await TestClient.openRaw(port).rest(), /^421 4\.3\.2 /);
  client.close();
});

serverTest(
  "stops idle sessions at once and lets a message end",
  {},
  async ({ port, server, backend }) => {
    const idle = await TestClient.open(port);
    const busy = await TestClient.open(port);
    await busy.dialog(...ENVELOPE, ["DATA", 354]);
    const from = performance.now();
    const stopped = server.stop();
    assert.match(await idle.rest(), /^421 4\.3\.2 /);
    busy.send("x\r\n.\r\n");
    assert.match(await busy.rest(), /^250 .*\r\n421 4\.3\.2 .*\r\n$/);
    idle.close();
    busy.close();
    await stopped;
    assert.ok(performance.now() - from < 1_000);
    assert.equal(backend.taken.length, 1);
  },
);

serverTest(
  "takes new limits for new sessions",
  {},
  async ({ port, server }) => {
    server.renew({ ...TEST_PART, maxMessageBytes: 5_000 });
    const client = await TestClient.open(port);
    assert.match(await client.say("EHLO a.test"), /250-SIZE 5000\|/);
    client.close();
  },
);

serverTest("survives garbage", {}, async ({ port, server }) => {
  for (let n = 0; n < 20; n++) {
    const client = TestClient.openRaw(port);
    client.send(crypto.getRandomValues(new Uint8Array(50_000)));
    client.socket.end();
    await client.rest();
    client.close();
  }
  await until(() => server.sessions === 0, "sessions gone");
  const client = await TestClient.open(port);
  assert.match(await client.say("NOOP"), /^250/);
  client.close();
});

serverTest(
  "reads no more than a little of what follows its last reply",
  {},
  async ({ port, server }) => {
    const client = await TestClient.open(port);
    const endless = "A".repeat(1_000_000);
    for (let i = 0; i < 30; i++) client.send(endless);
    await new Promise((resolve) => setTimeout(resolve, 500));
    assert.ok(client.socket.writableLength > 10_000_000, "back-pressure");
    await until(() => server.sessions === 0, "session gone");
    client.close();
  },
);

serverTest(
  "counts all refusals of a flood, and logs some",
  { maxRecipients: 1_000 },
  async ({ port, backend, logged, counted }) => {
    backend.answers.recipient = () =>
      Promise.resolve({ kind: "failed", why: "test" });
    const client = await TestClient.open(port);
    await client.dialog(["EHLO a.test", 250]);
    for (let n = 0; n < 20; n++) {
      client.send(
        "MAIL FROM:<s@a.test>\r\n" +
          "RCPT TO:<later@home.test>\r\n".repeat(15) + "RSET\r\n",
      );
      for (let i = 0; i < 17; i++) await client.reply();
    }
    client.close();
    const refused = logged.filter(({ event }) => event === "recipient-refused");
    assert.equal(counted.get("recipients-failed"), 300);
    // The seconds' turn may fall into the flood.
    assert.ok(refused.length >= 100 && refused.length <= 200);
  },
);
