import assert from "node:assert/strict";
import net from "node:net";
import { libcPath, loadedLibraries } from "../walls/libc.ts";
import { encodeAsk } from "./dial_ipc.ts";
import { openDial } from "./dial_io.ts";
import { keepPlugged } from "./main.ts";

const ENCODED: { name: string; address: string; want: string }[] = [
  {
    name: "loopback",
    address: "::1",
    want: "00000000000000000000000000000001",
  },
  { name: "all zero", address: "::", want: "0".repeat(32) },
  {
    name: "a gap in the middle",
    address: "2001:db8::a:1",
    want: "20010db80000000000000000000a0001",
  },
  {
    name: "no gap",
    address: "2001:DB8:1:2:3:4:5:6",
    want: "20010db8000100020003000400050006",
  },
  {
    name: "IPv4 at the end",
    address: "64:ff9b::192.0.2.1",
    want: "0064ff9b0000000000000000c0000201",
  },
];

for (const { name, address, want } of ENCODED) {
  Deno.test(`encodeAsk() encodes ${name}`, () => {
    const octets = encodeAsk({ address, port: 25 });
    assert.equal(octets.subarray(0, 16).toHex(), want);
    assert.deepEqual([...octets.subarray(16, 18)], [0, 25]);
    assert.ok(octets.subarray(18).every((octet) => octet === 0));
  });
}

Deno.test("encodeAsk() refuses what is no IPv6 address", () => {
  for (const bad of ["192.0.2.1", "x", "::1/64", "fe80::1%eth0", ""]) {
    assert.throws(() => encodeAsk({ address: bad, port: 25 }), RangeError, bad);
  }
});

/** A host on ::1, a dial role's insides on a Unix socket, and its asker. */
async function laboratory(port?: number, sources: string[] = []) {
  const dir = Deno.makeTempDirSync();
  const host = net.createServer((socket) => {
    socket.write("220 hello\r\n");
    socket.pipe(socket);
  });
  await new Promise<void>((done) => host.listen(0, "::1", done));
  const hostPort = (host.address() as net.AddressInfo).port;
  const channels: net.Socket[] = [];
  const waiting: ((channel: net.Socket) => void)[] = [];
  const asker = net.createServer((channel) => {
    channel.on("error", () => {});
    const next = waiting.shift();
    if (next) next(channel);
    else channels.push(channel);
  });
  await new Promise<void>((done) => asker.listen(`${dir}/s`, done));
  const dial = openDial({
    libc: libcPath(loadedLibraries(Deno.readTextFileSync("/proc/self/maps"))),
    part: () => ({
      connectWithinMs: 2_000,
      port: port ?? hostPort,
      sources,
    }),
  });
  const counts = new Map<string, number>();
  keepPlugged(
    `${dir}/s`,
    dial,
    (name) => void counts.set(name, (counts.get(name) ?? 0) + 1),
  );
  return {
    hostPort,
    counts,
    channel: () =>
      channels.shift() ??
        new Promise<net.Socket>((done) => waiting.push(done)),
  };
}

function read(socket: net.Socket, octets: number): Promise<Uint8Array> {
  const { promise, resolve } = Promise.withResolvers<Uint8Array>();
  let got = new Uint8Array(0);
  const take = (bytes: Uint8Array) => {
    got = new Uint8Array([...got, ...bytes]);
    if (got.length >= octets) resolve(got);
  };
  socket.on("data", take);
  socket.on("close", () => resolve(got));
  return promise;
}

// The role's connections outlive a test as they outlive a question.
const LOOSE = { sanitizeOps: false, sanitizeResources: false };

Deno.test("dial joins a channel to a host", LOOSE, async () => {
  const lab = await laboratory();
  const channel = await lab.channel();
  channel.write(encodeAsk({ address: "::1", port: lab.hostPort }));
  const greeting = read(channel, 1 + 11 + 4);
  setTimeout(() => channel.write("NOOP"), 100);
  const text = new TextDecoder().decode(await greeting);
  assert.equal(text, "\x00220 hello\r\nNOOP");
  assert.equal(lab.counts.get("dialled"), 1);
  channel.destroy();
});

Deno.test("dial refuses another port", LOOSE, async () => {
  const lab = await laboratory(25);
  const channel = await lab.channel();
  channel.write(encodeAsk({ address: "::1", port: lab.hostPort }));
  assert.deepEqual([...await read(channel, 99)], [1]);
});

Deno.test("dial says so when nobody listens", LOOSE, async () => {
  const lab = await laboratory(1);
  const channel = await lab.channel();
  channel.write(encodeAsk({ address: "::1", port: 1 }));
  assert.deepEqual([...await read(channel, 99)], [1]);
  assert.equal(lab.counts.get("failed"), 1);
});

Deno.test(
  "dial closes a channel that asks nonsense, and goes on",
  LOOSE,
  async () => {
    const lab = await laboratory();
    const bad = await lab.channel();
    bad.write("x".repeat(40));
    assert.equal((await read(bad, 1)).length, 0);
    const good = await lab.channel();
    good.write(encodeAsk({ address: "::1", port: lab.hostPort }));
    assert.equal((await read(good, 12))[0], 0);
    good.destroy();
  },
);

Deno.test(
  "dial connects from the address that is asked for",
  LOOSE,
  async () => {
    const lab = await laboratory(undefined, ["::1", "2001:DB8::1"]);
    const port = lab.hostPort;
    const from = async (source: string) => {
      const channel = await lab.channel();
      channel.write(encodeAsk({ address: "::1", port, source }));
      const first = (await read(channel, 12))[0];
      channel.destroy();
      return first;
    };
    assert.equal(await from("::1"), 0);
    // Not an address of this machine.
    assert.equal(await from("2001:db8::1"), 1);
  },
);

Deno.test(
  "dial refuses a source that the configuration does not name",
  LOOSE,
  async () => {
    const lab = await laboratory(undefined, ["2001:db8::1"]);
    const channel = await lab.channel();
    const ask = { address: "::1", port: lab.hostPort, source: "::1" };
    channel.write(encodeAsk(ask));
    assert.deepEqual([...await read(channel, 99)], [1]);
  },
);

Deno.test(
  "dial plugs in again when the asker is gone",
  LOOSE,
  async () => {
    const lab = await laboratory();
    // As a process does that ends: no word, and all that waits is closed.
    for (let i = 0; i < 4; i++) (await lab.channel()).destroy();
    const channel = await Promise.race([
      lab.channel(),
      new Promise<"late">((done) => setTimeout(() => done("late"), 2_000)),
    ]);
    if (channel === "late") return assert.fail("no channel came again");
    channel.write(encodeAsk({ address: "::1", port: lab.hostPort }));
    assert.equal((await read(channel, 12))[0], 0);
    channel.destroy();
  },
);
