/**
 * The asking end of one channel: sends asks, matches answers by request id,
 * in any order, each within its time limit. A malformed answer closes the
 * channel: the answerer may be the one that was taken over.
 */
import type { AnswerOf, AskOf, Call, RefusalOf, Reply } from "./call.ts";
import { encodeFrame, type Frame, FrameReader, MAX_BODY } from "./frames.ts";
import type { Wire } from "./wire.ts";

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true });

/** Why an ask failed whose channel was gone before an answer came. */
export const CHANNEL_LOST = "the answerer is gone";

interface Waiting {
  readonly call: Call;
  readonly resolve: (reply: Reply<Call>) => void;
  readonly timer: ReturnType<typeof setTimeout>;
}

/** A streaming ask under way. */
export interface AskStream<C extends Call> {
  /** Sends octets; resolves when more are welcome. Ignored after the reply. */
  write(bytes: Uint8Array): Promise<void>;
  /** Completes the stream; resolves with the reply. */
  end(): Promise<Reply<C>>;
  /** Gives it up; the answerer keeps nothing. */
  abort(): void;
  /** Settles as soon as the answerer replied, which may be before the end. */
  readonly reply: Promise<Reply<C>>;
}

/** One channel's asking end. */
export class AskingEnd {
  readonly #wire: Wire;
  readonly #onBreach: (why: string) => void;
  readonly #onHere: () => void;
  readonly #onRest: () => void;
  readonly #reader = new FrameReader();
  readonly #waiting = new Map<number, Waiting>();
  #nextId = 1;
  #closed = false;
  #resting = false;

  constructor(options: {
    wire: Wire;
    onBreach: (why: string) => void;
    /** The answerer is there, and may be asked. */
    onHere?: () => void;
    /** The answerer goes to rest: nothing more is to be asked here. */
    onRest?: () => void;
  }) {
    this.#wire = options.wire;
    this.#onBreach = options.onBreach;
    this.#onHere = options.onHere ?? (() => {});
    this.#onRest = options.onRest ?? (() => {});
  }

  /** Asks that wait for their answer now. */
  get waiting(): number {
    return this.#waiting.size;
  }

  /** Asks `name`; never throws, see {@link Reply}. */
  ask<C extends Call>(
    name: string,
    call: C,
    ask: AskOf<C>,
    withinMs = call.withinMs,
  ): Promise<Reply<C>> {
    const id = this.#takeId();
    const reply = this.#await(id, call, withinMs);
    this.#sendAsk(id, [name, ask]);
    return reply;
  }

  /** Asks `name`, with octets to follow: it is sent with the first of them. */
  stream<C extends Call>(name: string, call: C, ask: AskOf<C>): AskStream<C> {
    const id = this.#takeId();
    const reply = this.#await<C>(id, call, call.withinMs);
    const open = () => this.#waiting.has(id);
    // With the first octets, so that a short stream wakes the answerer once.
    let isAsked = false;
    const askFirst = () => {
      if (!isAsked) this.#sendAsk(id, [name, ask]);
      isAsked = true;
    };
    return {
      reply,
      write: async (bytes) => {
        if (open()) askFirst();
        for (let at = 0; at < bytes.length && open(); at += MAX_BODY) {
          const part = bytes.subarray(at, at + MAX_BODY);
          if (!this.#wire.write(encodeFrame("chunk", id, part))) {
            await this.#wire.drained();
          }
        }
      },
      end: () => {
        if (open()) askFirst();
        if (open()) this.#send(encodeFrame("end", id));
        return reply;
      },
      abort: () => {
        if (!open()) return;
        if (isAsked) this.#send(encodeFrame("abort", id));
        this.#settle(id, { kind: "failed", why: "given up by the asker" });
      },
    };
  }

