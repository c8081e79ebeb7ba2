/**
 * A connection from a listed load balancer, until its PROXY header is read.
 * Until then it is nobody's, so there is nobody to answer: what goes wrong
 * closes it without a word.
 */
import type { Socket } from "node:net";
import { type Held, HeldSocket, NOTHING_HELD } from "./held_socket_io.ts";
import { type ProxiedClient, readProxyHeader } from "./proxy_protocol.ts";

/** Longest time for a header: it is the first thing that a proxy sends. */
export const MAX_HEADER_MS = 5_000;

/** What becomes of it. */
export interface ProxyListener {
  /** The header is read. The socket must be listened to in this turn. */
  readonly onHeader: (client: ProxiedClient | undefined, rest: Held) => void;
  /** It is closed; why, unless the proxy closed it. */
  readonly onGone: (why: string | undefined) => void;
}

/** See the file's header. */
export class ProxyArrival {
  readonly #held: HeldSocket;
  readonly #on: ProxyListener;
  readonly #deadline: number;

  /** @param options.withinMs Whole time for the header */
  constructor(socket: Socket, options: ProxyListener & { withinMs: number }) {
    this.#on = options;
    this.#deadline = performance.now() + options.withinMs;
    this.#held = new HeldSocket(socket, NOTHING_HELD, {
      news: () => this.#read(),
      closed: () => options.onGone(undefined),
    });
  }

  /** Ends what has outlived its deadline. */
  tick(nowMs: number): void {
    if (nowMs >= this.#deadline) this.#fail("no header in time");
  }

  /** The role stops. */
  stop(): void {
    this.destroy();
  }

  /** Closes at once. */
  destroy(): void {
    this.#held.socket.destroy();
  }

  #read(): void {
    const reading = readProxyHeader(this.#held.octets);
    switch (reading.is) {
      case "more":
        if (this.#held.ended) this.#fail("no header");
        return;
      case "bad":
        return this.#fail(reading.why);
      case "header": {
        const { octets, ended } = this.#held.release();
        this.#on.onHeader(reading.client, {
          octets: octets.subarray(reading.end),
          ended,
        });
      }
    }
  }

  #fail(why: string): void {
    this.#held.release();
    this.destroy();
    this.#on.onGone(why);
  }
}
