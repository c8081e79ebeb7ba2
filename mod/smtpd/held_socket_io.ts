/**
 * A client's socket before its session: what it sends is kept, in a bound, and
 * handed over with the socket, so that not an octet is lost between two
 * listeners.
 */
import type { Socket } from "node:net";
import { joinOctets } from "../core/octets.ts";

/** Octets kept; above it the socket is not read. */
const MAX_HELD = 16_384;

const NOTHING: Uint8Array = new Uint8Array(0);

/** What came before the session. */
export interface Held {
  readonly octets: Uint8Array;
  /** The client has sent its FIN. */
  readonly ended: boolean;
}

/** Nothing came. */
export const NOTHING_HELD: Held = { octets: NOTHING, ended: false };

/** See the file's header. */
export class HeldSocket {
  readonly socket: Socket;
  readonly #on: { readonly news: () => void; readonly closed: () => void };
  #octets: Uint8Array;
  #ended: boolean;

  /**
   * @param on.news Octets came, or FIN
   * @param on.closed The socket is gone; nothing follows
   */
  constructor(
    socket: Socket,
    before: Held,
    on: { readonly news: () => void; readonly closed: () => void },
  ) {
    this.socket = socket;
    this.#on = on;
    this.#octets = before.octets;
    this.#ended = before.ended;
    socket.on("data", this.#onData);
    socket.on("end", this.#onEnd);
    socket.on("close", on.closed);
  }

  /** All that came so far. */
  get octets(): Uint8Array {
    return this.#octets;
  }

  /** The client has sent its FIN. */
  get ended(): boolean {
    return this.#ended;
  }

  /**
   * Lets go of the socket. Whoever takes it must listen to it in this turn; it
   * may be paused.
   */
  release(): Held {
    this.socket.off("data", this.#onData);
    this.socket.off("end", this.#onEnd);
    this.socket.off("close", this.#on.closed);
    return { octets: this.#octets, ended: this.#ended };
  }

  readonly #onData = (octets: Uint8Array): void => {
    this.#octets = joinOctets([this.#octets, octets]);
    if (this.#octets.length > MAX_HELD) this.socket.pause();
    this.#on.news();
  };

  readonly #onEnd = (): void => {
    this.#ended = true;
    this.#on.news();
  };
}
