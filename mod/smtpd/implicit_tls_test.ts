/** TLS from the first octet, RFC 8314 §3. */
import assert from "node:assert/strict";
import net from "node:net";
import { FakeGate, rejects } from "./fake_gate.ts";
import {
  selfSigned,
  type SubmissionFixture,
  until,
  withSubmission,
} from "./server_fixture.ts";
import { TestClient } from "./test_client.ts";

const PEM = await selfSigned();

function tlsTest(
  name: string,
  test: (fixture: SubmissionFixture) => Promise<void>,
  commandWithinMs = 10_000,
): void {
  Deno.test(`Connection with TLS from the first octet ${name}`, () =>
    withSubmission({ tls: PEM, commandWithinMs }, { isTls: true }, test));
}

tlsTest("greets inside TLS, and offers no STARTTLS", async (fixture) => {
  const client = await TestClient.openTls(fixture.port);
  assert.doesNotMatch(await client.say("EHLO b.test"), /STARTTLS/);
  await client.dialog(["STARTTLS", 503], ["MAIL FROM:<me@home.test>", 530], [
    "QUIT",
    221,
  ]);
  assert.equal(await client.rest(), "");
  assert.equal(fixture.counted.get("tls"), 1);
});

/** A client in a process of its own sends its ClientHello at once. */
async function serveOpenSsl(port: number): Promise<void> {
  for (let i = 0; i < 3; i++) {
    const client = new Deno.Command("openssl", {
      args: ["s_client", "-crlf", "-quiet", "-connect", `127.0.0.1:${port}`],
      stdin: "piped",
      stdout: "piped",
      stderr: "null",
    }).spawn();
    const writer = client.stdin.getWriter();
    await writer.write(new TextEncoder().encode("EHLO b.test\nQUIT\n"));
    const { stdout } = await client.output();
    assert.match(
      new TextDecoder().decode(stdout),
      /^220 mx.*\r\n250-mx[^]*250 HELP\r\n221 2\.0\.0/,
    );
  }
}

tlsTest(
  "serves OpenSSL's client, time after time",
  ({ port }) => serveOpenSsl(port),
);

// What came while the gate was asked is the ClientHello.
Deno.test("Connection with TLS from the first octet waits for the gate", () => {
  const gate = new FakeGate();
  gate.delays.set("arrive", new Promise((done) => setTimeout(done, 50)));
  return withSubmission(
    { tls: PEM },
    { isTls: true, gate },
    async ({ port, counted }) => {
      await serveOpenSsl(port);
      const client = await TestClient.openTls(port);
      await client.dialog(["NOOP", 250]);
      client.close();
      assert.equal(gate.count("arrive"), 4);
      assert.equal(counted.get("tls"), 4);
    },
  );
});

Deno.test("Connection with TLS from the first octet ends without a word if the gate says so", () => {
  const gate = new FakeGate();
  gate.arriving = { verdict: rejects(421, "Too many"), tests: [] };
  return withSubmission(
    { tls: PEM },
    { isTls: true, gate },
    async (fixture) => {
      const client = TestClient.openRaw(fixture.port);
      assert.equal(await client.rest(), "");
      client.close();
    },
  );
});

tlsTest("says nothing in clear, whatever it is sent", async (fixture) => {
  const { port, server, counted } = fixture;
  const client = TestClient.openRaw(port);
  client.send("EHLO b.test\r\n");
  assert.doesNotMatch(await client.rest(), /220|250|500/);
  await until(() => server.sessions === 0, "no session is left");
  assert.equal(counted.get("tls-failed"), 1);
  const good = await TestClient.openTls(port);
  await good.dialog(["NOOP", 250]);
  good.close();
});

tlsTest("ends silence at its deadline", async ({ port, server }) => {
  const silent = net.connect(port, "127.0.0.1");
  const closed = Promise.withResolvers<void>();
  silent.on("error", () => {});
  silent.on("close", () => closed.resolve());
  silent.resume();
  await until(() => server.sessions === 1, "the session is there");
  await closed.promise;
  await until(() => server.sessions === 0, "no session is left");
}, 200);

tlsTest("is stopped in the midst of a handshake", async ({ port, server }) => {
  const silent = net.connect(port, "127.0.0.1");
  silent.on("error", () => {});
  silent.resume();
  await until(() => server.sessions === 1, "the session is there");
  const began = performance.now();
  await server.stop();
  assert.ok(performance.now() - began < 1_000);
  silent.destroy();
});

Deno.test("SmtpServer closes a TLS port that it has no certificate for", () =>
  withSubmission({}, { isTls: true }, async ({ port, server }) => {
    const client = TestClient.openRaw(port);
    assert.equal(await client.rest(), "");
    assert.equal(server.sessions, 0);
    client.close();
  }));

Deno.test("SmtpServer says no 421 in clear on a TLS port", () =>
  withSubmission(
    { tls: PEM, maxSessions: 1 },
    { isTls: true },
    async ({ port, counted }) => {
      const first = await TestClient.openTls(port);
      const second = TestClient.openRaw(port);
      assert.equal(await second.rest(), "");
      assert.equal(counted.get("sessions-too-many"), 1);
      first.close();
      second.close();
    },
  ));

// A relay in between puts the header and the ClientHello into one packet.
Deno.test("SmtpServer speaks TLS behind a PROXY header", () =>
  withSubmission(
    { tls: PEM, proxyFrom: ["127.0.0.0/8"] },
    { isTls: true },
    async ({ port, logged }) => {
      const proxy = net.createServer((client) => {
        const server = net.connect(port, "127.0.0.1");
        client.once("data", (hello: Uint8Array) => {
          const header = "PROXY TCP4 192.0.2.1 198.51.100.1 40000 465\r\n";
          server.write(Buffer.concat([Buffer.from(header), hello]));
          client.pipe(server);
        });
        server.pipe(client);
        server.on("error", () => client.destroy());
        client.on("error", () => server.destroy());
      });
      const listening = Promise.withResolvers<void>();
      proxy.listen(0, "127.0.0.1", () => listening.resolve());
      await listening.promise;
      const { port: outer } = proxy.address() as net.AddressInfo;
      const client = await TestClient.openTls(outer);
      await client.dialog(["EHLO b.test", 250], ["QUIT", 221]);
      assert.equal(await client.rest(), "");
      proxy.close();
      assert.deepEqual(logged, []);
    },
  ));
