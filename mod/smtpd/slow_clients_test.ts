/** What clients that hold a slot and do little with it come to. */
import { Backlog } from "./backlog.ts";
import assert from "node:assert/strict";
import net from "node:net";
import { Connection } from "./connection_io.ts";
import { FakeBackend } from "./fake_backend.ts";
import { TEST_PART, until, withServer } from "./server_fixture.ts";
import { TestClient } from "./test_client.ts";

const MAIL: [string, number][] = [
  ["EHLO client.test", 250],
  ["MAIL FROM:<a@b.test>", 250],
  ["RCPT TO:<me@home.test>", 250],
  ["DATA", 354],
];

Deno.test("SmtpServer ends a message that drips, long before its deadline", () =>
  withServer({ commandWithinMs: 300, minDataRate: 500 }, async (fixture) => {
    const client = await TestClient.open(fixture.port);
    await client.dialog(...MAIL);
    const drip = setInterval(() => client.send("x"), 50);
    const from = performance.now();
    assert.match(await client.rest(), /^421 4\.4\.2/);
    clearInterval(drip);
    assert.ok(performance.now() - from < 1_500);
    assert.equal(fixture.backend.aborted, 1);
  }));

Deno.test("SmtpServer takes a slow message that keeps the least speed", () =>
  withServer({ commandWithinMs: 300, minDataRate: 500 }, async ({ port }) => {
    const client = await TestClient.open(port);
    await client.dialog(...MAIL);
    for (let i = 0; i < 10; i++) {
      client.send("x".repeat(78) + "\r\n");
      await new Promise((resolve) => setTimeout(resolve, 60));
    }
    await client.dialog([".", 250], ["QUIT", 221]);
  }));

Deno.test("SmtpServer blames no client for a spool that does not take", () =>
  withServer({ commandWithinMs: 300, minDataRate: 500 }, async (fixture) => {
    const { port, backend } = fixture;
    const gate = Promise.withResolvers<void>();
    backend.writeGate = gate.promise;
    const client = await TestClient.open(port);
    await client.dialog(...MAIL);
    client.send(("x".repeat(78) + "\r\n").repeat(10_000));
    await new Promise((resolve) => setTimeout(resolve, 700));
    gate.resolve();
    await client.dialog([".", 250]);
    client.close();
  }));

Deno.test("Connection ends a wait sooner under stress", async () => {
  const { promise, resolve } = Promise.withResolvers<net.Socket>();
  const server = net.createServer(resolve);
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const client = TestClient.openRaw((server.address() as net.AddressInfo).port);
  const counted: string[] = [];
  const connection = new Connection({
    backlog: new Backlog(),
    socket: await promise,
    address: "127.0.0.1",
    settings: {
      ...TEST_PART,
      secureContext: undefined,
      offersTls: false,
      takesLogins: false,
      endPoint: null,
      hideClient: false,
    },
    backend: new FakeBackend(),
    log: () => {},
    onRefused: () => {},
    count: (name) => counted.push(name),
    onClosed: () => {},
  });
  assert.match(await client.reply(), /^220/);
  // commandWithinMs is 10 s.
  const later = performance.now() + 6_000;
  connection.tick(later);
  connection.tick(later, 7_000);
  assert.deepEqual(counted, []);
  connection.tick(later, 5_000);
  assert.match(await client.rest(), /^421 4\.4\.2/);
  server.close();
});

Deno.test("SmtpServer under stress gives one client fewer sessions", () =>
  withServer({
    maxSessions: 10,
    maxSessionsPerClient: 8,
    screening: { ...TEST_PART.screening, trusted: [] },
  }, async (fixture) => {
    const { port, server, counted } = fixture;
    const clients: TestClient[] = [];
    for (let i = 0; i < 6; i++) clients.push(await TestClient.open(port));
    const late = TestClient.openRaw(port);
    assert.match(await late.reply(), /^421 4\.7\.0/);
    assert.equal(counted.get("sessions-too-many-from-client"), 1);
    for (const client of clients) client.close();
    await until(() => server.sessions === 0, "all have left");
    (await TestClient.open(port)).close();
  }));
