/** Keeps a listening server listening, whatever becomes of one accept. */
import type { Server } from "node:net";

const EVERY_MS = 1_000;
// The kernel cuts it to its own limit.
const BACKLOG = 4_096;

/**
 * Makes a server accept again, every second, until it is closed.
 *
 * In Deno 2.9.6 one accept that fails, with EMFILE or ENFILE, silently ends
 * all accepting: no event tells, and the socket stays open but dead. Calling
 * listen again on the handle brings it back, and does nothing otherwise. The
 * handle is node's inner part; if it ever goes, so does this cure, and
 * smtpd's test of exhausted descriptors fails.
 */
export function keepAccepting(server: Server): void {
  const timer = setInterval(() => {
    const { _handle: handle } = server as unknown as {
      _handle?: { listen?: (backlog: number) => number } | null;
    };
    handle?.listen?.(BACKLOG);
  }, EVERY_MS);
  server.once("close", () => clearInterval(timer));
}
