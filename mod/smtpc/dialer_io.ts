/**
 * IPv6 connections by way of the dial role: takes one of the channels that it
 * keeps plugged in, says where to, and uses the channel as the connection.
 */
import net from "node:net";
import { DIALLED, encodeAsk } from "../dial/dial_ipc.ts";

/** How long a channel is waited for: more are wanted at once than are spare. */
const PLUGGED_WITHIN_MS = 1_000;
/** Most channels tried for one connection; four are spare at any time. */
const MOST_CHANNELS = 8;

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
  const waiting: ((channel: net.Socket | undefined) => void)[] = [];
  const server = net.createServer({ pauseOnConnect: true }, (channel) => {
    const next = waiting.shift();
    if (next === undefined) spare.push(channel);
    else next(channel);
    channel.on("error", () => {}); // "close" follows
    channel.once("close", () => {
      const at = spare.indexOf(channel);
      if (at >= 0) spare.splice(at, 1);
    });
  });
  server.listen(listener);
  const pluggedIn = (withinMs: number) => {
    const { promise, resolve } = Promise.withResolvers<
      net.Socket | undefined
    >();
    const next = (channel: net.Socket | undefined) => {
      clearTimeout(timer);
      resolve(channel);
    };
    waiting.push(next);
    const timer = setTimeout(() => {
      waiting.splice(waiting.indexOf(next), 1);
      resolve(undefined);
    }, withinMs);
    return promise;
  };
  return {
    async dial(to, withinMs) {
      // Those of a dial role that is gone are paused, and seem to be open.
      for (let tried = 0; tried < MOST_CHANNELS; tried++) {
        const channel = spare.shift() ??
          await pluggedIn(Math.min(withinMs, PLUGGED_WITHIN_MS));
        if (channel === undefined) return undefined;
        channel.write(encodeAsk(to));
        const answer = await answered(channel, withinMs);
        if (answer !== "lost") return answer === "yes" ? channel : undefined;
      }
      return undefined;
    },
    close() {
      server.close();
      for (const channel of spare) channel.destroy();
      for (const next of waiting.splice(0)) next(undefined);
    },
  };
}

/** What the one octet says; but for a yes, the channel is closed. */
function answered(
  channel: net.Socket,
  withinMs: number,
): Promise<"yes" | "no" | "lost"> {
  const { promise, resolve } = Promise.withResolvers<"yes" | "no" | "lost">();
  const settle = (answer: "yes" | "no" | "lost") => {
    clearTimeout(timer);
    channel.off("readable", read);
    channel.off("close", lost);
    if (answer !== "yes") channel.destroy();
    resolve(answer);
  };
  const lost = () => settle("lost");
  const read = () => {
    // One octet exactly: what follows is the other host's greeting.
    const octet: Uint8Array | null = channel.read(1);
    if (octet !== null) settle(octet[0] === DIALLED ? "yes" : "no");
  };
  const timer = setTimeout(() => settle("no"), withinMs);
  channel.on("readable", read);
  channel.on("close", lost);
  return promise;
}
