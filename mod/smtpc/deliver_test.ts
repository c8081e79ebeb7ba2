/** The whole client against scripted servers on loopback. */
import assert from "node:assert/strict";
import tls from "node:tls";
import { IdlePool } from "./idle_pool.ts";
import {
  bytesOf,
  meets,
  meetsScript,
  MESSAGE,
  type Options,
  run,
  TestDamage,
  unsignedHost,
  withServer,
} from "./delivery_fixture.ts";
import {
  type Answers,
  behave,
  type Heard,
  scriptedServer,
  type Visit,
} from "./scripted_server.ts";
import type { Session } from "./session_io.ts";

const HELD: Heard = { lines: [], messages: [] };

Deno.test("deliver() sends the content stuffed, octet for octet", async () => {
  const { said, heard } = await meets({});
  assert.equal(said, "delivered 250 2.0.0");
  const stuffed = MESSAGE.replaceAll("\r\n.", "\r\n..");
  assert.deepEqual(heard.messages, [stuffed]);
  assert.deepEqual(heard.lines.slice(0, 5), [
    "EHLO us.test",
    `MAIL FROM:<me@us.test> SIZE=${MESSAGE.length}`,
    "RCPT TO:<a@x.test>",
    "RCPT TO:<b@x.test>",
    "DATA",
  ]);
});

const BAD_REPLIES: {
  name: string;
  answers: Answers;
  want: string;
  orWant?: string;
  messages?: number;
}[] = [
  ...(["greeting", "EHLO", "MAIL", "RCPT", "DATA", "."].flatMap((verb) => [
    {
      name: `421 at ${verb}`,
      answers: { [verb]: "421 4.3.2 later" },
      want: "temporary 421 4.3.2",
      messages: verb === "." ? 1 : 0,
    },
    {
      name: `a close at ${verb}`,
      answers: { [verb]: "CLOSE" },
      want: "temporary 451 4.4.2",
      messages: verb === "." ? 1 : 0,
    },
    {
      name: `a reset at ${verb}`,
      answers: { [verb]: "RESET" },
      want: "temporary 451 4.4.2",
      // A reset may overtake the news of the connection itself.
      orWant: "temporary 451 4.4.1",
      messages: verb === "." ? 1 : 0,
    },
    {
      name: `garbage at ${verb}`,
      answers: { [verb]: "hello" },
      want: "temporary 451 4.4.2",
      messages: verb === "." ? 1 : 0,
    },
    {
      name: `codes that differ at ${verb}`,
      answers: { [verb]: "250-a\r\n550 b" },
      want: "temporary 451 4.4.2",
      messages: verb === "." ? 1 : 0,
    },
  ])),
  ...["MAIL", "RCPT", "DATA", "."].flatMap((verb) => [
    {
      name: `4xx at ${verb}`,
      answers: { [verb]: "450 4.7.1 greylisted" },
      want: "temporary 450 4.7.1",
      messages: verb === "." ? 1 : 0,
    },
    {
      name: `5xx at ${verb}`,
      answers: { [verb]: "550 5.7.1 no" },
      want: "permanent 550 5.7.1",
      messages: verb === "." ? 1 : 0,
    },
  ]),
  {
    name: "554 for a greeting",
    answers: { greeting: "554 5.7.1 no" },
    want: "temporary 454 4.7.1",
  },
  {
    name: "235 for a greeting",
    answers: { greeting: "235 ok" },
    want: "temporary 451 4.5.0",
  },
  {
    name: "4xx at EHLO",
    answers: { EHLO: "450 4.0.0 x" },
    want: "temporary 450 4.0.0",
  },
  {
    name: "5xx at EHLO and HELO",
    answers: { EHLO: "500 x", HELO: "500 x" },
    want: "temporary 400 4.0.0",
  },
  {
    name: "552 at RCPT",
    answers: { RCPT: "552 5.5.3 many" },
    want: "temporary 452 4.5.3",
  },
  {
    name: "a second reply behind EHLO's",
    answers: { EHLO: "250 fake.test\r\n250 ok" },
    want: "temporary 451 4.4.2",
  },
  {
    name: "half a reply behind EHLO's",
    answers: { EHLO: "250 fake.test\r\n250-o" },
    want: "temporary 451 4.4.2",
  },
];

