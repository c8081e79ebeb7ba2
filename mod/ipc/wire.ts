/** What a channel needs of a socket, and how node:net gives it. */
import { joinOctets } from "../core/octets.ts";
import type { Socket } from "node:net";

/** A byte pipe as the channel ends see it. A test's is an array. */
export interface Wire {
  /** Queues bytes; false if the other side is slow, see {@link drained}. */
  write(bytes: Uint8Array): boolean;
  /** Resolves when writing is welcome again, or the wire is closed. */
  drained(): Promise<void>;
  /** Closes at once. Nothing more is read or written. */
  close(): void;
}

/**
 * Wraps a connected socket. Writes of one turn of the event loop leave in one
 * system call: at 5,000 messages a second the calls, not the bytes, cost.
 */
export function socketWire(socket: Socket): Wire {
  let waiting: Uint8Array[] = [];
  let closed = false;
  const flush = () => {
    const parts = waiting;
    waiting = [];
    if (closed || parts.length === 0) return;
    socket.write(joinOctets(parts));
  };
  // One promise for all who wait, not a listener each: a thousand sessions
  // may stream over one channel.
  let drained: PromiseWithResolvers<void> | undefined;
  const wake = () => {
    drained?.resolve();
    drained = undefined;
  };
  socket.on("drain", wake);
  socket.on("close", () => {
    closed = true;
    wake();
  });
  return {
    write(bytes) {
      waiting.push(bytes);
      if (waiting.length === 1) queueMicrotask(flush);
      return !socket.writableNeedDrain;
    },
    drained() {
      flush();
      if (closed || !socket.writableNeedDrain) return Promise.resolve();
      drained ??= Promise.withResolvers<void>();
      return drained.promise;
    },
    close() {
      closed = true;
      socket.destroy();
    },
  };
}
