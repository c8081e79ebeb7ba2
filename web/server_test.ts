/** The console's sockets under clients that are slow, greedy or no browsers. */
import assert from "node:assert/strict";
import type http from "node:http";
import net, { type AddressInfo } from "node:net";
import { HOST, Lab, madeUpSources } from "./console_fixture.ts";
import { Live } from "./live_io.ts";
import { serverOf } from "./server_io.ts";

const PATIENCE = {
  headMs: 300,
  requestMs: 600,
  keepAliveMs: 300,
  idleMs: 1_000,
  drainMs: 300,
};

async function listening(
  lab: Lab,
): Promise<{ port: number; server: http.Server }> {
  const server = serverOf(() => lab.app, { tls: null, patience: PATIENCE });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return { port: (server.address() as AddressInfo).port, server };
}

async function until(claim: () => boolean): Promise<void> {
  const end = performance.now() + 5_000;
  while (!claim()) {
    assert.ok(performance.now() < end, `not within 5 s: ${claim}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

/** All that is said until the connection ends. */
function exchange(
  port: number,
  said: string,
): Promise<{ heard: string; inMs: number }> {
  const began = performance.now();
  return new Promise((resolve) => {
    const socket = net.connect(port, "127.0.0.1");
    let heard = "";
    socket.on("data", (part) => heard += part.toString("latin1"));
    socket.on("error", () => {});
    socket.on(
      "close",
      () => resolve({ heard, inMs: performance.now() - began }),
    );
    socket.write(said, "latin1");
  });
}

const head = (line: string, ...more: string[]) =>
  [line, `Host: ${HOST}`, ...more, "", ""].join("\r\n");

const FORM = "Content-Type: application/x-www-form-urlencoded";

const ROWS: readonly { name: string; said: string; heard: RegExp }[] = [
  { name: "nothing", said: "", heard: /^$|408/ },
  {
    name: "half a head",
    said: "GET / HTTP/1.1\r\nHost: x\r\n",
    heard: /^$|408/,
  },
  {
    name: "a head without end",
    said: `GET / HTTP/1.1\r\nX: ${"a".repeat(20_000)}`,
    heard: /^$|43\d|400/,
  },
  {
    name: "half a body",
    said: head("POST /in HTTP/1.1", FORM, "Content-Length: 100") + "ticket=",
    heard: /^$|408/,
  },
  {
    name: "a body without end",
    said: head("POST /in HTTP/1.1", FORM, "Transfer-Encoding: chunked") +
      `4000\r\n${"a".repeat(0x4000)}\r\n`,
    heard: /^HTTP\/1\.1 413|^$/,
  },
  {
    name: "two lengths",
    said: head(
      "POST /in HTTP/1.1",
      FORM,
      "Content-Length: 3",
      "Transfer-Encoding: chunked",
    ) + "0\r\n\r\n",
    heard: /^$|^HTTP\/1\.1 4\d\d/,
  },
  {
    name: "a request to a proxy",
    said: head("GET http://evil.test/ HTTP/1.1", "Connection: close"),
    heard: /^HTTP\/1\.1 400/,
  },
  {
    name: "no HTTP",
    said: "EHLO client.test\r\n",
    heard: /^$|^HTTP\/1\.1 400/,
  },
  {
    name: "another name",
    said: `GET / HTTP/1.1\r\nHost: evil.test\r\nConnection: close\r\n\r\n`,
    heard: /^HTTP\/1\.1 421/,
  },
  {
    name: "an honest request",
    said: head("GET / HTTP/1.1", "Connection: close"),
    heard: /^HTTP\/1\.1 200[^]*mx\.home\.test/,
  },
];

Deno.test("serverOf() ends every connection in time, whatever comes", async (t) => {
  const { port, server } = await listening(new Lab());
  await Promise.all(ROWS.map(({ name, said, heard }) =>
    t.step({
      name,
      sanitizeOps: false,
      sanitizeResources: false,
      sanitizeExit: false,
      fn: async () => {
        const came = await exchange(port, said);
        assert.match(came.heard, heard);
        assert.ok(came.inMs < 3_000, `${Math.round(came.inMs)} ms`);
      },
    })
  ));
  server.close();
});

Deno.test("serverOf() answers one request of a connection at a time", async () => {
  let [now, most, all] = [0, 0, 0];
  const lab = new Lab({
    sourcesOver: {
      counts: async () => {
        most = Math.max(most, ++now);
        all++;
        await new Promise((resolve) => setTimeout(resolve, 5));
        now--;
        return undefined;
      },
    },
  });
  const { port, server } = await listening(lab);
  const get = head("GET /status.json HTTP/1.1");
  const few = await exchange(
    port,
    get.repeat(4) + head("GET /status.json HTTP/1.1", "Connection: close"),
  );
  assert.equal(few.heard.match(/HTTP\/1\.1 200/g)?.length, 5);
  assert.deepEqual([most, all], [1, 5]);
  await exchange(port, get.repeat(500));
  assert.ok(most === 1 && all < 20, `${most} at once, ${all} in all`);
  server.close();
});

Deno.test("serverOf() and Live let go of who does not read", async () => {
  const live = new Live(10);
  let n = 0;
  const long = "x".repeat(200_000);
  const lab = new Lab({
    live: (sources, watcher) => live.open(sources, watcher),
    sourcesOver: {
      nowMs: () => ++n,
      counts: () => Promise.resolve(undefined),
      news: () => ({
        pid: ++n,
        startedMs: 0,
        ready: true,
        hostname: long,
        version: "1",
        roles: [],
      }),
    },
  });
  const { port, server } = await listening(lab);
  try {
    const asked = head("GET /events HTTP/1.1");
    const socket = net.connect(port, "127.0.0.1");
    socket.pause();
    socket.write(asked);
    await until(() => live.size === 1);
    await until(() => live.size === 0);
    const { promise, resolve } = Promise.withResolvers<void>();
    socket.on("error", () => {}).on("close", () => resolve());
    socket.resume();
    await promise;
  } finally {
    live.close();
    server.close();
  }
});

Deno.test("Live has so many streams, and tells when something changed", async () => {
  const live = new Live(60_000);
  let isAlive = true;
  let accepted = 1;
  const sources = () =>
    madeUpSources({
      nowMs: () => performance.now(),
      counts: async () => ({ ...(await madeUpSources().counts())!, accepted }),
    });
  const streams = Array.from(
    { length: 17 },
    () => live.open(sources(), { isAlive: () => isAlive, isStranger: false }),
  );
  assert.equal(streams.filter((one) => one === undefined).length, 1);
  const strangers = new Live(60_000);
  const open = (isStranger: boolean) =>
    strangers.open(sources(), { isAlive: () => true, isStranger });
  while (open(true) !== undefined);
  assert.ok(open(false), "who is signed in has room when strangers have none");
  strangers.close();
  const reader = streams[0]!.getReader();
  const next = async () => {
    const { value, done } = await reader.read();
    return done ? "end" : new TextDecoder().decode(value);
  };
  assert.match(await next(), /^retry: /);
  await live.tell();
  assert.match(await next(), /^event: now\ndata: .*"accepted":1/);
  await live.tell();
  accepted = 2;
  await live.tell();
  assert.match(await next(), /"accepted":2/, "nothing was said in between");
  isAlive = false;
  await live.tell();
  assert.equal(await next(), "end");
  assert.equal(live.size, 0);
  live.close();
});
