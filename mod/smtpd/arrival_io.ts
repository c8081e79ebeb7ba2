/**
 * One client before its session: the gate is asked, and the greeting held back
 * if the gate wants it tested. Ends with a session or with the connection; it
 * costs nothing afterwards.
 *
 *     arriving --> trap --> session;   any --> closing --> gone
 */
import type { Socket } from "node:net";
import { formatReply, type SmtpReply } from "../core/reply.ts";
import { type GateAsker, refusalOf } from "./gate_asker.ts";
import type { Guard, GuardAction } from "./guard.ts";
import { type Held, HeldSocket, NOTHING_HELD } from "./held_socket_io.ts";
import { REPLIES } from "./replies.ts";
import { greetingText } from "./session.ts";

/** The gate answers in a fraction of a millisecond, or is not waited for. */
const ARRIVE_MS = 500;
/** The same if the gate rests and must be started: nobody passes unseen. */
const ARRIVE_WAKING_MS = 5_000;
/** Time to take the last reply and hang up. */
const LINGER_MS = 2_000;

/** What an arrival is given. */
export interface ArrivalOptions {
  readonly address: string;
  /** TLS from the first octet: then nothing can be said in clear. */
  readonly isTls: boolean;
  /** It will log in: what it is, its password tells, and no test. */
  readonly takesLogins: boolean;
  readonly held: Held;
  readonly guard: Guard;
  readonly gate: GateAsker;
  readonly hostname: string;
  /** The client's last chance to be told to wait, in ms. */
  readonly greetWaitMs: number;
  readonly count: (name: string) => void;
  /** The session may begin. The socket must be listened to in this turn. */
  readonly onSession: (rest: Held) => void;
  /** The connection has ended. */
  readonly onGone: () => void;
}

/** See the file's header. */
export class Arrival {
  readonly #options: ArrivalOptions;
  readonly #socket: Socket;
  /** Undefined while nobody listens: then octets wait in the socket. */
  #held: HeldSocket | undefined;
  #at: "arriving" | "trap" | "closing" | "over" = "arriving";
  #deadline: number;
  #tickedAtMs = -Infinity;
  /** Half a greeting is written. */
  #isTeased = false;

  constructor(socket: Socket, options: ArrivalOptions) {
    this.#options = options;
    this.#socket = socket;
    this.#deadline = performance.now() +
      (options.gate.isResting ? ARRIVE_WAKING_MS : ARRIVE_MS);
    // A socket that was listened to would drop what comes meanwhile. Of any
    // other, most clients need no listener here: they are known.
    if (options.held !== NOTHING_HELD) this.#hold();
    options.guard.onAction = (action) => this.#obey(action);
    this.#arrive();
  }

  /** Ends what has outlived its deadline. */
  tick(nowMs: number): void {
    switch (this.#at) {
      case "arriving":
        if (nowMs < this.#deadline) return;
        this.#options.gate.late();
        return this.#letIn();
      case "trap": {
        // One tick behind: what had come by then has been read since, however
        // late this process is. It would seem to come after the greeting else.
        const clock = { is: "clock", nowMs: this.#tickedAtMs } as const;
        this.#tickedAtMs = nowMs;
        return this.#options.guard.before(clock);
      }
      case "closing":
        if (nowMs >= this.#deadline) this.destroy();
        return;
      case "over":
        return;
    }
  }

  /** The role stops. */
  stop(): void {
    this.#close(REPLIES.stopping);
  }

  /** Closes at once. */
  destroy(): void {
    this.#socket.destroy();
  }

  async #arrive(): Promise<void> {
    const { address, gate, guard, greetWaitMs } = this.#options;
    const { isTls, takesLogins } = this.#options;
    const answer = await gate.arrive(address);
    if (this.#at !== "arriving") return;
    if (answer === undefined) return this.#letIn();
    const refusal = refusalOf(answer.verdict);
    if (refusal?.closes) {
      this.#options.count("clients-refused");
      return this.#close(refusal.reply);
    }
    if (this.#socket.destroyed) return this.#gone();
    const tests = isTls || takesLogins ? [] : answer.tests;
    if (tests.length > 0) this.#hold();
    this.#at = "trap";
    guard.begin(tests, refusal, greetWaitMs);
    this.#heard();
  }

  #hold(): void {
    this.#held ??= new HeldSocket(this.#socket, this.#options.held, {
      news: () => this.#heard(),
      closed: () => this.#gone(),
    });
  }

  /** Without a word from the gate. */
  #letIn(): void {
    if (this.#socket.destroyed) return this.#gone();
    this.#at = "trap";
    this.#options.guard.begin([], undefined, 0);
  }

  #heard(): void {
    if (this.#at !== "trap" || this.#held === undefined) return;
    const { octets, ended } = this.#held;
    // It hung up on half a greeting: there is nobody to wait with.
    if (ended && octets.length === 0) return this.destroy();
    const nowMs = performance.now();
    this.#options.guard.before({ is: "spoke", octets, nowMs });
  }

  #obey(action: GuardAction): void {
    if (this.#at === "closing" || this.#at === "over") return;
    switch (action.do) {
      case "tease":
        this.#isTeased = true;
        this.#socket.write(this.#greetingLine("-"));
        return;
      case "greet":
        this.#at = "over";
        return this.#options.onSession(this.#held?.release() ?? NOTHING_HELD);
      case "drop":
        return this.#close(action.reply);
    }
  }

  #close(reply: SmtpReply): void {
    if (this.#at === "closing" || this.#at === "over") return;
    this.#at = "closing";
    this.#deadline = performance.now() + LINGER_MS;
    this.#held?.release();
    this.#socket.once("close", () => this.#gone());
    if (this.#options.isTls) return this.destroy();
    // Unread octets would turn our close into a reset that eats the reply.
    this.#socket.resume();
    // RFC 5321 §4.2.1: all lines of a reply have one code, so the greeting is
    // completed before it is said that nothing follows.
    const greeting = this.#isTeased ? this.#greetingLine(" ") : "";
    this.#socket.end(greeting + formatReply(reply));
  }

  #greetingLine(mark: "-" | " "): string {
    return `220${mark}${greetingText(this.#options.hostname)}\r\n`;
  }

  #gone(): void {
    if (this.#at === "over") return;
    this.#at = "over";
    this.#options.onGone();
  }
}
