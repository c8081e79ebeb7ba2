/**
 * The network side of the DNS role: asks the configured name servers in turn,
 * each query within its own absolute deadline. Every failure becomes
 * `unclear`; nothing is thrown.
 *
 * Records come from `Deno.resolveDns` (UDP, TCP when truncated). Its
 * `NotFound` proves nothing (see `wire.ts`), so absence is asked for again
 * over TCP, which needs no right beyond `--allow-net=IP:53`.
 */
import type { Found, Lookups, Mx } from "./mail_hosts.ts";
import {
  type Absence,
  encodeQuestion,
  readAbsence,
  type RecordType,
} from "./wire.ts";

/** One name server. */
export interface NameServer {
  readonly ipAddr: string;
  readonly port: number;
}

/** Builds the lookups over these servers, in their order. */
export function lookupsOver(
  servers: readonly NameServer[],
  withinMs: number,
): Lookups {
  const ask = <T>(name: string, type: RecordType): Promise<Found<T>> =>
    lookup<T>(servers, withinMs, { name, type });
  return {
    mx: (name) => ask<Mx>(name, "MX"),
    a: (name) => ask<string>(name, "A"),
    aaaa: (name) => ask<string>(name, "AAAA"),
  };
}

async function lookup<T>(
  servers: readonly NameServer[],
  withinMs: number,
  question: { name: string; type: RecordType },
): Promise<Found<T>> {
  for (const server of servers) {
    const until = performance.now() + withinMs;
    const found = await records<T>(server, until, question);
    if (found.kind !== "no-data") {
      if (found.kind === "unclear") continue;
      return found;
    }
    const absence = await proveAbsence(server, until, question);
    if (absence !== "unclear") return { kind: absence };
  }
  return { kind: "unclear" };
}

/** `no-data` here means: the resolver found nothing, for whatever reason. */
async function records<T>(
  nameServer: NameServer,
  until: number,
  { name, type }: { name: string; type: RecordType },
): Promise<Found<T>> {
  const late = new AbortController();
  const timer = setTimeout(
    () => late.abort(),
    Math.max(1, until - performance.now()),
  );
  try {
    // The dot keeps search domains out of it.
    const found = await Deno.resolveDns(`${name}.`, type as "MX", {
      nameServer,
      signal: late.signal,
    });
    return found.length === 0
      ? { kind: "no-data" }
      : { kind: "records", records: found as unknown as T[] };
  } catch (error) {
    return error instanceof Deno.errors.NotFound
      ? { kind: "no-data" }
      : { kind: "unclear" };
  } finally {
    clearTimeout(timer);
  }
}

/**
 * Asks one server, over TCP, whether records are proven absent (RFC 7766).
 *
 * @param until On the clock of `performance.now()`
 */
export async function proveAbsence(
  server: NameServer,
  until: number,
  asked: { name: string; type: RecordType },
): Promise<Absence> {
  const [id] = crypto.getRandomValues(new Uint16Array(1));
  const question = { id: id!, ...asked };
  let socket: Deno.TcpConn | undefined;
  const late = new AbortController();
  const timer = setTimeout(() => {
    late.abort();
    socket?.close();
    socket = undefined;
  }, Math.max(1, until - performance.now()));
  try {
    socket = await Deno.connect({
      hostname: server.ipAddr,
      port: server.port,
      signal: late.signal,
    });
    if (late.signal.aborted) return "unclear";
    const message = await exchange(socket, encodeQuestion(question));
    return message === undefined ? "unclear" : readAbsence(message, question);
  } catch (error) {
    // Our own bugs are no reason to defer mail for days: let them be seen.
    if (error instanceof TypeError || error instanceof RangeError) throw error;
    return "unclear";
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
  const bytes = new Uint8Array(length);
  for (let at = 0; at < length;) {
    const got = await socket.read(bytes.subarray(at));
    if (got === null) return undefined;
    at += got;
  }
  return bytes;
}
