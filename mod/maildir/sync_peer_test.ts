import assert from "node:assert/strict";
import net from "node:net";
import { SocketSyncPeer } from "./sync_peer_io.ts";

/** A peer's asking end, and sync roles that the test plays. */
async function withPeer(
  body: (
    peer: SocketSyncPeer,
    plug: () => Promise<net.Socket>,
  ) => Promise<void>,
  withinMs = 60_000,
): Promise<void> {
  const dir = await Deno.makeTempDir();
  const peer = new SocketSyncPeer({ path: `${dir}/sock` }, withinMs);
  const roles: net.Socket[] = [];
  try {
    await body(peer, async () => {
      const role = net.connect({ path: `${dir}/sock` });
      role.on("error", () => {});
      roles.push(role);
      const before = peer.plugged;
      while (peer.plugged === before) {
        await new Promise((resolve) => setTimeout(resolve, 1));
      }
      return role;
    });
  } finally {
    for (const role of roles) role.destroy();
    peer.close();
    await new Promise((resolve) => setTimeout(resolve, 10));
    await Deno.remove(dir, { recursive: true });
  }
}

const options = { sanitizeOps: false, sanitizeResources: false };

Deno.test(
  "SocketSyncPeer knows nothing while nobody is plugged in",
  options,
  async () => {
    await withPeer(async (peer) => {
      assert.equal(await peer.sync(), "unknown");
    });
  },
);

Deno.test(
  "SocketSyncPeer asks with s, and takes 0 and 1 in order",
  options,
  async () => {
    await withPeer(async (peer, plug) => {
      const role = await plug();
      const asked: number[] = [];
      role.on("data", (octets: Uint8Array) => {
        asked.push(...octets);
        if (asked.length === 3) role.write(Uint8Array.of(0, 1, 0));
      });
      const came = await Promise.all([peer.sync(), peer.sync(), peer.sync()]);
      assert.deepEqual(came, ["synced", "failed", "synced"]);
      assert.deepEqual(asked, [0x73, 0x73, 0x73]);
    });
  },
);

Deno.test(
  "SocketSyncPeer knows nothing of asks whose answerer died",
  options,
  async () => {
    await withPeer(async (peer, plug) => {
      const role = await plug();
      role.on("data", () => role.destroy());
      assert.deepEqual(await Promise.all([peer.sync(), peer.sync()]), [
        "unknown",
        "unknown",
      ]);
      const next = await plug();
      next.on("data", () => next.write(Uint8Array.of(0)));
      assert.equal(await peer.sync(), "synced");
    });
  },
);

Deno.test(
  "SocketSyncPeer drops a channel that says what nobody asked",
  options,
  async () => {
    for (const octets of [[0], [7]]) {
      await withPeer(async (peer, plug) => {
        const role = await plug();
        role.resume();
        const closed = new Promise<void>((resolve) =>
          role.on("close", resolve)
        );
        if (octets[0] === 7) void peer.sync();
        role.write(Uint8Array.from(octets));
        await closed;
        assert.equal(peer.isThere, false);
      });
    }
  },
);

Deno.test("SocketSyncPeer does not take an answer twice", options, async () => {
  await withPeer(async (peer, plug) => {
    const role = await plug();
    role.on("data", () => role.write(Uint8Array.of(0, 0)));
    assert.equal(await peer.sync(), "synced");
    assert.equal(peer.isThere, false);
  });
});

Deno.test("SocketSyncPeer gives up a role that hangs", options, async () => {
  await withPeer(async (peer, plug) => {
    const role = await plug();
    role.resume();
    assert.equal(await peer.sync(), "unknown");
    assert.equal(peer.isThere, false);
  }, 30);
});
