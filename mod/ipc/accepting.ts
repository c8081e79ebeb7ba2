/** Keeps a listening TCP server listening, whatever becomes of one accept. */
import type { Server } from "node:net";

const EVERY_MS = 1_000;
// The kernel cuts it to its own limit.
const BACKLOG = 4_096;

/**
 * Makes a TCP server accept again, every second, until it is closed.
 *
 * In Deno 2.9.6 one accept that fails, with EMFILE or ENFILE, silently ends
 * all accepting: no event tells, and the socket stays open but dead. Calling
 * listen again on the handle brings it back, and does nothing otherwise. The
 * handle is node's inner part; if it ever goes, so does this cure, and
 * smtpd's test of exhausted descriptors fails.
 *
 * A Unix server is left alone: in 2.9.6 the call refuses (EINVAL) and cures
 * nothing, and in 2.9.5 it closes the listening descriptor.
 */
export function keepAccepting(server: Server): void {
  const timer = setInterval(() => {
    if (!isTcp(server)) return;
    const { _handle: handle } = server as unknown as {
      _handle?: { listen?: (backlog: number) => number } | null;
    };
    handle?.listen?.(BACKLOG);
  }, EVERY_MS);
  server.once("close", () => clearInterval(timer));
}

// A Unix server's address is its path, or null if it was handed over.
function isTcp(server: Server): boolean {
  const address = server.address();
  return address !== null && typeof address === "object";
}
