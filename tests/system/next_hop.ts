/**
 * Another mail server, as a test wants it to be: takes everything unless it is
 * told what to answer, and keeps what it took.
 */
import { Buffer } from "node:buffer";
import net from "node:net";

/** A message as it came. */
export interface Taken {
  /** As in the command, without brackets and parameters. */
  readonly from: string;
  readonly to: readonly string[];
  /** With CRLF, dots undone. */
  readonly content: Uint8Array;
  /** When its final dot came, since the epoch. */
  readonly atMs: number;
}

/** What to answer; undefined is consent. */
export interface Manners {
  onMail?(from: string): string | undefined;
  onRcpt?(to: string): string | undefined;
  onMessage?(content: Uint8Array): string | undefined;
}

/** One such server. */
export class NextHop {
  readonly taken: Taken[] = [];
  /** Transactions begun, the refused ones included. */
  attempts = 0;
  manners: Manners = {};
  /** Set before the first connection: `heard` is kept. */
  records = false;
  /** What each connection brought, raw, octets as UTF-16 units. */
  readonly heard: string[] = [];
  readonly port: number;
  #server: net.Server | undefined;
  readonly #sockets = new Set<net.Socket>();

  constructor(port: number) {
    this.port = port;
  }

  /** Begins to listen. */
  async listen(): Promise<void> {
    const server = net.createServer((socket) => this.#serve(socket));
    this.#server = server;
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen(this.port, "127.0.0.1", resolve);
    });
  }

  /** Is gone: new connections are refused, those that are open end. */
  async close(): Promise<void> {
    const server = this.#server;
    if (server === undefined) return;
    this.#server = undefined;
    for (const socket of this.#sockets) socket.destroy();
    await new Promise<void>((resolve) => server.close(() => resolve()));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #serve(socket: net.Socket): void {
    this.#sockets.add(socket);
    socket.on("error", () => {});
    socket.on("close", () => this.#sockets.delete(socket));
    const say = (line: string) => void socket.write(`${line}\r\n`);
    let input = "";
    let from = "";
    let to: string[] = [];
    let inData = false;

    const onLine = (line: string) => {
      const verb = line.slice(0, 4).toUpperCase();
      const path = /<(.*)>/.exec(line)?.[1] ?? "";
      if (verb === "EHLO") {
        say(
          "250-next.test\r\n250-PIPELINING\r\n250-8BITMIME\r\n250 SIZE 99999999",
        );
      } else if (verb === "MAIL") {
        this.attempts++;
        from = path;
        to = [];
        say(this.manners.onMail?.(path) ?? "250 2.1.0 Ok");
      } else if (verb === "RCPT") {
        const refusal = this.manners.onRcpt?.(path);
        if (refusal === undefined) to.push(path);
        say(refusal ?? "250 2.1.5 Ok");
      } else if (verb === "DATA") {
        inData = to.length > 0;
        say(inData ? "354 Go on" : "554 5.5.1 No recipients");
      } else if (verb === "QUIT") {
        say("221 2.0.0 Bye");
        socket.end();
      } else say("250 2.0.0 Ok");
    };
    const onMessage = (wire: string) => {
      inData = false;
      const text = wire.replace(/^\./gm, "");
      const content = Uint8Array.from(Buffer.from(text, "latin1"));
      const refusal = this.manners.onMessage?.(content);
      if (refusal === undefined) {
        this.taken.push({ from, to, content, atMs: Date.now() });
      }
      say(refusal ?? "250 2.0.0 Ok: taken");
    };
    const nth = this.heard.push("") - 1;
    socket.on("data", (bytes: Uint8Array) => {
      const text = Buffer.from(bytes).toString("latin1");
      if (this.records) this.heard[nth] += text;
      input += text;
      for (;;) {
        const mark = inData ? "\r\n.\r\n" : "\r\n";
        if (inData && input.startsWith(".\r\n")) {
          input = input.slice(3);
          onMessage("");
          continue;
        }
        const end = input.indexOf(mark);
        if (end < 0) return;
        const piece = input.slice(0, inData ? end + 2 : end);
        input = input.slice(end + mark.length);
        if (inData) onMessage(piece);
        else onLine(piece);
      }
    });
    say("220 next.test ESMTP");
  }
}
