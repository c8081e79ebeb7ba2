import assert from "node:assert/strict";
import { once } from "node:events";
import net from "node:net";
import { keepAccepting } from "./accepting.ts";

/** A server whose handle counts the calls of listen, and its count. */
async function counted(
  at: { path: string } | { port: number; host: string },
): Promise<{ server: net.Server; calls: () => number }> {
  const server = net.createServer();
  keepAccepting(server);
  server.listen(at);
  await once(server, "listening");
  const { _handle: handle } = server as unknown as {
    _handle: { listen: (backlog: number) => number };
  };
  let calls = 0;
  handle.listen = () => calls++;
  return { server, calls: () => calls };
}

Deno.test("keepAccepting() listens again on TCP, and never on a Unix socket", async () => {
  const dir = await Deno.makeTempDir({ prefix: "bulkhead-accepting-" });
  try {
    const tcp = await counted({ port: 0, host: "127.0.0.1" });
    const unix = await counted({ path: `${dir}/socket` });
    await new Promise((resolve) => setTimeout(resolve, 1_200));
    assert.equal(tcp.calls(), 1);
    assert.equal(unix.calls(), 0);
    for (const { server } of [tcp, unix]) {
      server.close();
      await once(server, "close");
    }
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
});
