/**
 * An edge of the process graph, as its asker holds it.
 *
 * The asker owns the listening socket, which it was handed as a descriptor,
 * and the answerer plugs in. So a role that only asks needs no Deno
 * permission at all, and the flags of every answerer name exactly whom it
 * answers. Several answerers on one edge share the asks. While nobody is
 * plugged in (a restart), asks wait; and if it rests, it is woken for them.
 */
import { countRead } from "../core/read_buffers.ts";
import net from "node:net";
import { log } from "../core/log.ts";
import { AskingEnd, type AskStream, CHANNEL_LOST } from "./asking_end.ts";
import type { AskOf, Call, Reply, RoleName } from "./call.ts";
import { socketWire } from "./wire.ts";

/** Times that an ask whose channel was lost is put to the next answerer. */
export const MAX_REPEATS = 3;
/** Channels that one edge keeps; a further one replaces the oldest. */
const MAX_CHANNELS = 64;
/** An ask that waits says so again: a word that crossed another may be lost. */
const WAKE_AGAIN_MS = 1_000;

interface Channel {
  readonly end: AskingEnd;
  readonly socket: net.Socket;
}

/** The asking side of one edge. */
export class Edge<C extends Record<string, Call>> {
  readonly #contract: { readonly role: RoleName; readonly calls: C };
  readonly #channels: Channel[] = [];
  readonly #server: net.Server;
  readonly #arrivals = new Set<() => void>();
  #onPlugged: () => void = () => {};
  readonly #wake: () => void;
  #rests: boolean;
  #isClosed = false;

  /**
   * @param contract What the answerer answers
   * @param listener Descriptor of the edge's listening socket, or (in tests)
   * a path to listen on
   */
  constructor(
    contract: { readonly role: RoleName; readonly calls: C },
    listener: { fd: number } | { path: string },
    resting: {
      /** True if the answerer rests when the edge is opened. */
      readonly rests: boolean;
      /** Told for each ask that finds nobody plugged in. */
      readonly wake: () => void;
    } = { rests: false, wake: () => {} },
  ) {
    this.#contract = contract;
    this.#rests = resting.rests;
    this.#wake = resting.wake;
    this.#server = net.createServer((socket) => this.#plugged(socket));
    this.#server.listen(listener);
  }

  /** Called whenever an answerer plugs in, at the first start and after. */
  set onPlugged(then: () => void) {
    this.#onPlugged = then;
    if (this.#channels.length > 0) then();
  }

  /** Answerers plugged in now. */
  get answerers(): number {
    return this.#channels.length;
  }

  /** Wakes the answerer if it rests, also where it died without saying so. */
  wanted(): void {
    this.#wake();
  }

  /** True if the answerer rests, and an ask will wake it. */
  get isResting(): boolean {
    return this.#rests;
  }

  /**
   * Asks, within the call's time limit, waiting included. Repeatable calls
   * survive the death of an answerer, and not of one after the other: that one
   * ask may be what they die of, and takes everybody else's with it.
   */
  async ask<K extends keyof C & string>(
    name: K,
    ask: AskOf<C[K]>,
  ): Promise<Reply<C[K]>> {
    const call = this.#contract.calls[name]!;
    const until = performance.now() + call.withinMs;
    for (let repeats = 0;; repeats++) {
      const end = this.#pick() ?? await this.#someone(until);
      if (end === undefined) {
        return {
          kind: "failed",
          why: `${this.#contract.role} is not there`,
        };
      }
      const leftMs = Math.max(1, until - performance.now());
      const reply = await end.ask(name, call, ask, leftMs);
      if (
        call.repeatable && repeats < MAX_REPEATS && reply.kind === "failed" &&
        reply.why === CHANNEL_LOST && performance.now() < until
      ) continue;
      return reply as Reply<C[K]>;
    }
  }

  /** Asks with a stream of octets; undefined if no answerer came in time. */
  async stream<K extends keyof C & string>(
    name: K,
    ask: AskOf<C[K]>,
    waitMs = 10_000,
  ): Promise<AskStream<C[K]> | undefined> {
    const end = this.#pick() ??
      await this.#someone(performance.now() + waitMs);
    return end?.stream(name, this.#contract.calls[name]!, ask);
  }

  /** Stops listening and closes every channel. */
  close(): void {
    this.#isClosed = true;
    this.#server.close();
    for (const channel of [...this.#channels]) this.#drop(channel);
    for (const arrived of [...this.#arrivals]) arrived();
  }

  /** Resolves when somebody is plugged in, or rests; or after `withinMs`. */
  async settled(withinMs: number): Promise<void> {
    if (this.#rests || this.#channels.length > 0) return;
    await this.#arrival(performance.now() + withinMs);
  }

  #pick(): AskingEnd | undefined {
    let best: AskingEnd | undefined;
    for (const { end } of this.#channels) {
      if (best === undefined || end.waiting < best.waiting) best = end;
    }
    return best;
  }

  /** Whoever arrives first, and stays: one may come only to say that it rests. */
  async #someone(until: number): Promise<AskingEnd | undefined> {
    while (true) {
      await this.#arrival(until);
      const end = this.#pick();
      const isOver = this.#isClosed || performance.now() >= until;
      if (end !== undefined || isOver) return end;
    }
  }

  #arrival(until: number): Promise<void> {
    this.#wake();
    const { promise, resolve } = Promise.withResolvers<void>();
    const arrived = () => {
      clearTimeout(timer);
      clearInterval(again);
      this.#arrivals.delete(arrived);
      resolve();
    };
    const timer = setTimeout(arrived, Math.max(0, until - performance.now()));
    const again = setInterval(this.#wake, WAKE_AGAIN_MS);
    this.#arrivals.add(arrived);
    return promise;
  }

  #plugged(socket: net.Socket): void {
    const role = this.#contract.role;
    const end = new AskingEnd({
      wire: socketWire(socket),
      onBreach: (why) => {
        this.#drop(channel);
        log("ipc-breach", { by: role, why });
      },
      onHere: () => this.#enter(channel),
      onRest: () => {
        this.#leave(channel);
        this.#rests = true;
      },
    });
    const channel: Channel = { end, socket };
    socket.on("data", (bytes: Uint8Array) => {
      countRead(bytes.length);
      end.push(bytes);
    });
    socket.on("error", () => {}); // "close" follows, and says all we need
    socket.on("close", () => this.#drop(channel));
  }

  #enter(channel: Channel): void {
    if (this.#channels.includes(channel)) return;
    this.#channels.push(channel);
    this.#rests = false;
    if (this.#channels.length > MAX_CHANNELS) this.#drop(this.#channels[0]!);
    for (const arrived of [...this.#arrivals]) arrived();
    this.#onPlugged();
  }

  // At once, not when "close" comes: until then a dead channel, having
  // nothing to do, would be everybody's first choice.
  #drop(channel: Channel): void {
    this.#leave(channel);
    channel.socket.destroy();
    channel.end.closed(CHANNEL_LOST);
  }

  /** Asks nothing more there. */
  #leave(channel: Channel): void {
    const at = this.#channels.indexOf(channel);
    if (at >= 0) this.#channels.splice(at, 1);
  }
}
