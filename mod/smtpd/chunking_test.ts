/** BDAT (RFC 3030), and what else a transaction carries, over a real socket. */
import assert from "node:assert/strict";
import { octetText } from "../core/international.ts";
import { type Fixture, until, withServer } from "./server_fixture.ts";
import { TestClient } from "./test_client.ts";

const HEAD =
  "EHLO a.test\r\nMAIL FROM:<s@a.test>\r\nRCPT TO:<me@home.test>\r\n";

/** Everything said at once; the replies' codes, and what was taken. */
const BATCHES: {
  name: string;
  says: string;
  codes: string;
  /** Bodies without our field. */
  taken: string[];
  part?: Parameters<typeof withServer>[0];
}[] = [
  {
    name: "takes one chunk",
    says: HEAD + "BDAT 6 LAST\r\na: b\r\nQUIT\r\n",
    codes: "250 250 250 250 221",
    taken: ["a: b\r\n"],
  },
  {
    name: "takes chunks that look like commands and ends",
    says: HEAD + "BDAT 5\r\n\r\n.\r\nBDAT 6\r\nQUIT\r\nBDAT 0 LAST\r\nQUIT\r\n",
    codes: "250 250 250 250 250 250 221",
    taken: ["\r\n.\r\nQUIT\r\n"],
  },
  {
    name: "takes message after message",
    says: HEAD + "BDAT 3 LAST\r\nA\r\n" + HEAD + "DATA\r\n",
    codes: "250 250 250 250 250 250 250 354",
    taken: ["A\r\n"],
  },
  {
    name: "forgets chunks at RSET, and takes the next message whole",
    says: HEAD + "BDAT 3\r\nA\r\nRSET\r\n" + HEAD +
      "BDAT 3 LAST\r\nB\r\nQUIT\r\n",
    codes: "250 250 250 250 250 250 250 250 250 221",
    taken: ["B\r\n"],
  },
  {
    name: "forgets chunks at EHLO",
    says: HEAD + "BDAT 3\r\nA\r\nEHLO b\r\nBDAT 3 LAST\r\nB\r\nQUIT\r\n",
    codes: "250 250 250 250 250 503 221",
    taken: [],
  },
  {
    name: "runs no command out of chunks of a refused transaction",
    says: "EHLO a\r\nMAIL FROM:<s@a>\r\nRCPT TO:<nobody@home.test>\r\n" +
      "BDAT 6\r\nHELP\r\nBDAT 6 LAST\r\nHELP\r\nQUIT\r\n",
    codes: "250 250 550 554 554 221",
    taken: [],
  },
  {
    name: "reads over what is too large, and goes on",
    says: HEAD + `BDAT 600\r\n${"QUIT\r\n".repeat(100)}` +
      `BDAT 600\r\n${"QUIT\r\n".repeat(100)}BDAT 6 LAST\r\nQUIT\r\n` +
      HEAD + "BDAT 3 LAST\r\nB\r\nQUIT\r\n",
    codes: "250 250 250 250 552 503 250 250 250 250 221",
    taken: ["B\r\n"],
    part: { maxMessageBytes: 1_024 },
  },
  {
    name: "closes at a chunk far too large, reading none of it",
    says: HEAD + "BDAT 999999999999\r\nQUIT\r\n",
    codes: "250 250 250 421",
    taken: [],
  },
  {
    name: "closes after a bare LF, at the last chunk",
    says: HEAD + "BDAT 2\r\na\nBDAT 2 LAST\r\n\r\n" + HEAD +
      "BDAT 2 LAST\r\n\r\n",
    codes: "250 250 250 250 550",
    taken: [],
  },
  {
    name: "closes after a CR and an LF in different messages' chunks",
    says: HEAD + "BDAT 2 LAST\r\na\r" + HEAD + "BDAT 1 LAST\r\n\n",
    codes: "250 250 250 550",
    taken: [],
  },
  {
    name: "takes any octet as BINARYMIME",
    says: HEAD.replace("<s@a.test>", "<s@a.test> BODY=BINARYMIME") +
      "BDAT 7 LAST\r\n\0\n\r.\n\xff\rQUIT\r\n",
    codes: "250 250 250 250 221",
    taken: ["\0\n\r.\n\xff\r"],
  },
  {
    name: "counts hops in chunks, and keeps the session",
    says: HEAD + "BDAT 120\r\n" + "Received: a\r\n".repeat(9) + "ab:" +
      "BDAT 30 LAST\r\n\r\nReceived: a\r\nReceived: a\r\n\r\nQUIT\r\n",
    codes: "250 250 250 250 554 221",
    taken: [],
  },
];

