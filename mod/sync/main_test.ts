import assert from "node:assert/strict";
import net from "node:net";
import { startSync } from "./main.ts";

const LIBC = Deno.build.arch === "aarch64"
  ? "/lib/aarch64-linux-gnu/libc.so.6"
  : "/lib/x86_64-linux-gnu/libc.so.6";

/** A sync role on a socket of its own, and an asker that listens for it. */
async function withRole(
  file: string,
  body: (next: () => Promise<net.Socket>) => Promise<void>,
): Promise<void> {
  const dir = await Deno.makeTempDir();
  const path = `${dir}/sock`;
  await Deno.writeTextFile(`${dir}/.sync`, "");
  const arrived: net.Socket[] = [];
  let wake = () => {};
  const server = net.createServer((socket) => {
    socket.on("error", () => {});
    arrived.push(socket);
    wake();
  });
  await new Promise<void>((resolve) => server.listen(path, resolve));
  const role = startSync({
    part: { file: `${dir}/${file}`, libc: LIBC },
    answers: [{ instance: "maildir.0", path }],
    count: () => {},
  });
  const all: net.Socket[] = [];
  try {
    await body(async () => {
      while (arrived.length === 0) {
        await new Promise<void>((resolve) => wake = resolve);
      }
      all.push(arrived[0]!);
      return arrived.shift()!;
    });
  } finally {
    role.close();
    for (const socket of all) socket.destroy();
    await new Promise<void>((resolve) => server.close(() => resolve()));
    await Deno.remove(dir, { recursive: true });
  }
}

function read(socket: net.Socket, octets: number): Promise<number[]> {
  return new Promise((resolve) => {
    const got: number[] = [];
    socket.on("data", (bytes: Uint8Array) => {
      got.push(...bytes);
      if (got.length >= octets) resolve(got);
    });
  });
}

const options = { sanitizeOps: false, sanitizeResources: false };

Deno.test(
  "startSync() answers each ask after a real syncfs",
  options,
  async () => {
    await withRole(".sync", async (next) => {
      const socket = await next();
      const answers = read(socket, 3);
      socket.write("sss");
      assert.deepEqual(await answers, [0, 0, 0]);
    });
  },
);

Deno.test(
  "startSync() answers 1 when its file is missing",
  options,
  async () => {
    await withRole("missing", async (next) => {
      const socket = await next();
      const answers = read(socket, 1);
      socket.write("s");
      assert.deepEqual(await answers, [1]);
    });
  },
);

Deno.test(
  "startSync() closes the channel on another octet, and comes back",
  options,
  async () => {
    await withRole(".sync", async (next) => {
      const socket = await next();
      const closed = new Promise<void>((resolve) =>
        socket.on("close", resolve)
      );
      socket.resume();
      socket.write("x");
      await closed;
      const again = await next();
      const answers = read(again, 1);
      again.write("s");
      assert.deepEqual(await answers, [0]);
    });
  },
);
