/** A client's connection: octets out, whole replies in, and all written down. */
import { Buffer } from "node:buffer";
import net from "node:net";
import tls from "node:tls";
import { type Heard, replyFault } from "./reply_pattern.ts";

/** Most octets of what was said that a test prints. */
export const MAX_SHOWN = 300;

/** A reply as a failed test prints it. */
export function shown(heard: Heard): string {
  return heard === "closed" ? "(closed)" : heard.lines.join(" / ");
}

/** One connection: octets out, whole replies in. */
export class Wire {
  readonly #replyMs: number;
  #socket: net.Socket;
  #said = "";
  heard = "";
  isClosed = false;
  #wake: () => void = () => {};

  constructor(stage: { port: number; replyMs: number }) {
    this.#replyMs = stage.replyMs;
    const { port } = stage;
    this.#socket = net.connect({
      port,
      host: "127.0.0.1",
      allowHalfOpen: true,
    });
    this.#socket.setNoDelay(true);
    this.#listen(this.#socket);
  }

  /** What both said until now. */
  get transcript(): string {
    return this.#said;
  }

  send(octets: Uint8Array): void {
    const text = JSON.stringify(Buffer.from(octets).toString("latin1"));
    this.#said += `  C ${text.slice(0, MAX_SHOWN)}\n`;
    this.#socket.write(octets);
  }

  /** What was said by somebody else. */
  note(octets: Uint8Array): void {
    const text = JSON.stringify(Buffer.from(octets).toString("latin1"));
    this.#said += `  P ${text.slice(0, MAX_SHOWN)}\n`;
  }

  /** The next whole reply, checked for form. */
  async reply(): Promise<Heard> {
    const until = performance.now() + this.#replyMs;
    const lines: string[] = [];
    for (;;) {
      const lf = this.heard.indexOf("\n");
      if (lf >= 0) {
        const line = this.heard.slice(0, lf);
        this.heard = this.heard.slice(lf + 1);
        this.#said += `  S ${JSON.stringify(line.trimEnd())}\n`;
        if (!line.endsWith("\r")) throw new Error("reply ends in a bare LF");
        lines.push(line.slice(0, -1));
        if (line[3] === "-") continue;
        const fault = replyFault(lines);
        if (fault !== undefined) throw new Error(`bad reply: ${fault}`);
        return { lines };
      }
      if (this.isClosed) {
        this.#said += "  S (closed)\n";
        if (lines.length > 0 || this.heard !== "") {
          throw new Error("closed within a reply");
        }
        return "closed";
      }
      await this.#news(until);
    }
  }

  /** Reads until the end: alerts of TLS may come, no reply. */
  async dropped(): Promise<void> {
    const until = performance.now() + this.#replyMs;
    while (!this.isClosed) await this.#news(until);
    if (/^[2-5][0-9]{2}[ -]/m.test(this.heard)) {
      throw new Error(`want the connection dropped, got ${this.heard}`);
    }
  }

  async want(source: string): Promise<void> {
    const heard = await this.reply();
    const code = source.slice(0, 3);
    if (heard === "closed" || !heard.lines[0]!.startsWith(code)) {
      throw new Error(`want ${source}, got ${shown(heard)}`);
    }
  }

  /** EHLO and STARTTLS, as most clients begin. */
  async secure(): Promise<void> {
    this.send(Buffer.from("EHLO starttls.test\r\n"));
    await this.want("250");
    this.send(Buffer.from("STARTTLS\r\n"));
    await this.want("220");
    await this.handshake();
  }

  async handshake(): Promise<void> {
    if (this.heard !== "") throw new Error("said something before TLS");
    const plain = this.#socket;
    plain.removeAllListeners("data");
    const secured = tls.connect({ socket: plain, rejectUnauthorized: false });
    this.#socket = secured;
    this.#listen(secured);
    await new Promise<void>((resolve, reject) => {
      const late = setTimeout(
        () => reject(new Error("no TLS handshake")),
        this.#replyMs,
      );
      const settle = (then: () => void) => () => {
        clearTimeout(late);
        then();
      };
      secured.once("secureConnect", settle(resolve));
      secured.once(
        "close",
        settle(() => reject(new Error("TLS handshake failed"))),
      );
    });
    this.#said += "  (TLS)\n";
  }

  halfClose(): void {
    this.#socket.end();
  }

  destroy(): void {
    this.#socket.destroy();
  }

  #listen(socket: net.Socket): void {
    socket.on("data", (bytes: Uint8Array) => {
      this.heard += Buffer.from(bytes).toString("latin1");
      this.#wake();
    });
    const closed = () => {
      this.isClosed = true;
      this.#wake();
    };
    socket.on("end", closed);
    socket.on("close", closed);
    socket.on("error", () => {}); // "close" follows
  }

  #news(until: number): Promise<void> {
    return new Promise((resolve, reject) => {
      const late = setTimeout(
        () => reject(new Error("no reply in time")),
        Math.max(0, until - performance.now()),
      );
      this.#wake = () => {
        clearTimeout(late);
        resolve();
      };
    });
  }
}