for (const { name, answers, want, orWant, messages } of BAD_REPLIES) {
  Deno.test(`deliver() meets ${name}: ${want}`, async () => {
    const { said, heard } = await meets(answers);
    assert.ok(said === want || said === orWant, said);
    // An empty one is the lone dot that ends a DATA for nobody, RFC 2920 §3.1.
    const sent = heard.messages.filter((message) => message !== "");
    assert.equal(sent.length, messages ?? 0);
  });
}

Deno.test("deliver() tells of a possible copy when the last reply is lost", async () => {
  const { outcomes } = await meets({ ".": "CLOSE" });
  assert.match(outcomes![0]!.text, /after the final dot; it may arrive twice/);
});

Deno.test("deliver() takes HELO where EHLO is unknown, and no extension", async () => {
  const { said, heard } = await meets({ EHLO: "502 5.5.1 what" });
  assert.equal(said, "delivered 250 2.0.0");
  assert.deepEqual(heard.lines.slice(0, 3), [
    "EHLO us.test",
    "HELO us.test",
    "MAIL FROM:<me@us.test>",
  ]);
});

Deno.test("deliver() waits for each reply where PIPELINING is not offered", async () => {
  const early: string[] = [];
  const { said } = await meetsScript(async (visit) => {
    visit.say("220 x\r\n");
    for (const reply of ["250 x", "250 ok", "250 ok", "250 ok", "354 go"]) {
      await visit.line();
      await new Promise((resolve) => setTimeout(resolve, 10));
      early.push(visit.unread);
      visit.say(reply + "\r\n");
    }
    await visit.data();
    visit.say("250 2.0.0 ok\r\n");
    await visit.line();
  });
  assert.equal(said, "delivered 250 2.0.0");
  assert.deepEqual(early, ["", "", "", "", ""]);
});

Deno.test("deliver() keeps recipients apart", async () => {
  const { said, heard } = await meets(
    { RCPT: ["250 ok", "550 5.1.1 who", "450 4.2.1 busy", "552 5.5.3 many"] },
    { recipients: ["a@x.test", "b@x.test", "c@x.test", "d@x.test"] },
  );
  assert.equal(
    said,
    "delivered 250 2.0.0, permanent 550 5.1.1, temporary 450 4.2.1, " +
      "temporary 452 4.5.3",
  );
  assert.equal(heard.messages.length, 1);
});

Deno.test("deliver() neutralises what a reply says", async () => {
  const { outcomes, attempt } = await meets({
    MAIL: "550 5.7.1 \0\x1b[2Ja\rb\xff\r\n".trimEnd(),
  });
  assert.equal(outcomes![0]!.text, "??[2Ja?b?");
  for (const line of attempt!.transcript) assert.match(line, /^[ -~]*$/);
});

Deno.test("deliver() never sees consent before the final dot as consent", async () => {
  // A server that says yes to everything at once.
  const replies = "220 a\r\n250 b\r\n250 c\r\n250 d\r\n250 e\r\n354 f\r\n";
  const { said } = await meetsScript((visit) => {
    visit.say(replies + "250 2.0.0 queued\r\n");
  });
  assert.equal(said, "temporary 451 4.4.2");
  const late = await meetsScript(async (visit) => {
    visit.say("220 x\r\n");
    await visit.line();
    visit.say("250-x\r\n250 PIPELINING\r\n");
    await visit.line();
    visit.say("250 a\r\n250 b\r\n250 c\r\n354 d\r\n250 2.0.0 queued\r\n");
    await visit.gone();
    assert.ok(!visit.unread.includes("Subject"));
  });
  assert.equal(late.said, "temporary 451 4.5.0");
});

