/**
 * A client's connection without a network: what the client sends is put in,
 * what the server writes is kept. As {@link net.Socket} as the server uses
 * it, half open connections included, and much faster.
 */
import { Buffer } from "node:buffer";
import { EventEmitter } from "node:events";
import type net from "node:net";

/** See the file's header. */
export class FakeSocket extends EventEmitter {
  readonly remoteAddress: string;
  /** Everything that the server wrote, octets as UTF-16 units. */
  written = "";
  /** True while the client does not read. */
  writableNeedDrain = false;
  /** The server will write no more. */
  isEnded = false;
  destroyed = false;
  #isPaused = false;
  #clientEnded = false;
  #toldEnd = false;
  #arrived: Uint8Array[] = [];

  constructor(remoteAddress: string) {
    super();
    this.remoteAddress = remoteAddress;
  }

  /** As the server wants it. */
  get asSocket(): net.Socket {
    return this as unknown as net.Socket;
  }

  // What the client does.

  /** Octets arrive. */
  arrive(bytes: Uint8Array): void {
    if (this.destroyed || this.#clientEnded) return;
    if (this.#isPaused) this.#arrived.push(bytes);
    else this.emit("data", bytes);
  }

  /** The client sends no more. */
  arriveEnd(): void {
    this.#clientEnded = true;
    this.#tellEnd();
  }

  /** The connection is gone, as by a reset. */
  lose(): void {
    this.destroy();
  }

  /** The client reads what it left lying. */
  drain(): void {
    if (!this.writableNeedDrain) return;
    this.writableNeedDrain = false;
    if (!this.destroyed) this.emit("drain");
  }

  // What the server does.

  get readableLength(): number {
    return this.#arrived.reduce((sum, bytes) => sum + bytes.length, 0);
  }

  get writableEnded(): boolean {
    return this.isEnded;
  }

  get writable(): boolean {
    return !this.isEnded && !this.destroyed;
  }

  write(what: string | Uint8Array): boolean {
    if (this.isEnded) throw new Error("write after end");
    if (this.destroyed) return false;
    this.written += typeof what === "string"
      ? what
      : Buffer.from(what).toString("latin1");
    return !this.writableNeedDrain;
  }

  end(what?: string | Uint8Array): this {
    if (what !== undefined) this.write(what);
    this.isEnded = true;
    this.#closeIfDone();
    return this;
  }

  destroy(): this {
    if (this.destroyed) return this;
    this.destroyed = true;
    this.#arrived = [];
    Promise.resolve().then(() => this.emit("close"));
    return this;
  }

  pause(): this {
    this.#isPaused = true;
    return this;
  }

  resume(): this {
    if (!this.#isPaused) return this;
    this.#isPaused = false;
    Promise.resolve().then(() => this.#deliver());
    return this;
  }

  isPaused(): boolean {
    return this.#isPaused;
  }

  setNoDelay(): this {
    return this;
  }

  setTimeout(): this {
    return this;
  }

  cork(): void {}

  uncork(): void {}

  #deliver(): void {
    while (!this.#isPaused && !this.destroyed && this.#arrived.length > 0) {
      this.emit("data", this.#arrived.shift()!);
    }
    this.#tellEnd();
  }

  #tellEnd(): void {
    const isReady = this.#clientEnded && !this.#isPaused &&
      this.#arrived.length === 0;
    if (!isReady || this.#toldEnd || this.destroyed) return;
    this.#toldEnd = true;
    this.emit("end");
    this.#closeIfDone();
  }

  /** Both sides have said their last word, and it was taken. */
  #closeIfDone(): void {
    if (this.isEnded && this.#toldEnd && !this.writableNeedDrain) {
      this.destroy();
    }
  }
}