function latin1(text: string): string {
  return text.slice(text.indexOf("+0000\r\n") + 7);
}

async function codesOf(client: TestClient, end: string): Promise<string> {
  const codes: string[] = [];
  for (;;) {
    const code = (await client.reply()).slice(0, 3);
    if (code === "clo") return codes.join(" ");
    codes.push(code);
    if (codes.join(" ") === end && code === "354") return end;
  }
}

for (const { name, says, codes, taken, part = {} } of BATCHES) {
  Deno.test(`SmtpServer ${name}`, () =>
    withServer(part, async ({ port, backend }) => {
      const client = await TestClient.open(port);
      client.send(says);
      assert.equal(await codesOf(client, codes), codes);
      client.close();
      assert.deepEqual(backend.taken.map(({ body }) => latin1(body)), taken);
      await until(() => backend.openStreams === 0, "no stream is left");
    }));

  Deno.test(`SmtpServer ${name}, octet by octet`, () =>
    withServer(part, async ({ port, backend }) => {
      const client = await TestClient.open(port);
      client.socket.setNoDelay(true);
      // The long ones would take long, and the cut matters around commands.
      const whole = says.length > 800 ? 97 : 1;
      for (let at = 0; at < says.length; at += whole) {
        client.send(says.slice(at, at + whole));
        await new Promise((resolve) => setImmediate(resolve));
      }
      assert.equal(await codesOf(client, codes), codes);
      client.close();
      assert.deepEqual(backend.taken.map(({ body }) => latin1(body)), taken);
    }));
}

function serverTest(
  name: string,
  part: Parameters<typeof withServer>[0],
  test: (fixture: Fixture) => Promise<void>,
): void {
  Deno.test(`SmtpServer ${name}`, () => withServer(part, test));
}

serverTest("answers chunks of a batch in one write", {}, async ({ port }) => {
  const client = await TestClient.open(port);
  client.send(HEAD + "BDAT 3\r\nA\r\n");
  for (let i = 0; i < 4; i++) await client.reply();
  let parts = 0;
  client.socket.on("data", () => parts++);
  client.send("BDAT 3\r\nB\r\nBDAT 0\r\nNOOP\r\nBDAT 3\r\nC\r\n");
  for (let i = 0; i < 4; i++) await client.reply();
  assert.equal(parts, 1);
  client.close();
});

serverTest(
  "reads a chunk over and says 451 if no store opens",
  {},
  async ({ port, backend }) => {
    const { store } = backend.answers;
    backend.answers.store = () => Promise.resolve(undefined);
    const client = await TestClient.open(port);
    client.send(HEAD + "BDAT 6\r\nQUIT\r\nBDAT 6 LAST\r\nQUIT\r\nNOOP\r\n");
    const codes: string[] = [];
    for (let i = 0; i < 6; i++) codes.push((await client.reply()).slice(0, 3));
    assert.deepEqual(codes, ["250", "250", "250", "451", "503", "250"]);
    backend.answers.store = store;
    client.send(HEAD + "BDAT 3 LAST\r\nA\r\n");
    for (let i = 0; i < 3; i++) await client.reply();
    assert.match(await client.reply(), /^250 2\.0\.0 Ok: queued/);
    client.close();
  },
);

serverTest(
  "gives a message up whose client leaves between chunks",
  {},
  async ({ port, backend, server }) => {
    const client = await TestClient.open(port);
    client.send(HEAD + "BDAT 3\r\nA\r\n");
    for (let i = 0; i < 4; i++) await client.reply();
    assert.equal(backend.openStreams, 1);
    client.close();
    await until(() => server.sessions === 0, "session gone");
    assert.equal(backend.openStreams, 0);
    assert.equal(backend.aborted, 1);
  },
);

for (const says of ["BDAT 9 LAST\r\nA\r\n", "DATA\r\n"]) {
  serverTest(
    `ends with a client that says ${JSON.stringify(says)} and no more`,
    {},
    async ({ port, backend, server }) => {
      const { store } = backend.answers;
      const gate = Promise.withResolvers<void>();
      backend.answers.store = () => gate.promise.then(store);
      const client = await TestClient.open(port);
      client.send(HEAD + says);
      client.socket.end();
      await until(() => backend.calls.includes("store"), "store asked");
      await new Promise((resolve) => setTimeout(resolve, 50));
      gate.resolve();
      await until(() => server.sessions === 0, "session gone");
      assert.equal(backend.openStreams, 0);
      assert.deepEqual(backend.taken, []);
    },
  );
}

