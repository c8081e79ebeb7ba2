import assert from "node:assert/strict";
import net from "node:net";
import { openLibc, ownLibcPath } from "../walls/libc.ts";
import {
  ListenError,
  listenTcp,
  listenUnix,
  MAX_SOCKET_PATH,
  takeLock,
} from "./sockets.ts";

const libc = openLibc(ownLibcPath());

/** A port that was free a moment ago. */
function freePort(hostname: string): number {
  using listener = Deno.listen({ hostname, port: 0 });
  return listener.addr.port;
}

function withDir(body: (dir: string) => void | Promise<void>) {
  return async () => {
    const dir = await Deno.makeTempDir();
    try {
      await body(dir);
    } finally {
      await Deno.remove(dir, { recursive: true });
    }
  };
}

/** What a server on an inherited descriptor says to one client. */
async function greeting(
  fd: number,
  connect: () => Promise<Deno.Conn>,
): Promise<string> {
  const server = net.createServer((socket) => socket.end("hello"));
  await new Promise<void>((done) => server.listen({ fd }, done));
  const connection = await connect();
  const bytes = new Uint8Array(10);
  const length = await connection.read(bytes);
  connection.close();
  await new Promise((done) => server.close(done));
  return new TextDecoder().decode(bytes.subarray(0, length ?? 0));
}

for (const hostname of ["127.0.0.1", "::1"]) {
  Deno.test(`listenTcp opens ${hostname} for whoever inherits it`, async () => {
    const port = freePort(hostname);
    const fd = listenTcp(libc, hostname, port);
    assert.equal(
      await greeting(fd, () => Deno.connect({ hostname, port })),
      "hello",
    );
  });
}

Deno.test("listenTcp opens every IPv6 address without the IPv4 ones", () => {
  const port = freePort("127.0.0.1");
  const fds = [listenTcp(libc, "::", port), listenTcp(libc, "0.0.0.0", port)];
  for (const fd of fds) libc.close(fd);
});

for (const [host, shown] of [["127.0.0.1", "127.0.0.1"], ["::1", "[::1]"]]) {
  Deno.test(`listenTcp says who to ask when ${host} is in use`, () => {
    using holder = Deno.listen({ hostname: host!, port: 0 });
    const { port } = holder.addr;
    assert.throws(() => listenTcp(libc, host!, port), (error) => {
      assert.ok(error instanceof ListenError && error.inUse);
      assert.ok(error.message.startsWith(`Cannot listen on ${shown}:${port}:`));
      assert.match(error.message, /EADDRINUSE.*ss -ltnp/);
      return true;
    });
  });
}

Deno.test("listenTcp says so when the address is not this machine's", () => {
  assert.throws(
    () => listenTcp(libc, "192.0.2.77", 2525),
    (error) =>
      error instanceof ListenError && !error.inUse &&
      error.message.includes("no such address on this machine"),
  );
});

Deno.test("listenTcp leaks no descriptor when it fails", () => {
  using holder = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const open = () => [...Deno.readDirSync("/proc/self/fd")].length;
  const before = open();
  for (let n = 0; n < 20; n++) {
    assert.throws(() => listenTcp(libc, "127.0.0.1", holder.addr.port));
    assert.throws(() => listenTcp(libc, "127.0.0.300", 2525), RangeError);
    assert.throws(() => listenTcp(libc, "1:2:3:4:5:6:7:8:9", 2525), TypeError);
  }
  assert.equal(open(), before);
});

Deno.test(
  "listenUnix opens a path, replaces a dead one, and sets its mode",
  withDir(async (dir) => {
    const path = `${dir}/a.sock`;
    const first = listenUnix(libc, path, { gid: null, mode: 0o600 });
    libc.close(first);
    const fd = listenUnix(libc, path, { gid: null, mode: 0o600 });
    assert.equal(Deno.statSync(path).mode! & 0o777, 0o600);
    assert.equal(
      await greeting(fd, () => Deno.connect({ transport: "unix", path })),
      "hello",
    );
  }),
);

Deno.test({
  name: "listenUnix gives the socket to the group that plugs in",
  ignore: Deno.uid() !== 0,
  fn: withDir((dir) => {
    const path = `${dir}/a.sock`;
    const fd = listenUnix(libc, path, { gid: 62_400, mode: 0o660 });
    const { uid, gid, mode } = Deno.statSync(path);
    assert.deepEqual([uid, gid, mode! & 0o777], [0, 62_400, 0o660]);
    libc.close(fd);
  }),
});

Deno.test(
  "listenUnix refuses a path that is too long, not one that just fits",
  withDir((dir) => {
    const path = `${dir}/`.padEnd(MAX_SOCKET_PATH, "x");
    libc.close(listenUnix(libc, path, { gid: null, mode: 0o600 }));
    for (const long of [path + "x", `${dir}/${"é".repeat(60)}`]) {
      assert.throws(
        () => listenUnix(libc, long, { gid: null, mode: 0o600 }),
        (error) =>
          error instanceof ListenError && !error.inUse &&
          error.message.endsWith("the path is longer than 107 octets"),
      );
    }
  }),
);

Deno.test(
  "listenUnix says which directory is missing",
  withDir((dir) => {
    const path = `${dir}/no/a.sock`;
    assert.throws(
      () => listenUnix(libc, path, { gid: null, mode: 0o600 }),
      new ListenError(
        `Cannot listen on ${path}: ENOENT, no such file or directory`,
        false,
      ),
    );
  }),
);

Deno.test(
  "takeLock gives the lock to one, and again after it is let go",
  withDir((dir) => {
    const path = `${dir}/lock`;
    const fd = takeLock(libc, path);
    assert.notEqual(fd, undefined);
    assert.equal(Deno.statSync(path).mode! & 0o777, 0o600);
    assert.equal(takeLock(libc, path), undefined);
    libc.close(fd!);
    const again = takeLock(libc, path);
    assert.notEqual(again, undefined);
    libc.close(again!);
  }),
);

Deno.test("takeLock says what is wrong with the path", () => {
  assert.throws(
    () => takeLock(libc, "/dev/null/lock"),
    /Cannot open \/dev\/null\/lock: ENOTDIR/,
  );
});
