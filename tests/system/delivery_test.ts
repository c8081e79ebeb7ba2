/**
 * Mail in by SMTP, byte for byte in the Maildir; and what must not come in.
 */
import assert from "node:assert/strict";
import {
  assertOctets,
  emptyMaildir,
  mailIn,
  newFiles,
  readDelivered,
  storedForm,
} from "./mailbox.ts";
import { NextHop } from "./next_hop.ts";
import {
  freePort,
  type Installation,
  server,
  until,
} from "./server_fixture.ts";
import { octets, queueIdOf, SmtpClient, wireForm } from "./smtp_client.ts";

const FROM = "sender@remote.test";

const MESSAGES: { name: string; content: string }[] = [
  { name: "a plain message", content: "Subject: plain\r\n\r\nHello\r\n" },
  {
    name: "dots",
    content:
      "Subject: dots\r\n\r\n.\r\n..\r\n...\r\n.x\r\n\r\n.\r\nx.\r\n.\r\n",
  },
  { name: "a dot in the first line", content: ".first: line\r\n\r\n.\r\n" },
  {
    name: "every octet but NUL, CR and LF",
    content: "Subject: 8-bit\r\n\r\n" +
      Array.from({ length: 256 }, (_, n) => String.fromCharCode(n))
        .filter((one) => !"\0\r\n".includes(one)).join("") +
      "\r\n",
  },
  { name: "an empty body", content: "Subject: no body\r\n\r\n" },
  { name: "only headers", content: "Subject: x\r\nX-Folded: a\r\n\tb\r\n" },
  { name: "nothing at all", content: "" },
  { name: "one empty line", content: "\r\n" },
  { name: "no header", content: "\r\nA text, and no header\r\n" },
  {
    name: "lines of 998 octets",
    content: `X-Long: ${"h".repeat(990)}\r\n\r\n` +
      `${"x".repeat(998)}\r\n.${"y".repeat(997)}\r\n`.repeat(20),
  },
  { name: "many empty lines", content: "A: b\r\n\r\n" + "\r\n".repeat(5_000) },
  {
    name: "`From ` and `>From `",
    content: "Subject: From\r\n\r\nFrom me\r\n>From you\r\n",
  },
];

const RELAYS = [
  "somebody@elsewhere.test",
  "SOMEBODY@ELSEWHERE.TEST",
  "somebody@sub.home.test",
  "somebody@home.test.elsewhere.test",
  "somebody@xhome.test",
  '"me@home.test"@elsewhere.test',
  "me%home.test@elsewhere.test",
  "home.test!me@elsewhere.test",
  "@home.test:somebody@elsewhere.test",
  "@home.test,@mx.home.test:somebody@elsewhere.test",
  "somebody@[127.0.0.1]",
  "somebody@[192.0.2.1]",
  "somebody@[IPv6:::1]",
  "somebody@localhost",
  "me@127.0.0.1",
  "postmaster@elsewhere.test",
  "routed.elsewhere.test!me@relayed.test",
  "me%elsewhere.test@relayed.test",
  // A route is not a permission.
  "somebody@away.test",
];

/** Ours by their domain, and nobody's: must not become somebody's either. */
const HACKS = [
  "somebody%elsewhere.test@home.test",
  "elsewhere.test!somebody@home.test",
  '"somebody@elsewhere.test"@home.test',
  '"somebody%elsewhere.test"@home.test',
  "nobody@home.test",
  "nobody+me@home.test",
  "+me@home.test",
  '"../you"@home.test',
  '"me/../you"@home.test',
  "me/you@home.test",
  "%@home.test",
];

/** `bulkhead.toml` of the main server. */
function settings(hop: NextHop): string {
  return `
[server]
local_domains = ["home.test", "catch.test"]
relay_domains = ["relayed.test"]
[smtp]
max_message_size = "95MB"
processes = 1
[aliases]
sales = ["me", "you"]
nested = "deeper"
deeper = ["sales", "me"]
"loop-a" = "loop-b"
"loop-b" = "loop-a"
"out@home.test" = "far@away.test"
"both@home.test" = ["me", "far@away.test"]
"@catch.test" = "me@home.test"
[routes]
"away.test" = "127.0.0.1:${hop.port}"
"relayed.test" = "127.0.0.1:${hop.port}"
`;
}

