/**
 * The answering end of one channel: bytes in, handlers called, answers out.
 *
 * Trusts nothing that arrives. Whatever breaks the contract closes this
 * channel and no other (CVE-2025-62875 was the other choice); a handler that
 * throws is our own bug and is not caught.
 */
import type {
  Call,
  ChunkSink,
  Handler,
  Handlers,
  RoleName,
  StreamHandler,
  Verdict,
} from "./call.ts";
import { encodeFrame, type Frame, FrameReader, MAX_BODY } from "./frames.ts";
import type { Wire } from "./wire.ts";

/** Asks that one channel may have open; one more is a breach. */
export const MAX_OPEN_ASKS = 4_096;

const decoder = new TextDecoder("utf-8", { fatal: true });
const encoder = new TextEncoder();

/** One ask that a handler is at work on. */
interface OpenAsk {
  readonly id: number;
  readonly call: Call;
  /** The asker wants no answer any more. */
  givenUp: boolean;
}

/** Who is at the other end: known from the socket, never from a message. */
export interface Asker {
  readonly role: RoleName;
  /** Role and number, such as `smtpd.0`. */
  readonly instance: string;
}

/** One channel's answering end. */
export class AnsweringEnd<C extends Record<string, Call>> {
  readonly #contract: { readonly role: RoleName; readonly calls: C };
  readonly #handlers: Handlers<C>;
  readonly #asker: Asker;
  readonly #wire: Wire;
  readonly #onBreach: (why: string) => void;
  readonly #reader = new FrameReader();
  readonly #open = new Map<number, OpenAsk>();
  readonly #streams = new Map<number, ChunkSink>();
  #closed = false;

  constructor(options: {
    contract: { readonly role: RoleName; readonly calls: C };
    handlers: Handlers<C>;
    asker: Asker;
    wire: Wire;
    /** Told once, when the asker broke the contract and lost its channel. */
    onBreach: (why: string) => void;
  }) {
    this.#contract = options.contract;
    this.#handlers = options.handlers;
    this.#asker = options.asker;
    this.#wire = options.wire;
    this.#onBreach = options.onBreach;
  }

  /** Says that asks are welcome here; before this there are none. */
  begin(): void {
    this.#wire.write(encodeFrame("here", 0));
  }

  /** Takes the next bytes from the asker. */
  push(bytes: Uint8Array): void {
    if (this.#closed) return;
    try {
      for (const frame of this.#reader.push(bytes)) {
        const breach = this.#frame(frame);
        if (breach !== undefined) return this.#breach(breach);
        if (this.#closed) return;
      }
    } catch (error) {
      if (!(error instanceof Error) || error.name !== "FrameError") throw error;
      this.#breach(error.message);
    }
  }

  /** Asks that are not answered yet. */
  get open(): number {
    return this.#open.size;
  }

  /**
   * Tells the asker to ask nothing more here; it closes the channel when all
   * that it asked is answered.
   */
  rest(): void {
    if (!this.#closed) this.#wire.write(encodeFrame("rest", 0));
  }

  /** The socket is gone: every stream that was under way is given up. */
  closed(why: string): void {
    if (this.#closed) return;
    this.#closed = true;
    for (const sink of this.#streams.values()) sink.abort(why);
    this.#streams.clear();
  }

  #breach(why: string): void {
    this.#wire.close();
    this.closed(why);
    this.#onBreach(why);
  }

  /** Handles one frame; returns what was wrong with it, if anything. */
  #frame(frame: Frame): string | undefined {
    switch (frame.kind) {
      case "ask":
        return this.#ask(frame);
      case "chunk": {
        const sink = this.#streams.get(frame.id);
        // A stream that we refused early may still be on its way: not a breach.
        sink?.chunk(frame.body);
        return undefined;
      }
      case "end": {
        const sink = this.#streams.get(frame.id);
        this.#streams.delete(frame.id);
        sink?.end();
        return undefined;
      }
      case "abort":
        this.#abort(frame.id);
        return undefined;
      case "answer":
      case "refusal":
      case "control":
      case "rest":
      case "here":
        return `frame of kind ${frame.kind} from an asker`;
    }
  }

  #abort(id: number): void {
    const sink = this.#streams.get(id);
    if (sink !== undefined) {
      this.#streams.delete(id);
      this.#open.delete(id);
      sink.abort("the asker gave up");
      return;
    }
    // The handler cannot be called back, so the ask counts as open until it
    // is done: or asking and aborting would start any number of them.
    const open = this.#open.get(id);
    if (open !== undefined) open.givenUp = true;
  }

  #ask(frame: Frame): string | undefined {
    if (this.#open.has(frame.id)) return `request id ${frame.id} is in use`;
    if (this.#open.size >= MAX_OPEN_ASKS) return "too many open asks";
    let message: unknown;
    try {
      message = JSON.parse(decoder.decode(frame.body));
    } catch {
      return "ask is not JSON";
    }
    if (!Array.isArray(message) || message.length !== 2) {
      return "ask is not [name, ask]";
    }
    const name: unknown = message[0];
    if (
      typeof name !== "string" || !Object.hasOwn(this.#contract.calls, name)
    ) {
      return "no such call";
    }
    const call = this.#contract.calls[name]!;
    if (!call.from.includes(this.#asker.role)) {
      return `${this.#asker.role} may not ask ${name}`;
    }
    const asked = call.ask.safeParse(message[1]);
    if (!asked.success) {
      const issue = asked.error.issues[0];
      return `${name}: ${issue?.path.join(".")}: ${issue?.message}`;
    }
    this.#handle(frame.id, name, call, asked.data);
    return undefined;
  }

  #handle(id: number, name: string, call: Call, asked: unknown): void {
    const open: OpenAsk = { id, call, givenUp: false };
    this.#open.set(id, open);
    const handler = this.#handlers[name]!;
    if (call.streams) {
      const { sink, verdict } = (handler as StreamHandler<Call>)(
        asked,
        this.#asker.instance,
      );
      this.#streams.set(id, sink);
      verdict.then((v) => this.#reply(open, v));
      return;
    }
    const verdict = (handler as Handler<Call>)(asked, this.#asker.instance);
    if (verdict instanceof Promise) {
      verdict.then((v) => this.#reply(open, v));
    } else {
      this.#reply(open, verdict);
    }
  }

  #reply(open: OpenAsk, verdict: Verdict<Call>): void {
    const { id, call } = open;
    const refused = "refusal" in verdict;
    if (refused && !call.refuses.includes(verdict.refusal)) {
      throw new RangeError(`Cannot refuse: ${verdict.refusal} is undeclared`);
    }
    // After an abort the id may be another ask's.
    if (this.#closed || this.#open.get(id) !== open) return;
    this.#open.delete(id);
    this.#streams.delete(id);
    if (open.givenUp) return;
    const body = encoder.encode(
      JSON.stringify(refused ? verdict.refusal : verdict.answer),
    );
    // What is in an answer may come from the world, and so may its size: no
    // reason to die.
    this.#wire.write(
      body.length > MAX_BODY
        ? encodeFrame("abort", id)
        : encodeFrame(refused ? "refusal" : "answer", id, body),
    );
  }
}
