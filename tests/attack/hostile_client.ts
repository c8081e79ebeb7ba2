/**
 * A client that breaks every rule: sends what it likes from any loopback
 * address, reads only if told so, and keeps little of what it hears.
 */
import { Buffer } from "node:buffer";
import net from "node:net";

/** Octets of what was heard that are kept: the last ones. */
const KEPT = 4_096;

/** See the file's header. */
export class HostileClient {
  readonly socket: net.Socket;
  /** Replies by code; a line that another one follows is none. */
  readonly codes = new Map<number, number>();
  /** The last that was heard. */
  heard = "";
  isClosed = false;
  #line = "";
  #wake: () => void = () => {};

  /** @param from Its own address, of 127.0.0.0/8 */
  constructor(port: number, from = "127.0.0.1") {
    this.socket = net.connect({ port, host: "127.0.0.1", localAddress: from });
    this.socket.on("data", (bytes: Uint8Array) => this.#hear(bytes));
    this.socket.on("error", () => {});
    this.socket.on("close", () => {
      this.isClosed = true;
      this.#wake();
    });
  }

  /** How many replies had this code. */
  count(code: number): number {
    return this.codes.get(code) ?? 0;
  }

  /** Replies in all. */
  get replies(): number {
    return [...this.codes.values()].reduce((sum, count) => sum + count, 0);
  }

  /** Sends; resolves when the kernel has it, or the connection is gone. */
  send(what: string | Uint8Array): Promise<void> {
    const bytes = typeof what === "string" ? Buffer.from(what, "latin1") : what;
    return new Promise((resolve) => {
      if (this.isClosed) return resolve();
      this.socket.once("close", resolve);
      this.socket.write(bytes, () => {
        this.socket.off("close", resolve);
        resolve();
      });
    });
  }

  /** Sends the same again and again, until it is closed or `times` is up. */
  async flood(what: Uint8Array, times: number): Promise<void> {
    for (let i = 0; i < times && !this.isClosed; i++) await this.send(what);
  }

  /** Waits until so many replies were heard; false if it never comes to it. */
  async hears(replies: number, withinMs = 10_000): Promise<boolean> {
    const until = performance.now() + withinMs;
    while (this.replies < replies && !this.isClosed) {
      if (performance.now() > until) return false;
      await this.#news(until);
    }
    return this.replies >= replies;
  }

  /** Says a line and waits for its reply, of which it returns the last line. */
  async say(line: string, withinMs = 10_000): Promise<string> {
    const before = this.replies;
    await this.send(`${line}\r\n`);
    await this.hears(before + 1, withinMs);
    return this.heard.split("\r\n").at(-2) ?? "";
  }

  /** Waits for the server to hang up; false if it does not. */
  async isHungUp(withinMs = 10_000): Promise<boolean> {
    const until = performance.now() + withinMs;
    while (!this.isClosed && performance.now() < until) await this.#news(until);
    return this.isClosed;
  }

  /** Is gone, with a FIN. */
  close(): void {
    this.socket.destroy();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #hear(bytes: Uint8Array): void {
    const text = Buffer.from(bytes).toString("latin1");
    this.heard = (this.heard + text).slice(-KEPT);
    const lines = (this.#line + text).split("\r\n");
    this.#line = lines.pop()!;
    for (const line of lines) {
      if (line[3] === "-") continue;
      const code = Number(line.slice(0, 3));
      this.codes.set(code, this.count(code) + 1);
    }
    this.#wake();
  }

  #news(until: number): Promise<void> {
    return new Promise((resolve) => {
      const late = setTimeout(resolve, Math.max(0, until - performance.now()));
      this.#wake = () => {
        clearTimeout(late);
        resolve();
      };
    });
  }
}

/** Octets of a string whose every UTF-16 unit is one octet. */
export function octets(text: string): Uint8Array {
  return Uint8Array.from(Buffer.from(text, "latin1"));
}