Deno.test("mail arrives byte for byte, or is refused for a reason", async (t) => {
  await using hop = new NextHop(freePort());
  await hop.listen();
  await using made = await server({
    settings: settings(hop),
  });
  const mine = made.maildir("me");
  const yours = made.maildir("you");

  /** Says what RCPT gets, in a transaction of its own. */
  const rcpt = async (address: string) => {
    using client = await SmtpClient.ready(made.smtpPort);
    client.expect(await client.say(`MAIL FROM:<${FROM}>`), 250);
    return { client, reply: await client.say(`RCPT TO:<${address}>`) };
  };

  for (const { name, content } of MESSAGES) {
    await t.step(`delivers ${name}`, async () => {
      emptyMaildir(mine);
      const client = await SmtpClient.ready(made.smtpPort);
      const id = await client.transact(
        FROM,
        ["me@home.test"],
        octets(content),
        " BODY=8BITMIME",
      );
      await client.quit();
      const [one] = await mailIn(mine, 1);
      assertOctets(one!.content, storedForm(octets(content)), name);
      assert.equal(one!.head[0], `Return-Path: <${FROM}>`);
      assert.equal(one!.head[1], "Delivered-To: me@home.test");
      assert.match(
        one!.head[2]!,
        new RegExp(
          `^Received: from client\\.test \\(\\[127\\.0\\.0\\.1\\]\\)\n` +
            `\tby mx\\.home\\.test with ESMTP id ${id};\n` +
            "\t[A-Z][a-z]{2}, \\d{1,2} [A-Z][a-z]{2} \\d{4} " +
            "\\d\\d:\\d\\d:\\d\\d [+-]\\d{4}$",
        ),
      );
    });
  }

  await t.step("delivers mail with the null reverse-path", async () => {
    emptyMaildir(mine);
    const client = await SmtpClient.ready(made.smtpPort);
    await client.transact("", ["me@home.test"], octets("A: b\r\n\r\n"));
    await client.quit();
    const [one] = await mailIn(mine, 1);
    assert.equal(one!.head[0], "Return-Path: <>");
  });

  await t.step("takes HELO and writes SMTP into Received", async () => {
    emptyMaildir(mine);
    const client = await SmtpClient.open(made.smtpPort);
    client.expect(await client.say("HELO old.test"), 250);
    await client.transact(FROM, ["me@home.test"], octets("A: b\r\n\r\n"));
    await client.quit();
    const [one] = await mailIn(mine, 1);
    assert.match(one!.head[2]!, /from old\.test .*\n\tby .* with SMTP id /);
  });

  await t.step("delivers 30 MB, and 90 MB in the same memory", async () => {
    for (let n = 0; n < 3; n++) await sendBig(made, filler(30 * MEGA));
    const before = await peaks(made);
    await sendBig(made, filler(90 * MEGA));
    for (const [instance, kib] of await peaks(made)) {
      const more = kib - (before.get(instance) ?? 0);
      assert.ok(
        more < 45 * 1_024,
        `${instance} grew by ${Math.round(more / 1_024)} MiB for 60 MB more`,
      );
    }
  });

  await t.step("takes pipelined commands, RFC 2920", async () => {
    emptyMaildir(mine);
    using client = await SmtpClient.ready(made.smtpPort);
    const start = `MAIL FROM:<${FROM}>\r\nRCPT TO:<me@home.test>\r\n` +
      "RCPT TO:<nobody@home.test>\r\nDATA\r\n";
    await client.send(start);
    for (const code of [250, 250, 550, 354]) {
      client.expect(await client.reply(), code);
    }
    const content = octets("Subject: one\r\n\r\n.\r\n");
    // The next transaction is sent together with the end of this one.
    await client.send(wireForm(content));
    await client.send(start);
    queueIdOf(client.expect(await client.reply(), 250));
    for (const code of [250, 250, 550, 354]) {
      client.expect(await client.reply(), code);
    }
    await client.send(
      new Uint8Array([...wireForm(content), ...octets("QUIT\r\n")]),
    );
    client.expect(await client.reply(), 250);
    client.expect(await client.reply(), 221);
    assert.ok(await client.isHungUp());
    for (const one of await mailIn(mine, 2)) {
      assertOctets(one.content, storedForm(content), "pipelined");
    }
  });

  const ROUTED: { to: string; mine: number; yours: number }[] = [
    { to: "ME@Home.Test", mine: 1, yours: 0 },
    { to: "me+lists@home.test", mine: 1, yours: 0 },
    { to: "sales@home.test", mine: 1, yours: 1 },
    { to: "sales+offer@home.test", mine: 1, yours: 1 },
    { to: "nested@home.test", mine: 1, yours: 1 },
    { to: "anybody-at-all@catch.test", mine: 1, yours: 0 },
    { to: "postmaster@home.test", mine: 1, yours: 0 },
    { to: "abuse@home.test", mine: 1, yours: 0 },
    { to: "postmaster", mine: 1, yours: 0 },
  ];
  for (const { to, mine: forMe, yours: forYou } of ROUTED) {
    await t.step(`finds the mailboxes of <${to}>`, async () => {
      emptyMaildir(mine);
      emptyMaildir(yours);
      const client = await SmtpClient.ready(made.smtpPort);
      const content = octets(`Subject: for ${to}\r\n\r\n`);
      await client.transact(FROM, [to], content);
      await client.quit();
      const got = [
        ...await mailIn(mine, forMe),
        ...await mailIn(yours, forYou),
      ];
      for (const one of got) {
        assertOctets(one.content, storedForm(content), to);
      }
      assert.equal(newFiles(yours).length, forYou);
    });
  }

  await t.step("hands an alias's remote target to its next hop", async () => {
    emptyMaildir(mine);
    const client = await SmtpClient.ready(made.smtpPort);
    const content = octets("Subject: both\r\n\r\n.\r\n..\r\nx\xe9\r\n");
    const both = ["both@home.test", "out@home.test"];
    await client.transact(FROM, both, content, " BODY=8BITMIME");
    await client.quit();
    await mailIn(mine, 1);
    await until("mail at the next hop", () => hop.taken.length > 0);
    assert.equal(hop.taken.length, 1, "once, though two aliases name it");
    const [taken] = hop.taken;
    assert.deepEqual([taken!.from, taken!.to], [FROM, ["far@away.test"]]);
    const text = new TextDecoder("latin1").decode(taken!.content);
    assert.match(text, /^Received: from client\.test /);
    const received = text.slice(0, text.indexOf("Subject:"));
    assert.equal(received.match(/^\S/gm)!.length, 1, "one field is added");
    assertOctets(
      taken!.content.subarray(received.length),
      content,
      "at the next hop",
    );
    hop.taken.length = 0;
  });

  await t.step("takes mail for relay_domains from anybody", async () => {
    const client = await SmtpClient.ready(made.smtpPort);
    await client.transact(FROM, ["x@relayed.test"], octets("A: b\r\n\r\n"));
    await client.quit();
    await until("mail at the next hop", () => hop.taken.length === 1);
    assert.deepEqual(hop.taken[0]!.to, ["x@relayed.test"]);
  });

  for (const address of RELAYS) {
    await t.step(`does not relay to <${address}>`, async () => {
      const { client, reply } = await rcpt(address);
      client.expect(reply, 554, "5.7.1");
    });
  }

  for (const address of HACKS) {
    await t.step(`knows no <${address}>`, async () => {
      const { client, reply } = await rcpt(address);
      client.expect(reply, 550, "5.1.1");
    });
  }

  await t.step(
    "refuses an alias that only leads to itself for now",
    async () => {
      const { client, reply } = await rcpt("loop-a@home.test");
      client.expect(reply, 451, "4.3.5");
    },
  );

  await t.step("refuses DATA when nobody is left", async () => {
    using client = await SmtpClient.ready(made.smtpPort);
    client.expect(await client.say(`MAIL FROM:<${FROM}>`), 250);
    client.expect(await client.say("RCPT TO:<nobody@home.test>"), 550);
    client.expect(await client.say("DATA"), 554, "5.5.1");
  });

  await t.step("refuses a SIZE that is too large, at MAIL", async () => {
    using client = await SmtpClient.open(made.smtpPort);
    const hello = await client.say("EHLO client.test");
    assert.ok(hello.lines.includes("SIZE 95000000"), hello.text);
    for (
      const word of [
        "PIPELINING",
        "8BITMIME",
        "ENHANCEDSTATUSCODES",
        "STARTTLS",
      ]
    ) assert.ok(hello.lines.includes(word), `${word} in ${hello.text}`);
    const mail = `MAIL FROM:<${FROM}> SIZE=`;
    client.expect(await client.say(mail + "95000001"), 552, "5.3.4");
    client.expect(await client.say(mail + "95000000"), 250);
  });

  await t.step("refuses a message in a loop, and not one before", async () => {
    emptyMaildir(mine);
    using client = await SmtpClient.ready(made.smtpPort);
    const hops = (n: number) =>
      octets("Received: from a by b; now\r\n".repeat(n) + "\r\nReceived:\r\n");
    client.expect(await client.say(`MAIL FROM:<${FROM}>`), 250);
    client.expect(await client.say("RCPT TO:<me@home.test>"), 250);
    client.expect(await client.data(hops(51)), 554, "5.4.6");
    await client.transact(FROM, ["me@home.test"], hops(50));
    await mailIn(mine, 1);
  });

  const SPOILT: { name: string; wire: string }[] = [
    { name: "a bare LF", wire: "A: b\r\n\r\none\ntwo\r\n.\r\n" },
    { name: "a bare CR", wire: "A: b\r\n\r\none\rtwo\r\n.\r\n" },
    { name: "a NUL", wire: "A: b\r\n\r\none\0two\r\n.\r\n" },
    {
      name: "an end of data with bare LF",
      wire: "A: b\r\n\r\n\n.\nMAIL FROM:<evil@x.test>\r\n" +
        "RCPT TO:<you@home.test>\r\nDATA\r\nEvil: yes\r\n\r\n.\r\n",
    },
    {
      name: "an end of data with LF before",
      wire: "A: b\r\n\r\n\n.\r\nMAIL FROM:<evil@x.test>\r\n" +
        "RCPT TO:<you@home.test>\r\nDATA\r\nEvil: yes\r\n\r\n.\r\n",
    },
    {
      name: "an end of data with CR before",
      wire: "A: b\r\n\r\n\r.\r\nMAIL FROM:<evil@x.test>\r\n" +
        "RCPT TO:<you@home.test>\r\nDATA\r\nEvil: yes\r\n\r\n.\r\n",
    },
  ];
  for (const { name, wire } of SPOILT) {
    await t.step(`refuses a message with ${name}`, async () => {
      emptyMaildir(mine);
      emptyMaildir(yours);
      using client = await SmtpClient.ready(made.smtpPort);
      client.expect(await client.say(`MAIL FROM:<${FROM}>`), 250);
      client.expect(await client.say("RCPT TO:<me@home.test>"), 250);
      client.expect(await client.say("DATA"), 354);
      await client.send(wire);
      const reply = await client.reply();
      assert.equal(reply.code, 550, reply.text);
      assert.ok(await client.isHungUp(), "and nothing behind it is read");
      // What comes later is delivered later: if the evil one were, we saw it.
      const after = await SmtpClient.ready(made.smtpPort);
      await after.transact(FROM, ["you@home.test"], octets("A: b\r\n\r\n"));
      await after.quit();
      await mailIn(yours, 1);
      assert.deepEqual(newFiles(mine), []);
    });
  }

  await t.step("speaks TLS after STARTTLS", async () => {
    emptyMaildir(mine);
    const ca = await Deno.readTextFile(`${made.home}/tls/cert.pem`);
    using client = await SmtpClient.ready(made.smtpPort);
    const secured = await client.startTls(ca, "mx.home.test");
    assert.ok(secured.authorized, `${secured.authorizationError}`);
    assert.match(secured.getProtocol() ?? "", /^TLSv1\.[23]$/);
    client.expect(await client.say(`MAIL FROM:<${FROM}>`), 503, "5.5.1");
    const hello = client.expect(await client.say("EHLO tls.test"), 250);
    assert.ok(!hello.lines.includes("STARTTLS"), hello.text);
    const content = octets("Subject: tls\r\n\r\n" + ".line\r\n".repeat(50_000));
    await client.transact(FROM, ["me@home.test"], content);
    await client.quit();
    const [one] = await mailIn(mine, 1);
    assert.match(one!.head[2]!, / with ESMTPS id /);
    assertOctets(one!.content, storedForm(content), "through TLS");
  });

  await t.step("throws away what is sent behind STARTTLS", async () => {
    using client = await SmtpClient.ready(made.smtpPort);
    await client.send("STARTTLS\r\nMAIL FROM:<evil@x.test>\r\n");
    client.expect(await client.reply(), 554, "5.5.0");
    assert.ok(await client.isHungUp());
  });

  await t.step("has nothing left in its queue", async () => {
    const { messages } = await until("an empty queue", async () => {
      const listed = await made.json<{ messages: unknown[] }>("queue", "list");
      return listed.messages.length === 0 && listed;
    });
    assert.deepEqual(messages, []);
    for (const one of await made.roles()) {
      assert.equal(one.restarts, 0, `${one.instance} was restarted`);
    }
  });

  await made.stopCleanly();
});