serverTest(
  "gives a message of chunks no more time than one of DATA",
  { messageWithinMs: 1_000, commandWithinMs: 10_000 },
  async ({ port, backend }) => {
    const client = await TestClient.open(port);
    client.send(HEAD);
    for (let i = 0; i < 3; i++) await client.reply();
    const from = performance.now();
    const drip = setInterval(() => client.send("BDAT 1\r\nx"), 100);
    const rest = await client.rest();
    clearInterval(drip);
    assert.match(rest, /421 4\.4\.2 Timeout\r\n$/);
    assert.ok(performance.now() - from < 2_500);
    assert.equal(backend.openStreams, 0);
    client.close();
  },
);

serverTest(
  "holds a bounded part of a message of many short chunks",
  { maxMessageBytes: 10_000_000 },
  async ({ port, backend }) => {
    const gate = Promise.withResolvers<void>();
    backend.writeGate = gate.promise;
    const client = await TestClient.open(port);
    client.send(HEAD);
    for (let i = 0; i < 3; i++) await client.reply();
    const count = 200_000;
    for (let i = 0; i < 100; i++) {
      client.send("BDAT 1\r\nx".repeat(count / 100));
    }
    await new Promise((resolve) => setTimeout(resolve, 300));
    const answered = client.heard.split("\r\n").length - 1;
    assert.ok(answered > 0 && answered < 20_000, `${answered} chunks read`);
    gate.resolve();
    for (let i = 0; i < count; i++) await client.reply();
    client.send("BDAT 2 LAST\r\n\r\n");
    assert.match(await client.reply(), /^250 2\.0\.0 Ok: queued/);
    assert.equal(latin1(backend.taken[0]!.body), "x".repeat(count) + "\r\n");
    client.close();
  },
);

serverTest(
  "hands the queue what the sender wished",
  {},
  async ({ port, backend }) => {
    const client = await TestClient.open(port);
    client.send(octetText(
      "EHLO a.test\r\n" +
        "MAIL FROM:<ü@bücher.test> SMTPUTF8 RET=FULL ENVID=a+2Bb " +
        "BODY=8BITMIME\r\n" +
        "RCPT TO:<grün@home.test>\r\n" +
        "RCPT TO:<me@home.test> NOTIFY=NEVER ORCPT=utf-8;ä@c\r\n" +
        "BDAT 2 LAST\r\n\r\n",
    ));
    for (let i = 0; i < 4; i++) assert.match(await client.reply(), /^250/);
    assert.match(await client.reply(), /^250 2\.0\.0 Ok: queued/);
    const { ask, body } = backend.taken[0]!;
    assert.equal(ask.reversePath, "ü@xn--bcher-kva.test");
    assert.deepEqual(ask.recipients, ["grün@home.test", "me@home.test"]);
    assert.equal(ask.bodyType, "8bitmime");
    assert.deepEqual(ask.wishes, {
      envid: "a+b",
      ret: "full",
      smtpUtf8: true,
      requireTls: false,
      verp: "",
    });
    assert.deepEqual(ask.recipientWishes, [
      { notify: [], orcpt: "" },
      { notify: ["never"], orcpt: "utf-8;ä@c" },
    ]);
    assert.equal(ask.client.protocol, "UTF8SMTP");
    assert.match(body, /\tby mx\.home\.test with UTF8SMTP id /);
    client.close();
  },
);

serverTest("asks for a flush at ETRN", {}, async ({ port, backend }) => {
  const client = await TestClient.open(port);
  await client.dialog(
    ["EHLO a.test", 250],
    ["ETRN relay.test", 250],
    ["ETRN @relay.test", 250],
    ["ETRN away.test", 459],
  );
  backend.answers.flush = () => Promise.resolve("failed");
  await client.dialog(["ETRN relay.test", 458]);
  assert.deepEqual(
    backend.calls.filter((call) => call.startsWith("flush")),
    ["relay.test", "@relay.test", "away.test", "relay.test"].map((node) =>
      `flush ${node}`
    ),
  );
  client.close();
});
