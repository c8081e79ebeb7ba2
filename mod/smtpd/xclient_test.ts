/** XCLIENT: its words, and what it does over real sockets. */
import assert from "node:assert/strict";
import { FakeGate } from "./fake_gate.ts";
import { selfSigned, until, withGate, withServer } from "./server_fixture.ts";
import { TestClient } from "./test_client.ts";
import { type Introduced, readXclient } from "./xclient.ts";

const NOTHING: Introduced = {
  address: undefined,
  helo: undefined,
  protocol: undefined,
};

const READINGS: { text: string; want: Introduced | undefined }[] = [
  { text: "ADDR=192.0.2.1", want: { ...NOTHING, address: "192.0.2.1" } },
  {
    text: "addr=ipv6:2001:db8::1 Port=65535",
    want: { ...NOTHING, address: "2001:db8::1" },
  },
  { text: "ADDR=2001:db8::1", want: { ...NOTHING, address: "2001:db8::1" } },
  {
    text: "NAME=[UNAVAILABLE] ADDR=[tempunavail] HELO=[UNAVAILABLE]",
    want: NOTHING,
  },
  {
    text: "HELO=a+2Eb.test PROTO=ESMTP LOGIN=me@home.test",
    want: { ...NOTHING, helo: "a.b.test", protocol: "ESMTP" },
  },
  {
    text: "PROTO=smtp DESTADDR=192.0.2.2 DESTPORT=25 NAME=a.test",
    want: { ...NOTHING, protocol: "SMTP" },
  },
  { text: "", want: undefined },
  { text: "ADDR", want: undefined },
  { text: "ADDR=", want: undefined },
  { text: "=192.0.2.1", want: undefined },
  { text: "ADDR=192.0.2.1 ADDR=192.0.2.2", want: undefined },
  { text: "ADDR=192.0.2.1  HELO=a", want: undefined },
  { text: "ADDR=192.0.2", want: undefined },
  { text: "ADDR=IPV6:192.0.2.1", want: undefined },
  { text: "ADDR=fe80::1%1", want: undefined },
  { text: "PORT=65536", want: undefined },
  { text: "PROTO=LMTP", want: undefined },
  { text: "__proto__=x", want: undefined },
  { text: "HELO=a+0D+0Ab", want: undefined },
  { text: "HELO=a+2", want: undefined },
  { text: `HELO=${"a".repeat(256)}`, want: undefined },
];

for (const { text, want } of READINGS) {
  const verb = want === undefined ? "refuses" : "reads";
  Deno.test(`readXclient() ${verb} "${text.slice(0, 70)}"`, () => {
    assert.deepEqual(readXclient(text), want);
  });
}

const LISTED = { xclientFrom: ["127.0.0.0/8"] };

Deno.test("SmtpServer takes the client that XCLIENT names", () =>
  withServer(LISTED, async ({ port, backend }) => {
    const client = await TestClient.open(port);
    assert.match(
      await client.say("EHLO proxy.test"),
      /\|250-XCLIENT NAME ADDR /,
    );
    assert.match(
      await client.say("XCLIENT ADDR=192.0.2.1 PORT=40000"),
      /^220 /,
    );
    await client.dialog(
      ["MAIL FROM:<a@b.test>", 503],
      ["EHLO client.test", 250],
      ["MAIL FROM:<a@b.test>", 250],
      ["XCLIENT ADDR=192.0.2.2", 503],
      ["RCPT TO:<me@home.test>", 250],
      ["DATA", 354],
      ["x\r\n.", 250],
    );
    assert.match(backend.taken[0]!.body, /client\.test \(\[192\.0\.2\.1\]\)/);
    assert.equal(backend.taken[0]!.ask.client.address, "192.0.2.1");
    client.close();
  }));

