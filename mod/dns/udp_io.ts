/**
 * One question to one server by UDP. Each has a socket of its own on a port
 * of the kernel's choice, drawn at random (RFC 5452 §9.2); what comes from
 * elsewhere, or is not taken by `judge`, is ignored until the time is over.
 */
import { createSocket } from "node:dgram";
import { isIPv6 } from "node:net";
import type { Server } from "./server_memory.ts";

/** What came of it. */
export type Datagram =
  | { readonly kind: "taken"; readonly octets: Uint8Array }
  /** Nothing that counts came in time, or nothing could be sent. */
  | { readonly kind: "silent" }
  /** So much that does not count came that somebody is guessing. */
  | { readonly kind: "flooded" };

/** Datagrams ignored before a question is given up as under attack. */
const MAX_IGNORED = 20;

/** Asks by UDP. Never rejects. */
export function askByUdp(
  server: Server,
  query: Uint8Array,
  { withinMs, judge }: {
    withinMs: number;
    /** True if the octets are the answer, whatever it says. */
    judge(octets: Uint8Array): boolean;
  },
): Promise<Datagram> {
  return new Promise((resolve) => {
    const isSix = isIPv6(server.address);
    const socket = createSocket({
      type: isSix ? "udp6" : "udp4",
      // Addresses only: nothing is ever looked up.
      lookup: (host, _options, then) => then(null, host, isSix ? 6 : 4),
    });
    let ignored = 0;
    let isOver = false;
    const end = (what: Datagram) => {
      if (isOver) return;
      isOver = true;
      clearTimeout(timer);
      socket.close();
      resolve(what);
    };
    const timer = setTimeout(() => end({ kind: "silent" }), withinMs);
    socket.on("error", () => end({ kind: "silent" }));
    socket.on("message", (octets, from) => {
      const isTheirs = from.port === server.port &&
        from.address === server.address && judge(octets);
      if (isTheirs) end({ kind: "taken", octets });
      else if (++ignored >= MAX_IGNORED) end({ kind: "flooded" });
    });
    socket.bind(0, isSix ? "::" : "0.0.0.0", () => {
      if (isOver) return;
      socket.send(query, server.port, server.address, (error) => {
        if (error) end({ kind: "silent" });
      });
    });
  });
}
