/** The PROXY protocol, over real sockets. */
import assert from "node:assert/strict";
import { until, withServer } from "./server_fixture.ts";
import { TestClient } from "./test_client.ts";

const PROXY = { proxyFrom: ["127.0.0.0/8"] };

function header(address: string): string {
  return `PROXY TCP4 ${address} 198.51.100.1 40000 25\r\n`;
}

async function proxied(port: number, address: string): Promise<TestClient> {
  const client = TestClient.openRaw(port);
  client.send(header(address));
  await client.reply();
  return client;
}

Deno.test("SmtpServer takes the client's address from a proxy", () =>
  withServer(PROXY, async ({ port, backend, logged }) => {
    const client = TestClient.openRaw(port);
    client.send("PROXY TCP4 192.0.2.1 198.");
    await new Promise((resolve) => setTimeout(resolve, 20));
    assert.equal(client.heard, "", "nothing is said before the header");
    client.send("51.100.1 40000 25\r\n");
    assert.match(await client.reply(), /^220 /);
    await client.dialog(
      ["EHLO client.test", 250],
      ["MAIL FROM:<a@b.test>", 250],
      ["RCPT TO:<me@home.test>", 250],
      ["DATA", 354],
      ["Subject: x\r\n\r\nx\r\n.", 250],
      ["QUIT", 221],
    );
    assert.match(backend.taken[0]!.body, /client\.test \(\[192\.0\.2\.1\]\)/);
    assert.equal(backend.taken[0]!.ask.client.address, "192.0.2.1");
    assert.equal(logged[0]!.fields.client, "192.0.2.1");
  }));

Deno.test("SmtpServer loses no octet behind a PROXY header", () =>
  withServer(PROXY, async ({ port }) => {
    const client = TestClient.openRaw(port);
    client.send(header("192.0.2.1") + "EHLO client.test\r\nNOOP\r\nQUIT\r\n");
    assert.match(await client.reply(), /^220 /);
    assert.match(await client.reply(), /^250-/);
    assert.match(await client.reply(), /^250 /);
    assert.match(await client.rest(), /^221 /);
  }));

Deno.test("SmtpServer answers a proxied client that sent its FIN", () =>
  withServer(PROXY, async ({ port }) => {
    const client = TestClient.openRaw(port);
    client.send(header("192.0.2.1") + "NOOP\r\n");
    client.socket.end();
    assert.match(await client.rest(), /^220 .*\r\n250 /);
  }));

Deno.test("SmtpServer limits clients behind a proxy, not the proxy", () =>
  withServer({ ...PROXY, maxSessionsPerClient: 1 }, async (fixture) => {
    const { port, server } = fixture;
    const one = await proxied(port, "192.0.2.1");
    const other = await proxied(port, "192.0.2.2");
    const again = TestClient.openRaw(port);
    again.send(header("192.0.2.1"));
    assert.match(await again.reply(), /^421 4\.7\.0/);
    one.close();
    await until(() => server.sessions === 1, "one has left");
    (await proxied(port, "192.0.2.1")).close();
    other.close();
  }));

Deno.test("SmtpServer takes a proxy that speaks for itself", () =>
  withServer(PROXY, async ({ port, backend }) => {
    const client = TestClient.openRaw(port);
    client.send("PROXY UNKNOWN\r\n");
    await client.reply();
    await client.dialog(
      ["HELO a", 250],
      ["MAIL FROM:<>", 250],
      ["RCPT TO:<me@home.test>", 250],
      ["DATA", 354],
      [".", 250],
    );
    assert.equal(backend.taken[0]!.ask.client.address, "127.0.0.1");
    client.close();
  }));

Deno.test("SmtpServer says nothing to a proxy without a header", () =>
  withServer({ ...PROXY, commandWithinMs: 300 }, async (fixture) => {
    const { port, logged, server, counted } = fixture;
    const smtp = TestClient.openRaw(port);
    smtp.send("EHLO client.test\r\n");
    const silent = TestClient.openRaw(port);
    assert.equal(await smtp.rest(), "");
    assert.equal(await silent.rest(), "");
    assert.equal(server.sessions, 0);
    assert.equal(counted.get("proxy-faults"), 2);
    assert.deepEqual(
      logged.map(({ event, fields }) => [event, fields.why]),
      [
        ["proxy-header-refused", "no PROXY header"],
        ["proxy-header-refused", "no header in time"],
      ],
    );
    const gone = TestClient.openRaw(port);
    gone.send("PROXY TCP4");
    await until(() => server.sessions === 1, "it is there");
    gone.close();
    await until(() => server.sessions === 0, "it is gone");
  }));

Deno.test("SmtpServer understands PROXY from nobody else", () =>
  withServer({ proxyFrom: ["192.0.2.0/24"] }, async ({ port }) => {
    const client = TestClient.openRaw(port);
    client.send(header("192.0.2.1"));
    assert.match(await client.rest(), /^220 .*\r\n502 /);
  }));
