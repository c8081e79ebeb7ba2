/**
 * IPv6 connections by way of the dial role: takes one of the channels that it
 * keeps plugged in, says where to, and uses the channel as the connection.
 */
import net from "node:net";
import { DIALLED, encodeAsk } from "../dial/dial_ipc.ts";

/** Opens a connection; undefined if there is none to be had. */
export type DialV6 = (
  to: {
    readonly address: string;
    readonly port: number;
    /** Our address to connect from. */
    readonly source?: string | undefined;
  },
  withinMs: number,
) => Promise<net.Socket | undefined>;

/**
 * Listens for the dial role's channels.
 *
 * @param listener Descriptor of the edge's socket, or (in tests) a path
 */
export function dialerOn(
  listener: { fd: number } | { path: string },
): { dial: DialV6; close(): void } {
  const spare: net.Socket[] = [];
  const server = net.createServer({ pauseOnConnect: true }, (channel) => {
    spare.push(channel);
    channel.on("error", () => {}); // "close" follows
    channel.once("close", () => {
      const at = spare.indexOf(channel);
      if (at >= 0) spare.splice(at, 1);
    });
  });
  server.listen(listener);
  return {
    async dial(to, withinMs) {
      const channel = spare.shift();
      if (channel === undefined) return undefined;
      channel.write(encodeAsk(to));
      return await answered(channel, withinMs) ? channel : undefined;
    },
    close() {
      server.close();
      for (const channel of spare) channel.destroy();
    },
  };
}

/** True if the one octet came that says so; else the channel is closed. */
function answered(channel: net.Socket, withinMs: number): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const settle = (isDialled: boolean) => {
    clearTimeout(timer);
    channel.off("readable", read);
    channel.off("close", lost);
    if (!isDialled) channel.destroy();
    resolve(isDialled);
  };
  const lost = () => settle(false);
  const read = () => {
    // One octet exactly: what follows is the other host's greeting.
    const octet: Uint8Array | null = channel.read(1);
    if (octet !== null) settle(octet[0] === DIALLED);
  };
  const timer = setTimeout(() => settle(false), withinMs);
  channel.on("readable", read);
  channel.on("close", lost);
  return promise;
}
