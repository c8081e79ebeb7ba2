/**
 * Connects by the C library and hands the descriptor to node:net. No name is
 * resolved here, and no octet of a connection is looked at.
 */
import net from "node:net";
import { ipv6Octets } from "../core/ipv6.ts";
import { ASK_OCTETS, SOURCE_AT } from "./dial_ipc.ts";
import type { DialPart } from "./role.ts";

const AF_INET6 = 10;
// SOCK_STREAM | SOCK_CLOEXEC
const STREAM_CLOSE_ON_EXEC = 0o2000001;
const SOL_SOCKET = 1;
const SO_SNDTIMEO = 21;

/** Opens a connection; undefined if there is none to be had. */
export type Dial = (ask: Uint8Array) => Promise<net.Socket | undefined>;

/**
 * Opens the library.
 *
 * @param libc Path of the C library; needs `--allow-ffi` for exactly it
 * @param part What holds now, asked for each connection. Another port is
 *   refused here too, and so is a source that the configuration does not name:
 *   a taken-over smtpc may not choose any other address of this machine
 */
export function openDial(options: {
  libc: string;
  part: () => Pick<DialPart, "connectWithinMs" | "port" | "sources">;
}): Dial {
  const libc = Deno.dlopen(options.libc, {
    socket: { parameters: ["i32", "i32", "i32"], result: "i32" },
    setsockopt: {
      parameters: ["i32", "i32", "i32", "buffer", "u32"],
      result: "i32",
    },
    // On a thread of its own, or the event loop would stand still meanwhile.
    connect: {
      parameters: ["i32", "buffer", "u32"],
      result: "i32",
      nonblocking: true,
    },
    bind: { parameters: ["i32", "buffer", "u32"], result: "i32" },
    close: { parameters: ["i32"], result: "i32" },
  }).symbols;
  return async (ask) => {
    const view = new DataView(ask.buffer, ask.byteOffset, ASK_OCTETS);
    const { connectWithinMs, port, sources } = options.part();
    if (view.getUint16(16) !== port) return undefined;
    const source = ask.subarray(SOURCE_AT, ASK_OCTETS);
    const hasSource = source.some((octet) => octet !== 0);
    if (hasSource && !isOneOf(sources, source)) return undefined;
    const fd = libc.socket(AF_INET6, STREAM_CLOSE_ON_EXEC, 0);
    if (fd < 0) return undefined;
    // connect(2) keeps to the send timeout, see socket(7).
    libc.setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, timeval(connectWithinMs), 16);
    if (hasSource) {
      const from = socketAddress(source, 0);
      if (libc.bind(fd, from, from.length) < 0) {
        libc.close(fd);
        return undefined;
      }
    }
    const address = socketAddress(ask.subarray(0, 16), view.getUint16(16));
    if (await libc.connect(fd, address, address.length) < 0) {
      libc.close(fd);
      return undefined;
    }
    return new net.Socket({ fd, readable: true, writable: true });
  };
}

/** struct sockaddr_in6, ipv6(7). */
function socketAddress(
  octets: Uint8Array,
  port: number,
): Uint8Array<ArrayBuffer> {
  const address = new Uint8Array(28);
  const view = new DataView(address.buffer);
  view.setUint16(0, AF_INET6, true);
  view.setUint16(2, port);
  address.set(octets, 8);
  return address;
}

function isOneOf(sources: readonly string[], source: Uint8Array): boolean {
  const wanted = source.toHex();
  return sources.some((one) => ipv6Octets(one).toHex() === wanted);
}

function timeval(withinMs: number): Uint8Array<ArrayBuffer> {
  const value = new BigInt64Array(2);
  value[0] = BigInt(Math.floor(withinMs / 1_000));
  value[1] = BigInt(withinMs % 1_000) * 1_000n;
  return new Uint8Array(value.buffer);
}