Deno.test("a home that only its owner may search works, with small limits", async (t) => {
  await using made = await server({
    isHidden: true,
    settings: `
[smtp]
max_message_size = "64KiB"
hop_limit = 10
max_recipients = 100
processes = 1
max_sessions = 5
[resolve]
recipient_delimiter = "-"
[tls]
mode = "off"
`,
  });
  const mine = made.maildir("me");

  await t.step("delivers", async () => {
    const client = await SmtpClient.ready(made.smtpPort);
    await client.transact(FROM, ["me-x@home.test"], octets("A: b\r\n\r\n"));
    await client.quit();
    const [one] = await mailIn(mine, 1);
    assertOctets(one!.content, octets("A: b\n\n"), "delivered");
    emptyMaildir(mine);
  });

  await t.step("refuses a message that grows too large", async () => {
    using client = await SmtpClient.ready(made.smtpPort);
    for (const [size, code] of [[65_537, 552], [65_536, 250]] as const) {
      const head = "Subject: size\r\n\r\n";
      const lines = "x".repeat(98) + "\r\n";
      const body = lines.repeat(1_000).slice(0, size - head.length - 2) +
        "\r\n";
      client.expect(await client.say(`MAIL FROM:<${FROM}>`), 250);
      client.expect(await client.say("RCPT TO:<me@home.test>"), 250);
      const reply = await client.data(
        octets(head + body.replace(/\r\r\n$/, "y\r\n")),
      );
      client.expect(reply, code, code === 552 ? "5.3.4" : "");
    }
    await client.quit();
    await mailIn(mine, 1);
  });

  await t.step("takes 100 recipients, and asks to keep the rest", async () => {
    using client = await SmtpClient.ready(made.smtpPort);
    client.expect(await client.say(`MAIL FROM:<${FROM}>`), 250);
    for (let n = 0; n < 100; n++) {
      client.expect(await client.say(`RCPT TO:<me-${n}@home.test>`), 250);
    }
    client.expect(await client.say("RCPT TO:<you@home.test>"), 452, "4.5.3");
    client.expect(await client.data(octets("A: b\r\n\r\n")), 250);
    await client.quit();
    assert.deepEqual(newFiles(made.maildir("you")), []);
  });

  await t.step("offers no STARTTLS if it has none", async () => {
    using client = await SmtpClient.open(made.smtpPort);
    const hello = await client.say("EHLO client.test");
    assert.ok(!hello.lines.includes("STARTTLS"), hello.text);
    client.expect(await client.say("STARTTLS"), 502);
  });

  await t.step(
    "has room for five sessions and says so to a sixth",
    async () => {
      // A session that is over is counted until the server saw its end.
      const admitted = async (): Promise<SmtpClient> => {
        for (let i = 0; i < 50; i++) {
          try {
            return await SmtpClient.ready(made.smtpPort);
          } catch (error) {
            if (!/421/.test(String(error))) throw error;
            await new Promise((resolve) => setTimeout(resolve, 20));
          }
        }
        throw new Error("Not admitted in a second");
      };
      const five: SmtpClient[] = [];
      while (five.length < 5) five.push(await admitted());
      await assert.rejects(SmtpClient.open(made.smtpPort), /421/);
      for (const client of five) await client.quit();
      await (await admitted()).quit();
    },
  );

  await made.stopCleanly();
});

