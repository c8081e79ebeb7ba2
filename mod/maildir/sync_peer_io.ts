/**
 * The asking end of the edge to `sync`: one octet out, one octet back; see
 * `mod/sync/sync_ipc.ts`. `sync` plugs in to our listening socket.
 */
import net from "node:net";
import { log } from "../core/log.ts";
import { ASK_SYNC, SYNC_FAILED, SYNCED } from "../sync/sync_ipc.ts";
import type { SyncPeer, WholeSync } from "./durability.ts";

/** A sync that takes longer is given up; the files are then synced singly. */
export const SYNC_WITHIN_MS = 60_000;

const ASK = Uint8Array.of(ASK_SYNC);

/** Asks whichever sync role is plugged in. */
export class SocketSyncPeer implements SyncPeer {
  readonly #server: net.Server;
  readonly #withinMs: number;
  #socket: net.Socket | undefined;
  #open: ((came: WholeSync) => void)[] = [];
  #plugs = 0;

  /** @param listener The edge's listening socket, or (in tests) its path */
  constructor(
    listener: { fd: number } | { path: string },
    withinMs: number = SYNC_WITHIN_MS,
  ) {
    this.#withinMs = withinMs;
    this.#server = net.createServer((socket) => this.#plugged(socket));
    this.#server.listen(listener);
  }

  /** True while a sync role is plugged in. */
  get isThere(): boolean {
    return this.#socket !== undefined;
  }

  /** Sync roles that have plugged in so far. */
  get plugged(): number {
    return this.#plugs;
  }

  /** Syncs the mail directory's file system. */
  sync(): Promise<WholeSync> {
    const socket = this.#socket;
    if (socket === undefined) return Promise.resolve("unknown");
    return new Promise((resolve) => {
      // Answers come in order, so an ask given up takes the channel with it.
      const timer = setTimeout(() => {
        log("sync-role-hangs", { withinMs: this.#withinMs });
        socket.destroy();
        this.#lost(socket);
      }, this.#withinMs);
      this.#open.push((came) => {
        clearTimeout(timer);
        resolve(came);
      });
      socket.write(ASK);
    });
  }

  /** Stops listening and closes the channel. */
  close(): void {
    this.#server.close();
    this.#socket?.destroy();
  }

  #plugged(socket: net.Socket): void {
    // A new one means that the old one is dead, even if we have not heard.
    const old = this.#socket;
    if (old !== undefined) {
      old.destroy();
      this.#lost(old);
    }
    this.#socket = socket;
    this.#plugs++;
    socket.on("data", (octets: Uint8Array) => this.#answered(socket, octets));
    socket.on("error", () => {}); // "close" follows
    socket.on("close", () => this.#lost(socket));
  }

  #answered(socket: net.Socket, octets: Uint8Array): void {
    for (const octet of octets) {
      if (socket !== this.#socket) return;
      const isAnswer = octet === SYNCED || octet === SYNC_FAILED;
      const told = isAnswer ? this.#open.shift() : undefined;
      if (told === undefined) {
        log("ipc-breach", { by: "sync", why: `unexpected octet ${octet}` });
        socket.destroy();
        return this.#lost(socket);
      }
      told(octet === SYNCED ? "synced" : "failed");
    }
  }

  #lost(socket: net.Socket): void {
    if (socket !== this.#socket) return;
    this.#socket = undefined;
    const open = this.#open;
    this.#open = [];
    for (const told of open) told("unknown");
  }
}
