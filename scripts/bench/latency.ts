/** Latency: one message at a time, each in a session of its own. */
import { sleep } from "./command.ts";
import { type Disk, flush } from "./disk.ts";
import { countMessages, emptyBox } from "./mailbox.ts";
import { type LatencyRun, quantiles } from "./results.ts";
import { BOX_DOMAIN, type Server } from "./server.ts";

const MESSAGE_WITHIN_MS = 10_000;
const WARM_UP = 10;
const GAP_MS = 10;
const LOOK_EVERY_MS = 0.1;

/** Sends messages one by one. */
export async function measureLatency(
  server: Server,
  { round, messages, disk }: { round: number; messages: number; disk: Disk },
): Promise<LatencyRun> {
  emptyBox(server.box);
  await flush(disk);
  const acknowledged: number[] = [];
  const visible: number[] = [];
  for (let i = 0; i < messages + WARM_UP; i++) {
    const start = performance.now();
    const client = await Client.connect(server.port);
    await client.send();
    const acknowledgedMs = performance.now() - start;
    const visibleMs = look(server.box, start);
    await client.quit();
    emptyBox(server.box);
    if (i >= WARM_UP) {
      acknowledged.push(acknowledgedMs);
      visible.push(visibleMs);
    }
    await sleep(GAP_MS);
  }
  return {
    kind: "latency",
    server: server.name,
    round,
    messages,
    acknowledgedMs: quantiles(acknowledged),
    visibleMs: quantiles(visible),
  };
}

/** Waits for the message and returns how long after `start` it was there. */
function look(box: string, start: number): number {
  const pause = new Int32Array(new SharedArrayBuffer(4));
  while (countMessages(box) === 0) {
    if (performance.now() - start > MESSAGE_WITHIN_MS) {
      throw new Error(`Cannot see the message in ${box}`);
    }
    // Not a timer: those of the runtime are a millisecond coarse.
    Atomics.wait(pause, 0, 0, LOOK_EVERY_MS);
  }
  return performance.now() - start;
}

const encoder = new TextEncoder();
const decoder = new TextDecoder();
const BODY = "Subject: bench\r\n\r\n" + ("y".repeat(78) + "\r\n").repeat(25) +
  ".\r\n";

/** A client that says one thing and waits for the reply. */
class Client {
  readonly #connection: Deno.TcpConn;
  readonly #buffer = new Uint8Array(4_096);

  private constructor(connection: Deno.TcpConn) {
    this.#connection = connection;
  }

  static async connect(port: number): Promise<Client> {
    const connection = await Deno.connect({ hostname: "127.0.0.1", port });
    connection.setNoDelay();
    const client = new Client(connection);
    await client.#reply("2");
    return client;
  }

  async send(): Promise<void> {
    await this.#say("EHLO client.test\r\n", "2");
    await this.#say("MAIL FROM:<a@from.test>\r\n", "2");
    await this.#say(`RCPT TO:<u@${BOX_DOMAIN}>\r\n`, "2");
    await this.#say("DATA\r\n", "3");
    await this.#say(BODY, "2");
  }

  async quit(): Promise<void> {
    await this.#say("QUIT\r\n", "2");
    this.#connection.close();
  }

  async #say(text: string, wants: string): Promise<void> {
    let bytes = encoder.encode(text);
    while (bytes.length > 0) {
      bytes = bytes.subarray(await this.#connection.write(bytes));
    }
    await this.#reply(wants);
  }

  async #reply(wants: string): Promise<void> {
    let text = "";
    while (!/^\d{3}(?: .*)?\r\n$/m.test(text)) {
      const count = await this.#connection.read(this.#buffer);
      if (count === null) throw new Error("The server hung up");
      text += decoder.decode(this.#buffer.subarray(0, count));
    }
    if (!text.startsWith(wants)) throw new Error(`The server said ${text}`);
  }
}
