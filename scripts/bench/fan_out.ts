/**
 * Fan-out: one message to 1,000 recipients in 100 domains, each with a next
 * hop of its own, until the last of them has its copy.
 */
import net from "node:net";
import { until } from "./command.ts";
import { type Disk, flush } from "./disk.ts";
import type { FanOutRun } from "./results.ts";
import { FAN_DOMAINS, fanDomain, fanHost, type Server } from "./server.ts";

const RECIPIENTS = 1_000;
const WITHIN_MS = 60_000;

/** The 100 next hops: one SMTP server at 100 addresses, which counts. */
export interface FanSink {
  /** Recipients of messages that were taken. */
  recipients(): number;
  /** Transactions that ended with a message. */
  transactions(): number;
  stop(): void;
}

/** Starts them at one port of 127.0.1.1 to 127.0.1.100. */
export async function startFanSink(port: number): Promise<FanSink> {
  const count = { recipients: 0, transactions: 0 };
  const servers: net.Server[] = [];
  for (let n = 1; n <= FAN_DOMAINS; n++) {
    const server = net.createServer({ noDelay: true }, (socket) => {
      serve(socket, count);
    });
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen(port, fanHost(n), resolve);
    });
    servers.push(server);
  }
  return {
    recipients: () => count.recipients,
    transactions: () => count.transactions,
    stop: () => servers.forEach((server) => server.close()),
  };
}

/** As little of an SMTP server as a well-behaved client needs. */
function serve(
  socket: net.Socket,
  count: { recipients: number; transactions: number },
): void {
  let text = "";
  let inData = false;
  let named = 0;
  socket.on("error", () => {});
  socket.write("220 sink.test ESMTP\r\n");
  socket.setEncoding("latin1");
  socket.on("data", (more: string) => {
    text += more;
    while (true) {
      const end = text.indexOf(inData ? "\r\n.\r\n" : "\r\n");
      if (end < 0) return;
      const line = text.slice(0, end);
      text = text.slice(end + (inData ? 5 : 2));
      if (inData) {
        inData = false;
        count.recipients += named;
        count.transactions++;
        named = 0;
        socket.write("250 2.0.0 Ok\r\n");
        continue;
      }
      const verb = line.slice(0, 4).toUpperCase();
      if (verb === "RCPT") named++;
      if (verb === "DATA") inData = true;
      socket.write(
        verb === "EHLO"
          ? "250-sink.test\r\n250-PIPELINING\r\n250 8BITMIME\r\n"
          : verb === "DATA"
          ? "354 Go\r\n"
          : verb === "QUIT"
          ? "221 Bye\r\n"
          : "250 2.1.0 Ok\r\n",
      );
      if (verb === "QUIT") return void socket.end();
    }
  });
}

/** Sends the message and waits for the last copy. */
export async function measureFanOut(
  server: Server,
  { round, sink, disk }: { round: number; sink: FanSink; disk: Disk },
): Promise<FanOutRun> {
  await flush(disk);
  const before = {
    recipients: sink.recipients(),
    transactions: sink.transactions(),
    cpuMs: server.group.cpuMs(),
  };
  const start = performance.now();
  await send(server.port);
  const acceptedMs = performance.now() - start;
  const isAll = await until(
    () => sink.recipients() - before.recipients >= RECIPIENTS,
    { withinMs: WITHIN_MS, everyMs: 2 },
  );
  const drainedMs = performance.now() - start;
  await server.group.settle(5_000);
  return {
    kind: "fan-out",
    server: server.name,
    round,
    recipients: RECIPIENTS,
    arrived: sink.recipients() - before.recipients,
    transactions: sink.transactions() - before.transactions,
    acceptedMs,
    drainedMs: isAll ? drainedMs : null,
    cpuMs: server.group.cpuMs() - before.cpuMs,
  };
}

async function send(port: number): Promise<void> {
  const connection = await Deno.connect({ hostname: "127.0.0.1", port });
  connection.setNoDelay();
  const decoder = new TextDecoder();
  const buffer = new Uint8Array(65_536);
  let text = "";
  const replies = async (count: number) => {
    while (count > 0) {
      for (let end; count > 0 && (end = text.indexOf("\r\n")) >= 0;) {
        const line = text.slice(0, end);
        text = text.slice(end + 2);
        if (line[3] === "-") continue;
        if (!/^[23]/.test(line)) throw new Error(`The server said ${line}`);
        count--;
      }
      if (count === 0) return;
      const read = await connection.read(buffer);
      if (read === null) throw new Error("The server hung up");
      text += decoder.decode(buffer.subarray(0, read));
    }
  };
  const say = async (said: string, answers = 1) => {
    let octets = new TextEncoder().encode(said);
    while (octets.length > 0) {
      octets = octets.subarray(await connection.write(octets));
    }
    await replies(answers);
  };
  await replies(1);
  await say("EHLO client.test\r\n");
  await say("MAIL FROM:<a@from.test>\r\n");
  // Not all at once: a server may limit what waits for it.
  for (let at = 0; at < RECIPIENTS; at += 100) {
    const some = Array.from({ length: 100 }, (_, i) => {
      const domain = fanDomain(1 + (at + i) % FAN_DOMAINS);
      return `RCPT TO:<u${at + i}@${domain}>\r\n`;
    });
    await say(some.join(""), some.length);
  }
  await say("DATA\r\n");
  const body = "Subject: fan\r\n\r\n" + ("y".repeat(78) + "\r\n").repeat(25);
  await say(`${body}.\r\n`);
  await say("QUIT\r\n");
  connection.close();
}
