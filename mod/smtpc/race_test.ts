import assert from "node:assert/strict";
import net from "node:net";
import { connect, Connection } from "./connection_io.ts";
import { inTurn, NEXT_AFTER_MS, race, type RaceFacts } from "./race_io.ts";
import { PART } from "./delivery_fixture.ts";
import { Sources } from "./source.ts";

const FACTS: RaceFacts = {
  withinMs: 5_000,
  dialV6: undefined,
  source: () => undefined,
};

/** Listens on addresses of loopback; the first free port is everybody's. */
async function listening(addresses: string[]) {
  const came: string[] = [];
  const octets: number[] = [];
  const servers: net.Server[] = [];
  let port = 0;
  for (const address of addresses) {
    const server = net.createServer((socket) => {
      came.push(`${socket.remoteAddress} to ${address}`);
      socket.on("data", (bytes: Uint8Array) => octets.push(bytes.length));
      socket.on("error", () => {});
    });
    await new Promise<void>((done) => server.listen(port, address, done));
    port = (server.address() as net.AddressInfo).port;
    servers.push(server);
  }
  return {
    port,
    came,
    octets,
    close: () => servers.forEach((one) => one.close()),
  };
}

const to = (address: string, port: number) => ({ host: "h", address, port });

Deno.test("race() takes the first address that answers", async () => {
  const lab = await listening(["127.0.0.2"]);
  const { won, failed } = await race(
    [to("127.0.0.1", lab.port), to("127.0.0.2", lab.port)],
    FACTS,
  );
  assert.equal(won?.to.address, "127.0.0.2");
  assert.deepEqual(failed.map((one) => one.to.address), ["127.0.0.1"]);
  won!.connection.destroy();
  lab.close();
});

Deno.test("race() waits a quarter of a second for a dead way, not longer", async () => {
  const lab = await listening(["127.0.0.1"]);
  const began = performance.now();
  const { won, failed } = await race(
    [to("2001:db8::1", lab.port), to("127.0.0.1", lab.port)],
    {
      ...FACTS,
      // Never answers, as a way does that leads nowhere.
      connect: (to, ...rest) =>
        net.isIPv6(to.address) ? new Promise(() => {}) : connect(to, ...rest),
    },
  );
  const tookMs = performance.now() - began;
  assert.equal(won?.to.address, "127.0.0.1");
  assert.deepEqual(failed, []);
  assert.ok(tookMs >= NEXT_AFTER_MS - 20, `${tookMs}`);
  assert.ok(tookMs < 3_000, `${tookMs}`);
  won!.connection.destroy();
  lab.close();
});

Deno.test("race() tells of all that failed, and ends", async () => {
  const lab = await listening(["127.0.0.1"]);
  lab.close();
  const places = ["127.0.0.1", "127.0.0.2", "127.0.0.3", "127.0.0.4"]
    .map((address) => to(address, lab.port));
  const { won, failed } = await race(places, FACTS);
  assert.equal(won, undefined);
  assert.deepEqual(
    failed.map((one) => one.to.address).sort(),
    places.map(({ address }) => address),
  );
});

Deno.test("race() says not a byte to who was too late", async () => {
  const lab = await listening(["127.0.0.1"]);
  let late: (came: Connection) => void = () => {};
  const { won } = await race(
    [to("2001:db8::1", lab.port), to("127.0.0.1", lab.port)],
    {
      ...FACTS,
      connect: (to, ...rest) =>
        net.isIPv6(to.address)
          ? new Promise((resolve) => late = resolve)
          : connect(to, ...rest),
    },
  );
  won!.connection.destroy();
  const second = net.connect({ host: "127.0.0.1", port: lab.port });
  await new Promise<void>((done) => second.on("connect", () => done()));
  const closed = new Promise<void>((done) => second.on("close", () => done()));
  late(new Connection(second));
  await closed;
  assert.deepEqual(lab.octets, []);
  lab.close();
});

Deno.test("race() connects from the address that is said", async () => {
  const lab = await listening(["127.0.0.1"]);
  const { won } = await race([to("127.0.0.1", lab.port)], {
    ...FACTS,
    source: () => "127.0.0.9",
  });
  assert.ok(won !== undefined);
  await new Promise((done) => setTimeout(done, 20));
  assert.deepEqual(lab.came, ["127.0.0.9 to 127.0.0.1"]);
  won.connection.destroy();
  lab.close();
  const gone = await race([to("127.0.0.1", lab.port)], {
    ...FACTS,
    source: () => "192.0.2.1", // none of this machine's
  });
  assert.equal(gone.won, undefined);
});

Deno.test("inTurn() takes IPv6 and IPv4 in turn, IPv6 first", () => {
  const all = ["192.0.2.1", "192.0.2.2", "2001:db8::1", "192.0.2.3"]
    .map((address) => to(address, 25));
  assert.deepEqual(inTurn(all).map(({ address }) => address), [
    "2001:db8::1",
    "192.0.2.1",
    "192.0.2.2",
    "192.0.2.3",
  ]);
});

Deno.test("Sources has one address a family, by destination", () => {
  const entry = { tls: null, match: null, fingerprints: null };
  const sources = new Sources({
    ...PART,
    source: ["192.0.2.1", "2001:db8::1"],
    destinations: [
      { ...entry, name: "a.test", source: ["192.0.2.2"] },
      { ...entry, name: "b.test", source: null },
    ],
  });
  const from = (domain: string, address: string) =>
    sources.of({ kind: "mx", domain })(address);
  assert.equal(from("a.test", "192.0.2.99"), "192.0.2.2");
  assert.equal(from("a.test", "2001:db8::99"), undefined);
  assert.equal(from("b.test", "192.0.2.99"), "192.0.2.1");
  assert.equal(from("c.test", "2001:db8::99"), "2001:db8::1");
  assert.equal(sources.of({ kind: "unix", path: "/x" })(""), undefined);
});
