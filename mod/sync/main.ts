/**
 * The sync role: one octet in, syncfs(2), one octet out.
 *
 * It may read one empty file and call the C library; it reads no mail, holds
 * no name and writes nothing. Whoever takes it over has native code behind
 * the kernel's walls, which is why nothing but this is in it.
 */
import net from "node:net";
import { log } from "../core/log.ts";
import { type RoleContext, runRole } from "../ipc/role_runtime.ts";
import { type SyncPart, syncPart } from "./role.ts";
import { SyncChannel } from "./sync_channel.ts";
import { SyncTurns } from "./sync_turns.ts";
import { openSyncfs } from "./syncfs_io.ts";

/** Wait before plugging in again: after a lost channel, and after a breach. */
const AGAIN_MS = 100;
const AFTER_BREACH_MS = 1_000;

/** Runs the role. Never returns. */
export function main(): Promise<void> {
  return runRole(syncPart, (ctx) => {
    startSync(ctx);
  });
}

/** Plugs in to every asker, for ever. Returns what stops it (for tests). */
export function startSync(
  ctx: Pick<RoleContext<SyncPart>, "answers" | "count" | "part">,
): { close(): void } {
  const syncfs = openSyncfs(ctx.part);
  const turns = new SyncTurns(async () => {
    const synced = await syncfs();
    ctx.count(synced ? "syncs" : "failed-syncs");
    if (!synced) log("sync-failed");
    return synced;
  });
  const open = new Set<net.Socket>();
  let isStopped = false;
  const connect = (asker: { instance: string; path: string }) => {
    if (isStopped) return;
    let againMs = AGAIN_MS;
    const socket = net.connect({ path: asker.path });
    open.add(socket);
    const channel = new SyncChannel(turns, (octets) => {
      if (!socket.destroyed) socket.write(octets);
    });
    socket.on("data", (octets: Uint8Array) => {
      const breach = channel.push(octets);
      if (breach === undefined) return;
      againMs = AFTER_BREACH_MS;
      log("ipc-breach", { by: asker.instance, why: breach });
      socket.destroy();
    });
    socket.on("error", () => {}); // "close" follows
    socket.on("close", () => {
      open.delete(socket);
      if (!isStopped) setTimeout(() => connect(asker), againMs);
    });
  };
  for (const asker of ctx.answers) connect(asker);
  return {
    close() {
      isStopped = true;
      for (const socket of open) socket.destroy();
    },
  };
}
