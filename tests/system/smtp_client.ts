/**
 * A raw SMTP client for tests, sharing no code with the server: says exactly
 * the octets it is given, and reads replies strictly (RFC 5321 §4.2).
 */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import net from "node:net";
import tls from "node:tls";

/** Longest wait for one reply. */
const REPLY_WITHIN_MS = 60_000;

/** A whole reply. */
export interface Reply {
  readonly code: number;
  /** Lines without code; an enhanced status code is part of the text. */
  readonly lines: readonly string[];
  /** All lines, code included, joined by `|`: for messages. */
  readonly text: string;
}

/** Octets of a string whose every UTF-16 unit is one octet. */
export function octets(text: string): Uint8Array {
  return Uint8Array.from(Buffer.from(text, "latin1"));
}

/** A message as it goes over the wire: dots doubled, end of data added. */
export function wireForm(content: Uint8Array): Uint8Array {
  const text = Buffer.from(content).toString("latin1");
  const end = text === "" || text.endsWith("\r\n") ? "" : "\r\n";
  const dotted = text.startsWith(".") ? "." + text : text;
  return octets(dotted.replaceAll("\r\n.", "\r\n..") + end + ".\r\n");
}

/** One session. */
export class SmtpClient {
  #socket: net.Socket;
  #heard = "";
  #isClosed = false;
  #wake: () => void = () => {};

  private constructor(socket: net.Socket) {
    this.#socket = socket;
    this.#listen(socket);
  }

  /** Connects and reads the greeting, which must be 220. */
  static async open(port: number): Promise<SmtpClient> {
    const client = new SmtpClient(net.connect(port, "127.0.0.1"));
    client.expect(await client.reply(), 220);
    return client;
  }

  /** Connects by TLS from the first octet; the greeting must be 220. */
  static async openTls(
    port: number,
    { ca, host }: { ca: string; host: string },
  ): Promise<SmtpClient> {
    const socket = tls.connect({
      port,
      host: "127.0.0.1",
      ca,
      servername: host,
    });
    const client = new SmtpClient(socket);
    client.expect(await client.reply(), 220);
    return client;
  }

  /** Connects, reads the greeting, says EHLO. */
  static async ready(port: number): Promise<SmtpClient> {
    const client = await SmtpClient.open(port);
    client.expect(await client.say("EHLO client.test"), 250);
    return client;
  }

  /** Sends octets as they are; resolves when the kernel has them. */
  send(what: string | Uint8Array): Promise<void> {
    const bytes = typeof what === "string" ? octets(what) : what;
    return new Promise((resolve, reject) => {
      this.#socket.write(
        bytes,
        (error?: Error | null) => error ? reject(error) : resolve(),
      );
    });
  }

  /** Sends one command and reads its reply. */
  async say(line: string): Promise<Reply> {
    await this.send(`${line}\r\n`);
    return await this.reply();
  }

  /** Reads one reply. */
  async reply(): Promise<Reply> {
    const all: string[] = [];
    for (;;) {
      const line = await this.#line();
      assert.match(line, /^[2-5][0-5][0-9][ -]/, "form of a reply line");
      if (all[0] !== undefined) {
        assert.equal(line.slice(0, 3), all[0].slice(0, 3));
      }
      all.push(line);
      if (line[3] === " ") break;
    }
    return {
      code: Number(all[0]!.slice(0, 3)),
      lines: all.map((line) => line.slice(4)),
      text: all.join("|"),
    };
  }

  /** True if the server has hung up and everything was read. */
  async isHungUp(): Promise<boolean> {
    const until = performance.now() + REPLY_WITHIN_MS;
    while (!this.#isClosed && performance.now() < until) await this.#news();
    return this.#isClosed && this.#heard === "";
  }

  /** One transaction; every step must be taken. Returns the queue id. */
  async transact(
    from: string,
    to: readonly string[],
    content: Uint8Array,
    parameters = "",
  ): Promise<string> {
    this.expect(await this.say(`MAIL FROM:<${from}>${parameters}`), 250);
    for (const one of to) {
      this.expect(await this.say(`RCPT TO:<${one}>`), 250);
    }
    return queueIdOf(this.expect(await this.data(content), 250));
  }

  /** DATA and the message; returns the last reply. */
  async data(content: Uint8Array): Promise<Reply> {
    const go = await this.say("DATA");
    if (go.code !== 354) return go;
    await this.send(wireForm(content));
    return await this.reply();
  }

  /** Fails unless the reply has this code and, if given, enhanced code. */
  expect(reply: Reply, code: number, enhanced = ""): Reply {
    const want = enhanced === "" ? `${code}` : `${code} ${enhanced} `;
    const last = `${reply.code} ${reply.lines.at(-1)} `;
    assert.ok(last.startsWith(want), `want ${want}, got ${reply.text}`);
    return reply;
  }

  /** STARTTLS, verified against `ca`; returns what the two agreed on. */
  async startTls(ca: string, host: string): Promise<tls.TLSSocket> {
    this.expect(await this.say("STARTTLS"), 220, "2.0.0");
    const plain = this.#socket;
    plain.removeAllListeners();
    const secured = tls.connect({ socket: plain, ca, servername: host });
    await new Promise<void>((resolve, reject) => {
      secured.once("secureConnect", () => resolve());
      secured.once("error", reject);
    });
    this.#socket = secured;
    this.#listen(secured);
    return secured;
  }

  /** QUIT, and the connection's end. */
  async quit(): Promise<void> {
    this.expect(await this.say("QUIT"), 221);
    this.close();
  }

  /** Hangs up without a word. */
  close(): void {
    this.#socket.destroy();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #listen(socket: net.Socket): void {
    const gone = () => {
      this.#isClosed = true;
      this.#wake();
    };
    socket.on("data", (bytes: Uint8Array) => {
      this.#heard += Buffer.from(bytes).toString("latin1");
      this.#wake();
    });
    socket.on("end", gone);
    socket.on("close", gone);
    socket.on("error", gone);
  }

  async #line(): Promise<string> {
    const until = performance.now() + REPLY_WITHIN_MS;
    for (;;) {
      const end = this.#heard.indexOf("\r\n");
      if (end >= 0) {
        const line = this.#heard.slice(0, end);
        this.#heard = this.#heard.slice(end + 2);
        return line;
      }
      if (this.#isClosed || performance.now() > until) {
        const why = this.#isClosed ? "hung up" : "says nothing";
        throw new Error(`The server ${why}; read so far: ${this.#heard}`);
      }
      await this.#news();
    }
  }

  #news(): Promise<void> {
    return new Promise((resolve) => {
      const late = setTimeout(resolve, 1_000);
      this.#wake = () => {
        clearTimeout(late);
        resolve();
      };
    });
  }
}

/** The queue id in `250 2.0.0 Ok: queued as ID`. */
export function queueIdOf(reply: Reply): string {
  const found = /queued as (\S+)/.exec(reply.text);
  assert.ok(found, `no queue id in ${reply.text}`);
  return found[1]!;
}