Deno.test("many processes, sessions and recipients lose nothing", async (t) => {
  const many = Array.from({ length: 200 }, (_, n) => `user${n}`);
  await using made = await server({
    users: ["me", ...many],
    settings: "[smtp]\nprocesses = 3",
  });
  const mine = made.maildir("me");

  await t.step("delivers to 200 recipients of one transaction", async () => {
    const client = await SmtpClient.ready(made.smtpPort);
    const content = octets("Subject: to all\r\n\r\n.\r\nHello\r\n");
    const to = many.map((user) => `${user}@home.test`);
    await client.transact(FROM, to, content);
    await client.quit();
    for (const user of many) {
      const [one] = await mailIn(made.maildir(user), 1);
      assert.equal(one!.head[1], `Delivered-To: ${user}@home.test`);
      assertOctets(one!.content, storedForm(content), user);
    }
  });

  await t.step("takes 50 connections at once, 10 messages each", async () => {
    emptyMaildir(mine);
    const sent = new Map<string, string>();
    await Promise.all(Array.from({ length: 50 }, async (_, at) => {
      const client = await SmtpClient.ready(made.smtpPort);
      for (let n = 0; n < 10; n++) {
        const text = `Subject: ${at}/${n}\r\n\r\n${
          "x".repeat(at * 40 + n)
        }\r\n`;
        const id = await client.transact(FROM, ["me@home.test"], octets(text));
        assert.ok(!sent.has(id), "an id comes once");
        sent.set(id, text.replaceAll("\r\n", "\n"));
      }
      await client.quit();
    }));
    assert.equal(sent.size, 500);
    for (const { head, content } of await mailIn(mine, 500)) {
      const id = / id (\w+);/.exec(head[2]!)![1]!;
      assert.equal(new TextDecoder().decode(content), sent.get(id), id);
      sent.delete(id);
    }
    assert.equal(sent.size, 0);
  });

  await t.step("shares them among the processes", async () => {
    const roles = await until("counters", async () => {
      const all = await made.roles();
      const smtpd = all.filter(({ instance }) => instance.startsWith("smtpd."));
      const taken = smtpd.map(({ counters }) => counters["accepted"] ?? 0);
      return taken.reduce((sum, one) => sum + one) === 501 && all;
    });
    for (const { instance, restarts } of roles) {
      assert.equal(restarts, 0, `${instance} was restarted`);
    }
  });

  await made.stopCleanly();
});