  /** Takes the next bytes from the answerer. */
  push(bytes: Uint8Array): void {
    if (this.#closed) return;
    try {
      for (const frame of this.#reader.push(bytes)) {
        const breach = this.#frame(frame);
        if (breach !== undefined) return this.#breach(breach);
      }
    } catch (error) {
      if (!(error instanceof Error) || error.name !== "FrameError") throw error;
      this.#breach(error.message);
    }
  }

  /** The socket is gone: nobody knows what became of the open asks. */
  closed(why: string): void {
    if (this.#closed) return;
    this.#closed = true;
    for (const id of [...this.#waiting.keys()]) {
      this.#settle(id, { kind: "failed", why });
    }
  }

  #takeId(): number {
    const id = this.#nextId;
    this.#nextId = id === 0xffff_ffff ? 1 : id + 1;
    return id;
  }

  #sendAsk(id: number, message: readonly [name: string, ask: unknown]): void {
    const body = encoder.encode(JSON.stringify(message));
    if (body.length > MAX_BODY) {
      // Within the bounds of its shape and yet too long in JSON (quotes,
      // UTF-8): the world's doing, so no reason to die.
      this.#settle(id, { kind: "failed", why: "the ask is too large" });
    } else {
      this.#send(encodeFrame("ask", id, body));
    }
  }

  #send(bytes: Uint8Array): void {
    if (!this.#closed) this.#wire.write(bytes);
  }

  #await<C extends Call>(
    id: number,
    call: C,
    withinMs: number,
  ): Promise<Reply<C>> {
    if (this.#closed) {
      return Promise.resolve({ kind: "failed", why: CHANNEL_LOST });
    }
    const { promise, resolve } = Promise.withResolvers<Reply<Call>>();
    const timer = setTimeout(() => {
      // The answerer stops working on it, if it still can.
      this.#send(encodeFrame("abort", id));
      this.#settle(id, {
        kind: "failed",
        why: `no answer within ${withinMs} ms`,
      });
    }, withinMs);
    this.#waiting.set(id, { call, resolve, timer });
    return promise as Promise<Reply<C>>;
  }

  #settle(id: number, reply: Reply<Call>): void {
    const waiting = this.#waiting.get(id);
    if (waiting === undefined) return;
    this.#waiting.delete(id);
    clearTimeout(waiting.timer);
    waiting.resolve(reply);
    this.#closeIfDone();
  }

  #closeIfDone(): void {
    if (this.#resting && this.#waiting.size === 0) this.#wire.close();
  }

  #breach(why: string): void {
    this.#wire.close();
    this.closed(CHANNEL_LOST);
    this.#onBreach(why);
  }

  #frame(frame: Frame): string | undefined {
    if (frame.kind === "abort") {
      this.#settle(frame.id, { kind: "failed", why: "the answerer gave up" });
      return undefined;
    }
    if (frame.kind === "here") {
      if (!this.#resting) this.#onHere();
      return undefined;
    }
    if (frame.kind === "rest") {
      this.#resting = true;
      this.#onRest();
      this.#closeIfDone();
      return undefined;
    }
    if (frame.kind !== "answer" && frame.kind !== "refusal") {
      return `frame of kind ${frame.kind} from an answerer`;
    }
    const waiting = this.#waiting.get(frame.id);
    // Late answers to asks that timed out are dropped, not punished.
    if (waiting === undefined) return undefined;
    let body: unknown;
    try {
      body = JSON.parse(decoder.decode(frame.body));
    } catch {
      return "reply is not JSON";
    }
    if (frame.kind === "refusal") {
      if (
        typeof body !== "string" || !waiting.call.refuses.includes(body)
      ) return "undeclared refusal";
      this.#settle(frame.id, {
        kind: "refused",
        refusal: body as RefusalOf<Call>,
      });
      return undefined;
    }
    const answer = waiting.call.answer.safeParse(body);
    if (!answer.success) {
      const issue = answer.error.issues[0];
      return `answer: ${issue?.path.join(".")}: ${issue?.message}`;
    }
    this.#settle(frame.id, {
      kind: "answered",
      answer: answer.data as AnswerOf<Call>,
    });
    return undefined;
  }
}