Deno.test("SmtpServer takes HELO from XCLIENT, if it could be one", () =>
  withServer(LISTED, async ({ port, backend }) => {
    const client = await TestClient.open(port);
    await client.dialog(
      ["XCLIENT ADDR=192.0.2.1 HELO=client.test PROTO=SMTP", 220],
      ["MAIL FROM:<a@b.test>", 250],
      ["RCPT TO:<me@home.test>", 250],
      ["DATA", 354],
      ["x\r\n.", 250],
      ["XCLIENT HELO=(bad+20one)", 220],
      ["MAIL FROM:<a@b.test>", 503],
      ["XCLIENT HELO", 501],
    );
    const { client: told } = backend.taken[0]!.ask;
    assert.equal(`${told.helo} ${told.protocol}`, "client.test SMTP");
    client.close();
  }));

Deno.test("SmtpServer takes XCLIENT again and again, and keeps its counts", () =>
  withServer({ ...LISTED, maxSessionsPerClient: 2 }, async (fixture) => {
    const { port, server } = fixture;
    const client = await TestClient.open(port);
    for (let i = 0; i < 30; i++) {
      await client.dialog([`XCLIENT ADDR=192.0.2.${i}`, 220]);
    }
    await client.dialog(["QUIT", 221]);
    await until(() => server.sessions === 0, "it is gone");
    for (let i = 0; i < 2; i++) {
      await (await TestClient.open(port)).dialog([
        "XCLIENT ADDR=192.0.2.9",
        220,
      ]);
    }
    const third = await TestClient.open(port);
    assert.match(await third.say("XCLIENT ADDR=192.0.2.9"), /^421 4\.7\.0/);
  }));

Deno.test("SmtpServer asks the gate anew for whom XCLIENT names", () => {
  const gate = new FakeGate();
  return withGate(gate, {
    ...LISTED,
    screening: { trusted: ["127.0.0.1"] },
  }, async ({ port }) => {
    const client = await TestClient.open(port);
    await client.dialog(
      ["XCLIENT ADDR=192.0.2.1", 220],
      ["EHLO client.test", 250],
      ["XCLIENT ADDR=192.0.2.2", 220],
      ["QUIT", 221],
    );
    await until(() => gate.count("leave") === 2, "both have left");
    assert.deepEqual(gate.calls, [
      "arrive 192.0.2.1",
      "leave 192.0.2.1",
      "arrive 192.0.2.2",
      "leave 192.0.2.2",
    ]);
  });
});

Deno.test("SmtpServer reads nothing for one client that was sent by another", () =>
  withServer({ ...LISTED, proxyFrom: ["127.0.0.1"] }, async (fixture) => {
    const client = TestClient.openRaw(fixture.port);
    client.send("PROXY UNKNOWN\r\nXCLIENT ADDR=192.0.2.1\r\n");
    assert.match(await client.reply(), /^220 /);
    assert.match(await client.reply(), /^220 /);
    client.send("XCLIENT ADDR=192.0.2.2\r\nNOOP\r\n");
    assert.match(await client.rest(), /^554 5\.5\.0 /);
    await until(() => fixture.server.sessions === 0, "it is gone");
  }));

Deno.test("SmtpServer keeps TLS when XCLIENT is said inside", async () => {
  const tls = await selfSigned();
  await withServer({ ...LISTED, tls }, async ({ port }) => {
    const client = await TestClient.open(port);
    await client.dialog(["EHLO proxy.test", 250], ["STARTTLS", 220]);
    await client.startTls();
    await client.dialog(["XCLIENT ADDR=192.0.2.1", 220]);
    assert.doesNotMatch(await client.say("EHLO client.test"), /STARTTLS/);
    await client.dialog(["QUIT", 221]);
  });
});

Deno.test("SmtpServer offers XCLIENT to nobody else", () =>
  withServer({ xclientFrom: ["192.0.2.0/24"] }, async ({ port }) => {
    const client = await TestClient.open(port);
    assert.doesNotMatch(await client.say("EHLO client.test"), /XCLIENT/);
    await client.dialog(["XCLIENT ADDR=192.0.2.1", 502]);
    client.close();
  }));
