/**
 * Connects by the C library and hands the descriptor to node:net. No name is
 * resolved here, and no octet of a connection is looked at.
 */
import net from "node:net";
import { ASK_OCTETS, SOURCE_AT } from "./dial_ipc.ts";

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
 * @param port The one port that is dialled; others are refused here too
 */
export function openDial(options: {
  libc: string;
  connectWithinMs: number;
  port: number;
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
    if (view.getUint16(16) !== options.port) return undefined;
    const fd = libc.socket(AF_INET6, STREAM_CLOSE_ON_EXEC, 0);
    if (fd < 0) return undefined;
    // connect(2) keeps to the send timeout, see socket(7).
    libc.setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, timeval(options), 16);
    const source = ask.subarray(SOURCE_AT, ASK_OCTETS);
    if (source.some((octet) => octet !== 0)) {
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

function timeval(
  options: { connectWithinMs: number },
): Uint8Array<ArrayBuffer> {
  const value = new BigInt64Array(2);
  value[0] = BigInt(Math.floor(options.connectWithinMs / 1_000));
  value[1] = BigInt(options.connectWithinMs % 1_000) * 1_000n;
  return new Uint8Array(value.buffer);
}
