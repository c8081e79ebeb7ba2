/**
 * TLS without cryptography: octets pass as they are, and the handshake is over
 * a moment after it began. So a session inside TLS costs no more than another,
 * and what the server does around a handshake is attacked as well.
 */
import { EventEmitter } from "node:events";
import type { FakeSocket } from "./fake_socket.ts";

/** Stands where `tls.TLSSocket` stands. */
export class FakeTlsSocket extends EventEmitter {
  readonly #plain: FakeSocket;

  constructor(plain: FakeSocket) {
    super();
    this.#plain = plain;
    for (const event of ["data", "end", "drain", "close"]) {
      plain.on(event, (...what: unknown[]) => this.emit(event, ...what));
    }
    Promise.resolve().then(() => {
      if (plain.destroyed) return;
      this.emit("secure");
      plain.resume();
    });
  }

  getProtocol(): string {
    return "TLSv1.3";
  }

  getCipher(): { name: string } {
    return { name: "TLS_AES_256_GCM_SHA384" };
  }

  get writableNeedDrain(): boolean {
    return this.#plain.writableNeedDrain;
  }

  get readableLength(): number {
    return this.#plain.readableLength;
  }

  get destroyed(): boolean {
    return this.#plain.destroyed;
  }

  get writable(): boolean {
    return this.#plain.writable;
  }

  write(what: string | Uint8Array): boolean {
    return this.#plain.write(what);
  }

  end(): this {
    this.#plain.end();
    return this;
  }

  destroy(): this {
    this.#plain.destroy();
    return this;
  }

  pause(): this {
    this.#plain.pause();
    return this;
  }

  resume(): this {
    this.#plain.resume();
    return this;
  }

  isPaused(): boolean {
    return this.#plain.isPaused();
  }
}