const MEGA = 1_000_000;

/** A message of about this many octets, whose every line differs. */
function filler(size: number): Uint8Array {
  const lines = ["Subject: big", ""];
  let length = 16;
  for (let n = 0; length < size; n++) {
    const line = `${n % 7 === 0 ? "." : ""}${n} ${"0123456789".repeat(7)}`;
    lines.push(line);
    length += line.length + 2;
  }
  return octets(lines.join("\r\n") + "\r\n");
}

/** Sends a message to `me` and compares what arrived. */
async function sendBig(
  made: Installation,
  content: Uint8Array,
): Promise<void> {
  emptyMaildir(made.maildir("me"));
  const client = await SmtpClient.ready(made.smtpPort);
  await client.transact(FROM, ["me@home.test"], content);
  await client.quit();
  const [path] = await until("the big message", () => {
    const found = newFiles(made.maildir("me"));
    return found.length === 1 && found;
  }, 60_000);
  assertOctets(readDelivered(path!).content, storedForm(content), "big");
}

/** The most memory, in KiB, that each role ever had in RAM. */
async function peaks(made: Installation): Promise<Map<string, number>> {
  const found = new Map<string, number>();
  for (const { instance, pid } of await made.roles()) {
    const status = Deno.readTextFileSync(`/proc/${pid}/status`);
    found.set(instance, Number(/VmHWM:\s+(\d+)/.exec(status)![1]));
  }
  return found;
}
