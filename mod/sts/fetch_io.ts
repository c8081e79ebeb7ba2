/**
 * Fetches one policy by HTTPS, RFC 8461 §3.3: from addresses that were looked
 * up, with the certificate verified for the policy's host, within one absolute
 * deadline. No name is resolved here, nothing is kept, nothing is thrown.
 *
 * By Deno's own TLS (rustls) and not by fetch(): that would resolve names,
 * follow redirects, know proxies and decompress.
 */
import type { StsFailure } from "./sts_ipc.ts";
import { type Reading, ResponseReader } from "./response_reader.ts";

/** What is to be fetched. */
export interface Wanted {
  /** The policy's host, such as `mta-sts.remote.test`. */
  readonly host: string;
  /** IPv4 addresses, tried in turn. */
  readonly addresses: readonly string[];
  readonly port: number;
  /** PEM of authorities beside the usual ones; or empty. */
  readonly ca: string;
  /** Time for all of it. */
  readonly withinMs: number;
}

/** What came of it. */
export type Fetched =
  | { readonly kind: "policy"; readonly octets: Uint8Array }
  | Failed;

/** Why there is none. */
export interface Failed {
  readonly kind: "failed";
  readonly failure: StsFailure;
  readonly why: string;
}

const HTTPS = 443;
const READ_BYTES = 16_384;

/** Fetches it. */
export async function fetchPolicy(wanted: Wanted): Promise<Fetched> {
  const until = performance.now() + wanted.withinMs;
  let last = failed("no address");
  for (const [at, address] of wanted.addresses.entries()) {
    const others = wanted.addresses.length - at;
    const leftMs = until - performance.now();
    if (leftMs <= 0) break;
    const fetched = await fetchFrom(address, { ...wanted, leftMs, others });
    if (fetched.kind === "policy") return fetched;
    last = fetched;
  }
  return last;
}

async function fetchFrom(
  address: string,
  wanted: Wanted & { leftMs: number; others: number },
): Promise<Fetched> {
  const late = new AbortController();
  let open: Deno.Conn | undefined;
  const give = (why: string) => failed(`${address}: ${why}`);
  // Not all of the time for the first address, if there are others.
  const withinMs = Math.max(1, wanted.leftMs / wanted.others);
  const timer = setTimeout(() => {
    late.abort();
    closeQuietly(open);
  }, withinMs);
  try {
    open = await Deno.connect({
      hostname: address,
      port: wanted.port,
      signal: late.signal,
    });
    if (late.signal.aborted) return give("not in time");
    const secure = open = await Deno.startTls(open as Deno.TcpConn, {
      hostname: wanted.host,
      caCerts: wanted.ca === "" ? [] : [wanted.ca],
      alpnProtocols: ["http/1.1"],
    });
    await secure.handshake();
    await writeAll(secure, request(wanted));
    const reading = await read(secure);
    switch (reading.kind) {
      case "policy":
        return reading;
      case "refused":
        return give(reading.why);
      case "more":
        throw new RangeError("Cannot stop reading: there is more");
    }
  } catch (error) {
    // Our own bugs are no reason to send mail unprotected: let them be seen.
    if (error instanceof TypeError || error instanceof RangeError) throw error;
    if (late.signal.aborted) return give("not in time");
    const why = error instanceof Error ? error.message : String(error);
    return isAboutCertificate(why)
      ? { ...give(why), failure: "sts-webpki-invalid" }
      : give(why);
  } finally {
    clearTimeout(timer);
    closeQuietly(open);
  }
}

/** rustls says so in words alone. */
function isAboutCertificate(why: string): boolean {
  return why.includes("peer certificate");
}

function failed(why: string): Failed {
  return {
    kind: "failed",
    failure: "sts-policy-fetch-error",
    why: why.slice(0, 200),
  };
}

function request({ host, port }: Wanted): Uint8Array {
  const name = port === HTTPS ? host : `${host}:${port}`;
  return new TextEncoder().encode(
    "GET /.well-known/mta-sts.txt HTTP/1.1\r\n" +
      `Host: ${name}\r\n` +
      "User-Agent: Bulkhead\r\n" +
      "Accept: text/plain\r\n" +
      "Accept-Encoding: identity\r\n" +
      "Connection: close\r\n\r\n",
  );
}

async function writeAll(to: Deno.Conn, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length;) at += await to.write(bytes.subarray(at));
}

async function read(from: Deno.Conn): Promise<Reading> {
  const reader = new ResponseReader();
  const buffer = new Uint8Array(READ_BYTES);
  while (true) {
    const got = await from.read(buffer);
    const reading = got === null
      ? reader.end()
      : reader.push(buffer.subarray(0, got));
    if (reading.kind !== "more") return reading;
  }
}

/** Closed by the deadline already, or taken over by TLS. */
function closeQuietly(open: Deno.Conn | undefined): void {
  try {
    open?.close();
  } catch (error) {
    if (!(error instanceof Deno.errors.BadResource)) throw error;
  }
}