Deno.test("deliver() survives an endless line and endless lines", async () => {
  const before = Deno.memoryUsage().rss;
  const line = "x".repeat(65_536);
  for (const flood of ["250-" + line + line, "250-x\r\n".repeat(20_000)]) {
    const { said } = await meetsScript(async (visit) => {
      visit.say("220 x\r\n");
      await visit.line();
      for (let i = 0; i < 100; i++) visit.say(flood);
      await visit.gone();
    });
    assert.equal(said, "temporary 451 4.4.2");
  }
  assert.ok(Deno.memoryUsage().rss - before < 200_000_000);
});

Deno.test("deliver() is not kept by a server that drips", async () => {
  const startedMs = performance.now();
  const { said } = await meetsScript(async (visit) => {
    let left = true;
    visit.gone().then(() => left = false);
    while (left) {
      visit.say("2");
      await new Promise((resolve) => setTimeout(resolve, 20));
      visit.say("20-x\r\n");
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }, { part: { replyWithinMs: 200 } });
  assert.equal(said, "temporary 451 4.4.2");
  assert.ok(performance.now() - startedMs < 1_000);
});

Deno.test("deliver() is not kept by a server that is mute or takes no content", async () => {
  const part = { replyWithinMs: 200 };
  for (const verb of ["greeting", "EHLO", "MAIL", "DATA", "."]) {
    const { said } = await meets({ EHLO: "250 x", [verb]: "MUTE" }, { part });
    assert.equal(said, "temporary 451 4.4.2", verb);
  }
  const { said } = await meetsScript(async (visit) => {
    visit.say("220 x\r\n");
    for (const reply of ["250 x", "250 ok", "250 ok", "250 ok", "354 go"]) {
      await visit.line();
      visit.say(reply + "\r\n");
    }
    visit.pause();
  }, { part, content: () => big(40), sizeBytes: 40 * 65_536 });
  assert.equal(said, "temporary 451 4.4.2");
});

function* big(chunks: number): Generator<Uint8Array> {
  const chunk = bytesOf(("x".repeat(62) + "\r\n").repeat(1_024));
  for (let i = 0; i < chunks; i++) yield chunk;
}

Deno.test("deliver() sends a large message in constant memory", async () => {
  const chunks = 4_800; // 300 MiB
  let octets = 0;
  let peak = 0;
  let tail = "";
  const before = Deno.memoryUsage().rss;
  const { default: net } = await import("node:net");
  const server = net.createServer((socket) => {
    const replies = ["250 x", "250 ok", "250 ok", "250 ok", "354 go"];
    socket.write("220 x\r\n");
    socket.on("error", () => {});
    socket.on("data", (bytes: Uint8Array) => {
      const reply = replies.shift();
      if (reply !== undefined) return void socket.write(reply + "\r\n");
      octets += bytes.length;
      tail = (tail + String.fromCharCode(...bytes.subarray(-5))).slice(-5);
      peak = Math.max(peak, Deno.memoryUsage().rss);
      if (tail === "\r\n.\r\n") socket.end("250 2.0.0 ok\r\n");
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as { port: number };
  const { said } = await run(port, {
    content: () => big(chunks),
    sizeBytes: chunks * 65_536,
    part: { replyWithinMs: 10_000 },
  });
  server.close();
  assert.equal(said, "delivered 250 2.0.0");
  assert.equal(octets, chunks * 65_536 + 3);
  // Uncollected chunks of both ends level off near 135 MB, for 300 and for 600
  // MiB alike; a message that is held would need 315 MB more.
  assert.ok(peak - before < 220_000_000, `grew by ${peak - before}`);
});

Deno.test("deliver() refuses a damaged record without a word to anybody", async () => {
  const { said, visits } = await meets({}, {
    *content() {
      yield bytesOf("Subject: x\r\n");
      throw new TestDamage();
    },
  });
  assert.deepEqual([said, visits], ["damaged", 0]);
});

Deno.test("deliver() sends no final dot when the record turns out damaged under way", async () => {
  let readings = 0;
  let received = "";
  const { said } = await meetsScript(async (visit) => {
    visit.say("220 x\r\n");
    for (const reply of ["250 x", "250 ok", "250 ok", "250 ok", "354 go"]) {
      await visit.line();
      visit.say(reply + "\r\n");
    }
    await visit.gone();
    received = visit.unread;
  }, {
    sizeBytes: 90 * 65_536,
    *content() {
      const isSecond = ++readings === 2;
      yield* big(89);
      if (isSecond) throw new TestDamage();
      yield* big(1);
    },
  });
  assert.equal(said, "damaged");
  assert.ok(!received.includes("\r\n.\r\n"));
  assert.ok(!received.includes("QUIT"));
});

Deno.test("deliver() puts mail off when the disk does not give it", async () => {
  const { said } = await meets({}, {
    // deno-lint-ignore require-yield
    *content() {
      Deno.readFileSync("/nowhere/at/all");
    },
  });
  assert.equal(said, "temporary 451 4.3.0");
});

for (const content of ["a\nb\r\n", "a\rb\r\n", "a\0b\r\n", "a\r\n.\n\r\n"]) {
  Deno.test(`deliver() sends no ${JSON.stringify(content)}`, async () => {
    const { said, visits } = await meets({}, { content });
    assert.deepEqual([said, visits], ["permanent 554 5.6.0", 0]);
  });
}

Deno.test("deliver() keeps to the rules of 8BITMIME", async () => {
  const content = "Subject: \xe9\r\n\r\n\xff\r\n";
  const able = await meets({}, { content });
  assert.equal(able.said, "delivered 250 2.0.0");
  assert.deepEqual(able.heard.messages, [content]);
  assert.match(able.heard.lines[1]!, / BODY=8BITMIME$/);
  const unable = await meets({ EHLO: "250 x" }, { content });
  assert.equal(unable.said, "permanent 554 5.6.3");
  assert.match(unable.outcomes![0]!.text, /a header is not ASCII/);
  assert.deepEqual(unable.heard.lines.filter((l) => l.startsWith("MAIL")), []);
});

Deno.test("deliver() converts content to 7 bits for a server without 8BITMIME", async () => {
  const content = "Subject: x\r\n\r\n.gr\xfc\xdfe\r\n";
  const want = "Subject: x\r\nMIME-Version: 1.0\r\n" +
    "Content-Type: text/plain; charset=unknown-8bit\r\n" +
    "Content-Transfer-Encoding: quoted-printable\r\n\r\n=2Egr=FC=DFe\r\n";
  const options = { content, bodyType: "8bitmime" as const };
  const sized = (max: number) => ({ EHLO: `250-x\r\n250 SIZE ${max}` });
  const { said, heard } = await meets(sized(want.length), options);
  assert.equal(said, "delivered 250 2.0.0");
  assert.deepEqual(heard.messages, [want]);
  assert.equal(
    heard.lines.find((line) => line.startsWith("MAIL")),
    `MAIL FROM:<me@us.test> SIZE=${want.length}`,
  );
  const small = await meets(sized(want.length - 1), options);
  assert.equal(small.said, "permanent 552 5.3.4");
});

Deno.test("deliver() converts each time for the server at hand, and never half of it", async () => {
  const line = bytesOf("gr\xfc\xdfe\r\n".repeat(5_000));
  for (const isDamaged of [false, true]) {
    let readings = 0;
    const { said, heard } = await meets({ EHLO: "250 x" }, {
      sizeBytes: 60 * line.length,
      *content() {
        readings++;
        yield bytesOf("\r\n");
        for (let i = 0; i < 60; i++) {
          // The fourth reading is the one that is sent.
          if (isDamaged && readings === 4 && i === 50) throw new TestDamage();
          yield line;
        }
      },
    });
    assert.equal(said, isDamaged ? "damaged" : "delivered 250 2.0.0");
    assert.equal(readings, 4);
    assert.equal(heard.messages.length, isDamaged ? 0 : 1);
    if (isDamaged) continue;
    const [, body] = heard.messages[0]!.split("\r\n\r\n");
    assert.equal(body, "gr=FC=DFe\r\n".repeat(300_000));
  }
});

Deno.test("deliver() believes a refusal in the middle of the content", async () => {
  const { said } = await meetsScript(async (visit) => {
    visit.say("220 x\r\n");
    for (const reply of ["250 x", "250 ok", "250 ok", "250 ok", "354 go"]) {
      await visit.line();
      visit.say(reply + "\r\n");
    }
    visit.pause();
    visit.say("552 5.3.4 too big\r\n");
  }, { content: () => big(800), sizeBytes: 800 * 65_536 });
  assert.equal(said, "permanent 552 5.3.4");
});

Deno.test("deliver() says so when nobody listens", async () => {
  const server = await scriptedServer(() => {});
  await server.close();
  assert.equal((await run(server.port)).said, "temporary 451 4.4.1");
});

// Several MX hosts: loopback addresses on one port, told apart by address.
const mx = (name: string, preference: number, ...addresses: string[]) =>
  unsignedHost(name, preference, addresses);
const TO_MX = { nextHop: { kind: "mx" as const, domain: "x.test" } };

/** Servers at 127.0.0.1, 127.0.0.2, ... that share one port. */
async function mxHosts(
  all: Answers[],
  options: Options = {},
  maxHosts = 5,
) {
  const { default: net } = await import("node:net");
  const { Visit: Visitor } = await import("./scripted_server.ts");
  const heard = all.map((): Heard => ({ lines: [], messages: [] }));
  const servers: import("node:net").Server[] = [];
  let port = 0;
  for (const [i, answers] of all.entries()) {
    const server = net.createServer((socket) =>
      void behave(new Visitor(socket), answers, heard[i])
    );
    await new Promise<void>((resolve) =>
      server.listen(port, `127.0.0.${i + 1}`, resolve)
    );
    port = (server.address() as { port: number }).port;
    servers.push(server);
  }
  const got = await run(port, {
    ...TO_MX,
    hosts: all.map((_, i) => mx(`mx${i + 1}.test`, i, `127.0.0.${i + 1}`)),
    ...options,
    part: { port, maxHosts, ...options.part },
  });
  for (const server of servers) server.close();
  return { ...got, heard };
}

Deno.test("deliver() goes to the next MX host after a 5xx greeting", async () => {
  const { said, attempt } = await mxHosts([{ greeting: "554 no" }, {}]);
  assert.equal(said, "delivered 250 2.0.0");
  assert.deepEqual([attempt!.host, attempt!.address], [
    "mx2.test",
    "127.0.0.2",
  ]);
});

Deno.test("deliver() offers the next MX host only what was put off", async () => {
  const { said, heard } = await mxHosts([
    { RCPT: ["250 ok", "450 4.2.0 later", "550 5.1.1 who"] },
    {},
  ], { recipients: ["a@x.test", "b@x.test", "c@x.test"] });
  assert.equal(
    said,
    "delivered 250 2.0.0, delivered 250 2.0.0, permanent 550 5.1.1",
  );
  assert.deepEqual(heard[1]!.lines.filter((line) => line.startsWith("RCPT")), [
    "RCPT TO:<b@x.test>",
  ]);
});

Deno.test("deliver() makes no second copy after a loss behind the final dot", async () => {
  const { said, heard } = await mxHosts([{ ".": "CLOSE" }, {}]);
  assert.equal(said, "temporary 451 4.4.2");
  assert.deepEqual(heard[1]!.lines, []);
});

Deno.test("deliver() tries no more hosts than it may", async () => {
  const no = { greeting: "450 4.3.2 later" };
  const { said, heard } = await mxHosts([no, no, {}], {}, 2);
  assert.equal(said, "temporary 450 4.3.2");
  assert.deepEqual(heard[2]!.lines, []);
});

Deno.test("deliver() sees a mail loop in a greeting with our name", async () => {
  const { said } = await mxHosts([{ greeting: "220 US.test ESMTP" }]);
  assert.equal(said, "permanent 554 5.4.6");
  const backup = await mxHosts([
    { greeting: "450 4.3.2 later" },
    { greeting: "220 us.test ESMTP" },
  ]);
  assert.equal(backup.said, "temporary 450 4.3.2");
});

Deno.test("deliver() uses a session again, and a dead one without blame", async () => {
  const pool = new IdlePool<Session>();
  const heard: Heard = { lines: [], messages: [] };
  await withServer(async (visit, number) => {
    // The second connection dies as soon as it is used again.
    const answers = number === 1 ? { MAIL: ["250 ok", "CLOSE"] } : {};
    await behave(visit, answers, heard);
  }, async (server) => {
    for (let i = 0; i < 3; i++) {
      assert.equal(
        (await run(server.port, { pool })).said,
        "delivered 250 2.0.0",
      );
    }
    assert.equal(server.visits, 1);
    pool.close();
    assert.equal(
      (await run(server.port, { pool })).said,
      "delivered 250 2.0.0",
    );
    assert.equal(server.visits, 2);
    assert.equal(
      (await run(server.port, { pool })).said,
      "delivered 250 2.0.0",
    );
    assert.equal(server.visits, 3);
    pool.close();
  });
  assert.equal(heard.messages.length, 5);
});

Deno.test("deliver() takes a 421 of an idle session for no answer", async () => {
  const pool = new IdlePool<Session>();
  await withServer(
    (visit, number) =>
      behave(visit, number === 0 ? { MAIL: ["250 ok", "421 idle"] } : {}),
    async (server) => {
      for (let i = 0; i < 2; i++) {
        const { said } = await run(server.port, { pool });
        assert.equal(said, "delivered 250 2.0.0");
      }
      assert.equal(server.visits, 2);
      pool.close();
    },
  );
});

Deno.test("deliver() does not believe a refusal that nobody asked for", async () => {
  const { said, heard } = await meets({ EHLO: "250 x\r\n550 5.7.1 no" });
  assert.equal(said, "temporary 451 4.4.2");
  assert.deepEqual(heard.lines, ["EHLO us.test"]);
});

Deno.test("deliver() carries many messages side by side", async () => {
  const heard: Heard = { lines: [], messages: [] };
  await withServer((visit) => behave(visit, {}, heard), async (server) => {
    const pool = new IdlePool<Session>();
    const all = await Promise.all(
      Array.from({ length: 300 }, () => run(server.port, { pool })),
    );
    assert.ok(all.every(({ said }) => said === "delivered 250 2.0.0"));
    pool.close();
  });
  assert.equal(heard.messages.length, 300);
});

// STARTTLS: the client rows of the reply injection cases.

const OFFER = "250-fake.test\r\n250 STARTTLS";
const secureContext = await certificate();

async function certificate(): Promise<tls.SecureContext | undefined> {
  const dir = await Deno.makeTempDir({ prefix: "bulkhead-cert-" });
  try {
    const { success } = await new Deno.Command("openssl", {
      args: [
        ..."req -x509 -nodes -days 2 -subj /CN=wrong.test".split(" "),
        ..."-newkey ec -pkeyopt ec_paramgen_curve:P-256".split(" "),
        ...["-keyout", `${dir}/key`, "-out", `${dir}/cert`],
      ],
      stdout: "null",
      stderr: "null",
    }).output();
    if (!success) return undefined;
    return tls.createSecureContext({
      key: await Deno.readTextFile(`${dir}/key`),
      cert: await Deno.readTextFile(`${dir}/cert`),
    });
  } catch {
    return undefined; // no openssl here
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

/** Offers STARTTLS, accepts it with `ready`, behaves in TLS. */
async function offerTls(
  visit: Visit,
  ready: string,
  heard: Heard = HELD,
): Promise<void> {
  visit.say("220 fake.test\r\n");
  assert.equal(await visit.line(), "EHLO us.test");
  visit.say(OFFER + "\r\n");
  assert.equal(await visit.line(), "STARTTLS");
  await visit.startTls(secureContext!, ready);
  await behave(visit, { greeting: "MUTE" }, heard);
}

const tlsTest = (name: string, fn: () => Promise<void>) =>
  Deno.test({ name, ignore: secureContext === undefined, fn });

tlsTest(
  "deliver() takes TLS with any certificate, and asks again inside",
  async () => {
    const heard: Heard = { lines: [], messages: [] };
    const { said, attempt } = await meetsScript((visit) =>
      offerTls(visit, "220 go\r\n", heard)
    );
    assert.equal(said, "delivered 250 2.0.0");
    assert.match(attempt!.tls, /^TLSv1\.[23] \S+$/);
    assert.equal(heard.lines[0], "EHLO us.test");
    assert.equal(heard.messages.length, 1);
  },
);

tlsTest(
  "deliver() takes a 220 of two lines as one reply (resp-220-multi)",
  async () => {
    const { said, attempt } = await meetsScript((visit) =>
      offerTls(visit, "220-a\r\n220 b\r\n")
    );
    assert.equal(said, "delivered 250 2.0.0");
    assert.notEqual(attempt!.tls, "");
  },
);

tlsTest("deliver() carries large and many messages in TLS", async () => {
  const pool = new IdlePool<Session>();
  const heard: Heard = { lines: [], messages: [] };
  await withServer(
    (visit) => offerTls(visit, "220 go\r\n", heard),
    async (s) => {
      const options = { pool, content: () => big(40), sizeBytes: 40 * 65_536 };
      for (let i = 0; i < 3; i++) {
        assert.equal((await run(s.port, options)).said, "delivered 250 2.0.0");
      }
      assert.equal(s.visits, 1);
      pool.close();
    },
  );
  assert.deepEqual(
    heard.messages.map((m) => m.length),
    [1, 1, 1].map(() => 40 * 65_536),
  );
});

for (
  const injected of [
    "220 go\r\n250-evil\r\n250 AUTH PLAIN\r\n",
    "220 go\r\n250-ev",
    "220 go\r\nx",
  ]
) {
  Deno.test(`deliver() aborts at ${JSON.stringify(injected)} (resp-inject)`, async () => {
    let unread = "";
    const { said, server } = await meetsScript(async (visit) => {
      visit.say("220 fake.test\r\n");
      await visit.line();
      visit.say(OFFER + "\r\n");
      await visit.line();
      visit.say(injected);
      await visit.gone();
      unread = visit.unread;
    });
    assert.match(said, /^temporary/);
    assert.equal(server.visits, 1);
    assert.equal(unread, "");
  });
}

for (const refusal of ["454 no TLS now", "502 what"]) {
  Deno.test(`deliver() goes on in the clear after ${refusal} (454)`, async () => {
    const heard: Heard = { lines: [], messages: [] };
    const { said, attempt, server } = await meetsScript((visit) =>
      behave(visit, { EHLO: OFFER, STARTTLS: refusal }, heard)
    );
    assert.equal(said, "delivered 250 2.0.0");
    assert.equal(server.visits, 2);
    assert.equal(attempt!.tls, "");
    assert.ok(attempt!.transcript.some((line) => line.includes("no TLS")));
    assert.equal(heard.lines.filter((line) => line === "STARTTLS").length, 1);
  });
}

Deno.test("deliver() goes on in the clear after a failed handshake", async () => {
  for (const afterwards of ["garbage", "close", "silence"]) {
    const { said, attempt } = await meetsScript(async (visit, number) => {
      if (number > 0) return await behave(visit, { EHLO: OFFER });
      visit.say("220 fake.test\r\n");
      await visit.line();
      visit.say(OFFER + "\r\n");
      await visit.line();
      visit.say("220 go\r\n");
      await new Promise((resolve) => setTimeout(resolve, 30));
      if (afterwards === "garbage") visit.say("x".repeat(1_000));
      if (afterwards === "close") visit.end();
    }, { part: { connectWithinMs: 300 } });
    assert.equal(said, "delivered 250 2.0.0", afterwards);
    assert.equal(attempt!.tls, "");
  }
});

Deno.test("deliver() ignores what follows 221 (reply-after-quit)", async () => {
  const { said } = await meets({ QUIT: "221 bye\r\n250 more\r\n\0\0" });
  assert.equal(said, "delivered 250 2.0.0");
});
