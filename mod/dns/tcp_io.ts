/** One question to one server by TCP, RFC 7766: one connection, one answer. */
import type { Server } from "./server_memory.ts";

/**
 * Asks by TCP, within one absolute deadline.
 *
 * @returns undefined if no whole message came in time. Never rejects
 */
export async function askByTcp(
  server: Server,
  query: Uint8Array,
  withinMs: number,
): Promise<Uint8Array | undefined> {
  let socket: Deno.TcpConn | undefined;
  const late = new AbortController();
  const timer = setTimeout(() => {
    late.abort();
    socket?.close();
    socket = undefined;
  }, withinMs);
  try {
    socket = await Deno.connect({
      hostname: server.address,
      port: server.port,
      signal: late.signal,
    });
    if (late.signal.aborted) return undefined;
    return await exchange(socket, query);
  } catch (error) {
    // Our own bugs are no reason to defer mail for days: let them be seen.
    if (error instanceof TypeError || error instanceof RangeError) throw error;
    return undefined;
  } finally {
    clearTimeout(timer);
    socket?.close();
  }
}

/** One length-prefixed message each way, RFC 1035 §4.2.2. */
async function exchange(
  socket: Deno.TcpConn,
  query: Uint8Array,
): Promise<Uint8Array | undefined> {
  const framed = new Uint8Array(2 + query.length);
  framed.set([query.length >> 8, query.length & 255]);
  framed.set(query, 2);
  for (let at = 0; at < framed.length;) {
    at += await socket.write(framed.subarray(at));
  }
  const prefix = await readExactly(socket, 2);
  if (prefix === undefined) return undefined;
  return await readExactly(socket, (prefix[0]! << 8) | prefix[1]!);
}

async function readExactly(
  socket: Deno.TcpConn,
  length: number,
): Promise<Uint8Array | undefined> {
  const octets = new Uint8Array(length);
  for (let at = 0; at < length;) {
    const got = await socket.read(octets.subarray(at));
    if (got === null) return undefined;
    at += got;
  }
  return octets;
}
