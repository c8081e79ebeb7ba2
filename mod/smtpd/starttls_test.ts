import assert from "node:assert/strict";
import {
  type Fixture,
  selfSigned,
  until,
  withServer,
} from "./server_fixture.ts";
import { TestClient } from "./test_client.ts";
import { tlsContext } from "./tls_context.ts";

const PEM = await selfSigned();

function tlsTest(
  name: string,
  test: (fixture: Fixture) => Promise<void>,
  commandWithinMs = 10_000,
): void {
  Deno.test(`STARTTLS ${name}`, () =>
    withServer({ tls: PEM, commandWithinMs }, test));
}

tlsTest("takes a message inside TLS", async ({ port, backend }) => {
  const client = await TestClient.open(port);
  assert.match(await client.say("EHLO a.test"), /\|250-STARTTLS\|/);
  assert.match(await client.say("STARTTLS"), /^220 2\.0\.0 /);
  await client.startTls();
  assert.doesNotMatch(await client.say("EHLO b.test"), /STARTTLS/);
  await client.dialog(["MAIL FROM:<>", 250], ["RCPT TO:<me@home.test>", 250], [
    "DATA",
    354,
  ]);
  const body = "x".repeat(98) + "\r\n";
  client.send(body.repeat(5_000) + ".\r\n");
  assert.match(await client.reply(), /^250 2\.0\.0 Ok: queued/);
  assert.equal(backend.taken[0]!.ask.client.protocol, "ESMTPS");
  assert.match(
    backend.taken[0]!.body,
    /^Received: from b\.test .*\r\n\tby mx\.home\.test with ESMTPS/,
  );
  assert.ok(backend.taken[0]!.body.endsWith(body.repeat(5_000)));
  await client.dialog(["STARTTLS", 503], ["NOOP", 250], ["QUIT", 221]);
  assert.equal(await client.rest(), "");
});

// A client in a process of its own sends its ClientHello at once, which one in
// this event loop does not.
tlsTest("serves OpenSSL's client, time after time", async ({ port }) => {
  for (let i = 0; i < 5; i++) {
    const client = new Deno.Command("openssl", {
      args: ["s_client", "-starttls", "smtp", "-crlf", "-quiet", "-connect"]
        .concat(`127.0.0.1:${port}`),
      stdin: "piped",
      stdout: "piped",
      stderr: "null",
    }).spawn();
    const writer = client.stdin.getWriter();
    await writer.write(new TextEncoder().encode("EHLO b.test\nQUIT\n"));
    const { stdout } = await client.output();
    assert.match(new TextDecoder().decode(stdout), /250 HELP\r\n221 2\.0\.0/);
  }
}, 2_000);

tlsTest("forgets all that was said before", async ({ port }) => {
  const client = await TestClient.open(port);
  await client.dialog(["EHLO a.test", 250], ["MAIL FROM:<s@a.test>", 250], [
    "STARTTLS",
    220,
  ]);
  await client.startTls();
  await client.dialog(["RCPT TO:<me@home.test>", 503], [
    "MAIL FROM:<s@a.test>",
    503,
  ]);
  client.close();
});

// CVE-2011-0411: what was sent in clear must not run inside TLS.
for (
  const injected of [
    "NOOP\r\n",
    "EHLO x\r\nMAIL FROM:<a@b.test>\r\nRCPT TO:<me@home.test>\r\n",
    "AUTH PLAIN AGEAYg==\r\n",
    "MAIL FROM:<at",
    "\x16\x03\x01\x02\x00\x01\x00",
  ]
) {
  tlsTest(
    `refuses ${JSON.stringify(injected)} behind it`,
    async ({ port, backend }) => {
      const client = await TestClient.open(port);
      await client.say("EHLO a.test");
      client.send("STARTTLS\r\n" + injected);
      assert.match(await client.rest(), /^554 5\.5\.0 [^\r\n]*\r\n$/, "no 220");
      assert.deepEqual(backend.calls, []);
    },
  );

  tlsTest(
    `runs no ${JSON.stringify(injected)} sent just after it`,
    async ({ port, backend }) => {
      const client = await TestClient.open(port);
      await client.say("EHLO a.test");
      client.socket.setNoDelay(true);
      client.send("STARTTLS\r\n");
      await new Promise((resolve) => setTimeout(resolve, 1));
      client.send(injected);
      assert.match(await client.reply(), /^(220|554)/);
      // What follows is no ClientHello: the handshake fails, nothing runs.
      client.send("QUIT\r\n".repeat(200));
      assert.doesNotMatch(await client.rest(), /^[0-9]/m);
      client.close();
      assert.deepEqual(backend.calls, []);
    },
  );
}

tlsTest("refuses an argument and a bare LF", async ({ port }) => {
  const client = await TestClient.open(port);
  await client.dialog(["EHLO a.test", 250], ["STARTTLS now", 501]);
  client.send("STARTTLS\nNOOP\r\n");
  assert.match(await client.reply(), /^500/);
  await client.dialog(["NOOP", 250]);
  client.close();
});

tlsTest(
  "closes on garbage and serves on",
  async ({ port, server, counted }) => {
    const client = await TestClient.open(port);
    await client.dialog(["EHLO a.test", 250], ["STARTTLS", 220]);
    for (let i = 0; i < 16; i++) {
      client.send(crypto.getRandomValues(new Uint8Array(65_536)));
    }
    await until(() => server.sessions === 0, "session gone");
    assert.equal(counted.get("tls-failed"), 1);
    client.close();
    const next = await TestClient.open(port);
    await next.dialog(["NOOP", 250]);
    next.close();
  },
);

for (const name of ["silence", "a dripped hello"]) {
  tlsTest(`ends ${name} at its deadline`, async ({ port, server }) => {
    const client = await TestClient.open(port);
    await client.dialog(["EHLO a.test", 250], ["STARTTLS", 220]);
    const hello = "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03";
    let at = 0;
    const dripping = setInterval(() => {
      if (name !== "silence" && at < hello.length) client.send(hello[at++]!);
    }, 50);
    await until(() => server.sessions === 0, "session gone");
    clearInterval(dripping);
    client.close();
  }, 300);
}

tlsTest(
  "is survived by clients lost in the handshake",
  async ({ port, server }) => {
    for (let i = 0; i < 10; i++) {
      const client = await TestClient.open(port);
      await client.dialog(["EHLO a.test", 250], ["STARTTLS", 220]);
      client.send("\x16\x03\x01\x02\x00".slice(0, i % 6));
      if (i % 2 === 0) client.close();
      else client.socket.end();
    }
    await until(() => server.sessions === 0, "sessions gone");
  },
);

Deno.test("SmtpServer offers no STARTTLS with a certificate it cannot use", async () => {
  const other = await selfSigned();
  for (
    const tls of [{ cert: "x", key: "y" }, { cert: PEM.cert, key: "y" }, {
      cert: PEM.cert,
      key: other.key,
    }]
  ) {
    await withServer({ tls }, async ({ port, logged }) => {
      assert.equal(logged[0]!.event, "tls-not-offered");
      const client = await TestClient.open(port);
      assert.doesNotMatch(await client.say("EHLO a.test"), /STARTTLS/);
      await client.dialog(["STARTTLS", 502], ["NOOP", 250]);
      client.close();
    });
  }
});

Deno.test("tlsContext takes a certificate with its key", () => {
  assert.equal(tlsContext(PEM).ok, true);
});
