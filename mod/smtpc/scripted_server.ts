/**
 * For tests: a server on loopback that says exactly what a script tells it,
 * and keeps every octet it was sent. Not a mail server, and not part of any
 * role.
 */
import { Buffer } from "node:buffer";
import net from "node:net";
import tls from "node:tls";

/** One connection, as its script sees it. */
export class Visit {
  #socket: net.Socket;
  #held = "";
  #ended = false;
  #wake: () => void = () => {};

  constructor(socket: net.Socket) {
    this.#socket = socket;
    this.#listen();
  }

  /** Sends text, octet for octet (latin1). */
  say(text: string): void {
    this.#socket.write(Buffer.from(text, "latin1"));
  }

  /** The next line without its end; undefined when the client is gone. */
  line(): Promise<string | undefined> {
    return this.#cut("\r\n");
  }

  /** Everything up to CRLF.CRLF, that CRLF included, still stuffed. */
  async data(): Promise<string | undefined> {
    // An empty message is a lone dot.
    while (!this.#ended && this.#held.length < 3) await this.#more();
    if (this.#held.startsWith(".\r\n")) {
      this.#held = this.#held.slice(3);
      return "";
    }
    const data = await this.#cut("\r\n.\r\n");
    return data === undefined ? undefined : data + "\r\n";
  }

  /** The next octets, as many as said; undefined when the client is gone. */
  async octets(length: number): Promise<string | undefined> {
    while (!this.#ended && this.#held.length < length) await this.#more();
    if (this.#held.length < length) return undefined;
    const taken = this.#held.slice(0, length);
    this.#held = this.#held.slice(length);
    return taken;
  }

  /** What arrived and was not taken. */
  get unread(): string {
    return this.#held;
  }

  /** Resolves when the client is gone. */
  async gone(): Promise<void> {
    while (!this.#ended) await this.#more();
  }

  /** Stops reading: the client's writes pile up. */
  pause(): void {
    this.#socket.pause();
  }

  /** Closes in order. */
  end(): void {
    this.#socket.end();
  }

  /** Resets the connection. */
  reset(): void {
    this.#socket.resetAndDestroy();
  }

  /**
   * Says `ready` in the clear and goes on in TLS.
   *
   * @returns True if the client took a session up again
   */
  async startTls(
    secureContext: tls.SecureContext,
    ready: string,
  ): Promise<boolean> {
    const plain = this.#socket;
    plain.removeAllListeners("data");
    plain.pause();
    const secured = new tls.TLSSocket(plain, { isServer: true, secureContext });
    plain.write(ready);
    this.#held = "";
    this.#socket = secured;
    this.#listen();
    await new Promise<void>((resolve) => {
      secured.on("secure", () => resolve());
      secured.on("close", () => resolve());
    });
    return secured.isSessionReused();
  }

  async #cut(end: string): Promise<string | undefined> {
    let from = 0;
    while (true) {
      const at = this.#held.indexOf(end, from);
      if (at >= 0) {
        const taken = this.#held.slice(0, at);
        this.#held = this.#held.slice(at + end.length);
        return taken;
      }
      if (this.#ended) return undefined;
      from = Math.max(0, this.#held.length - end.length);
      await this.#more();
    }
  }

  #more(): Promise<void> {
    return new Promise((resolve) => this.#wake = resolve);
  }

  #listen(): void {
    const gone = () => {
      this.#ended = true;
      this.#wake();
    };
    this.#socket.on("data", (bytes: Uint8Array) => {
      this.#held += Buffer.from(bytes).toString("latin1");
      this.#wake();
    });
    this.#socket.on("error", () => {});
    this.#socket.on("end", gone);
    this.#socket.on("close", gone);
  }
}

/** A running scripted server. */
export interface Server {
  readonly port: number;
  /** Connections so far. */
  readonly visits: number;
  /** Closes it and every connection, and throws what a script threw. */
  close(): Promise<void>;
}

/** Starts one; `script` is called for each connection, with its number. */
export async function scriptedServer(
  script: (visit: Visit, number: number) => Promise<void> | void,
  address = "127.0.0.1",
): Promise<Server> {
  let visits = 0;
  const sockets = new Set<net.Socket>();
  const runs: Promise<void>[] = [];
  const server = net.createServer((socket) => {
    socket.setNoDelay(true);
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
    const visit = new Visit(socket);
    runs.push(Promise.resolve(script(visit, visits++)));
  });
  await new Promise<void>((resolve) =>
    server.listen(0, address, () => resolve())
  );
  return {
    port: (server.address() as net.AddressInfo).port,
    get visits() {
      return visits;
    },
    async close() {
      for (const socket of sockets) socket.destroy();
      await new Promise<void>((resolve) => server.close(() => resolve()));
      await Promise.all(runs);
    },
  };
}

/** Replies by command; a list is used up one by one, its last for ever. */
export type Answers = Record<string, string | readonly string[]>;

const USUAL: Answers = {
  greeting: "220 fake.test",
  EHLO: "250-fake.test\r\n250-PIPELINING\r\n250-8BITMIME\r\n250 SIZE 0",
  HELO: "250 fake.test",
  MAIL: "250 2.1.0 ok",
  RCPT: "250 2.1.5 ok",
  DATA: "354 go",
  BDAT: "250 2.0.0 chunk",
  ".": "250 2.0.0 queued",
  QUIT: "221 bye",
};

/** What an honest server was told. */
export interface Heard {
  readonly lines: string[];
  /** Messages, still stuffed, and chunks; complete ones only. */
  readonly messages: string[];
}

/**
 * Behaves like a mail server, but for the given answers. An answer of `CLOSE`
 * closes instead, `RESET` resets, `MUTE` says nothing.
 */
export async function behave(
  visit: Visit,
  answers: Answers,
  heard: Heard = { lines: [], messages: [] },
): Promise<void> {
  const used = new Map<string, number>();
  const answer = (verb: string): boolean => {
    const all = answers[verb] ?? USUAL[verb] ?? "500 what";
    const n = used.get(verb) ?? 0;
    used.set(verb, n + 1);
    const text = typeof all === "string" ? all : all[n] ?? all.at(-1)!;
    if (text === "CLOSE") visit.end();
    else if (text === "RESET") visit.reset();
    else if (text !== "MUTE") visit.say(text + "\r\n");
    return text.startsWith("354");
  };
  answer("greeting");
  while (true) {
    const line = await visit.line();
    if (line === undefined) return;
    heard.lines.push(line);
    const verb = line.split(/[ :]/)[0]!.toUpperCase();
    if (verb === "BDAT") {
      const chunk = await visit.octets(Number(line.split(" ")[1]));
      if (chunk === undefined) return;
      heard.messages.push(chunk);
    }
    const wantsData = answer(verb);
    if (verb === "QUIT") return visit.end();
    if (!wantsData) continue;
    const message = await visit.data();
    if (message === undefined) return;
    heard.messages.push(message);
    answer(".");
  }
}
