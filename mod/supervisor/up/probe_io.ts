/**
 * Tries this server as a stranger would. It speaks to our own ports alone; of
 * anybody else's it only learns whether a connection can be had.
 */

/** Time for one connection. */
const CONNECT_WITHIN_MS = 5_000;
/** Time for one reply: strangers wait for the greeting. */
const REPLY_WITHIN_MS = 15_000;
/** Longest reply that is read. */
const MAX_REPLY = 4_096;

/** Where a server listens. */
export interface Place {
  readonly hostname: string;
  readonly port: number;
}

/** True if a connection can be had. Reads nothing. */
export async function answers(place: Place): Promise<boolean> {
  const connection = await connect(place);
  connection?.close();
  return connection !== undefined;
}

async function connect(place: Place): Promise<Deno.TcpConn | undefined> {
  try {
    return await Deno.connect({
      ...place,
      signal: AbortSignal.timeout(CONNECT_WITHIN_MS),
    });
  } catch {
    return undefined;
  }
}

/** How it went. */
export type RelayTrial =
  | { readonly kind: "no connection" }
  /** Something else answers there, or nothing in time. */
  | { readonly kind: "no server"; readonly heard: string }
  | { readonly kind: "refused" }
  /** It took mail from a stranger to a stranger. */
  | { readonly kind: "relays"; readonly how: string };

/** Where nobody has a mailbox, RFC 2606 §3. */
const ELSEWHERE = "nobody@example.com";

/** Who claims to send: a stranger, and somebody in the server's own name. */
function senders(domain: string): string[] {
  return ["nobody@example.org", `postmaster@${domain}`];
}

/**
 * Says what an open relay would fall for, and never sends any content.
 *
 * @param domain One whose mail ends here
 */
export async function tryRelay(
  place: Place,
  { hostname, domain }: { hostname: string; domain: string },
): Promise<RelayTrial> {
  const connection = await connect(place);
  if (connection === undefined) return { kind: "no connection" };
  const say = talker(connection);
  try {
    const greeting = await say();
    if (!greeting.startsWith("220") || !greeting.includes(hostname)) {
      return { kind: "no server", heard: greeting.slice(0, 80) };
    }
    await say("EHLO relay-test.invalid");
    for (const sender of senders(domain)) {
      for (const to of [ELSEWHERE, `@${hostname}:${ELSEWHERE}`]) {
        await say("RSET");
        const mail = await say(`MAIL FROM:<${sender}>`);
        if (!mail.startsWith("2")) continue;
        const rcpt = await say(`RCPT TO:<${to}>`);
        if (rcpt.startsWith("2")) {
          return { kind: "relays", how: `from <${sender}> to <${to}>` };
        }
      }
    }
    await say("QUIT");
    return { kind: "refused" };
  } catch (error) {
    if (error instanceof TypeError) throw error;
    return { kind: "no server", heard: "the connection was lost" };
  } finally {
    connection.close();
  }
}

/** Says a line, and returns the whole reply. */
function talker(
  connection: Deno.TcpConn,
): (line?: string) => Promise<string> {
  const decoder = new TextDecoder();
  const octets = new Uint8Array(MAX_REPLY);
  return async (line) => {
    if (line !== undefined) {
      await connection.write(new TextEncoder().encode(`${line}\r\n`));
    }
    const late = setTimeout(() => connection.close(), REPLY_WITHIN_MS);
    try {
      let reply = "";
      while (!isWhole(reply)) {
        const count = await connection.read(octets);
        if (count === null || reply.length > MAX_REPLY) {
          throw new Error("no whole reply");
        }
        reply += decoder.decode(octets.subarray(0, count));
      }
      return reply;
    } finally {
      clearTimeout(late);
    }
  };
}

/** A last line has a space behind its code, RFC 5321 §4.2. */
export function isWhole(reply: string): boolean {
  if (!reply.endsWith("\r\n")) return false;
  const last = reply.slice(reply.lastIndexOf("\r\n", reply.length - 3) + 1);
  return last.trimStart()[3] === " ";
}
