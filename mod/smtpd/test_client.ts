/** A raw SMTP client for tests: says exactly the octets it is given. */
import net from "node:net";
import tls from "node:tls";

/** Longest wait for a reply: a test that needs more has failed. */
const REPLY_MS = 3_000;

/** One connection. */
export class TestClient {
  #socket: net.Socket;
  #read = "";
  #closed = false;
  #news: () => void = () => {};

  private constructor(socket: net.Socket) {
    this.#socket = socket;
    this.#attach(socket);
  }

  /** Connects and reads the greeting. */
  static async open(port: number): Promise<TestClient> {
    const client = new TestClient(TestClient.#connect(port));
    await client.reply();
    return client;
  }

  /** Connects by TLS from the first octet, and reads the greeting. */
  static async openTls(port: number): Promise<TestClient> {
    const client = new TestClient(TestClient.#connect(port));
    await client.startTls();
    await client.reply();
    return client;
  }

  /** Connects and reads nothing. */
  static openRaw(port: number): TestClient {
    return new TestClient(TestClient.#connect(port));
  }

  static #connect(port: number): net.Socket {
    return net.connect({ port, host: "127.0.0.1", allowHalfOpen: true });
  }

  /** The socket itself, to pause or to destroy. */
  get socket(): net.Socket {
    return this.#socket;
  }

  /** What was read and not taken as a reply. */
  get heard(): string {
    return this.#read;
  }

  /** Sends octets, each UTF-16 unit one. */
  send(octets: string | Uint8Array): void {
    this.#socket.write(
      typeof octets === "string" ? Buffer.from(octets, "latin1") : octets,
    );
  }

  /** Sends a command and returns the whole reply, lines joined by `|`. */
  say(line: string): Promise<string> {
    this.send(line + "\r\n");
    return this.reply();
  }

  /** Says lines that must each get the reply code given. */
  async dialog(...lines: [line: string, code: number][]): Promise<void> {
    for (const [line, code] of lines) {
      const got = await this.say(line);
      if (!got.startsWith(String(code))) {
        throw new Error(`${line}: got ${got}, want ${code}`);
      }
    }
  }

  /** The next whole reply; `closed` if the server hung up instead. */
  async reply(): Promise<string> {
    const until = performance.now() + REPLY_MS;
    const lines: string[] = [];
    for (;;) {
      const end = this.#read.indexOf("\r\n");
      if (end >= 0) {
        const line = this.#read.slice(0, end);
        this.#read = this.#read.slice(end + 2);
        lines.push(line);
        if (line[3] !== "-") return lines.join("|");
        continue;
      }
      if (this.#closed) return "closed";
      await this.#wait(until);
    }
  }

  /** Everything until the server hangs up. */
  async rest(withinMs = REPLY_MS): Promise<string> {
    const until = performance.now() + withinMs;
    while (!this.#closed) await this.#wait(until);
    return this.#read;
  }

  /** Shakes hands; call it when 220 was read. */
  async startTls(): Promise<void> {
    const plain = this.#socket;
    plain.removeAllListeners("data");
    const secured = tls.connect({ socket: plain, rejectUnauthorized: false });
    this.#socket = secured;
    this.#attach(secured);
    await new Promise<void>((resolve, reject) => {
      secured.once("secureConnect", () => resolve());
      secured.once("close", () => reject(new Error("handshake failed")));
    });
  }

  /** Hangs up without a word. */
  close(): void {
    this.#socket.destroy();
  }

  #attach(socket: net.Socket): void {
    socket.on("data", (bytes: Uint8Array) => {
      for (let at = 0; at < bytes.length; at += 8_192) {
        this.#read += String.fromCharCode(...bytes.subarray(at, at + 8_192));
      }
      this.#news();
    });
    const closed = () => {
      this.#closed = true;
      this.#news();
    };
    socket.on("end", () => {
      closed();
      socket.end();
    });
    socket.on("close", closed);
    socket.on("error", () => {});
  }

  #wait(until: number): Promise<void> {
    return new Promise((resolve, reject) => {
      const leftMs = Math.max(0, until - performance.now());
      const late = setTimeout(
        () => reject(new Error(`No reply; read so far: ${this.#read}`)),
        leftMs,
      );
      this.#news = () => {
        clearTimeout(late);
        resolve();
      };
    });
  }
}
