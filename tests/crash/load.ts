/**
 * Senders that never give up: each sends one message after the other, and
 * each message again, in a new session, until it reads 250 or 5xx.
 */
import { delay } from "../system/server_fixture.ts";
import { wireForm } from "../system/smtp_client.ts";
import type { Attempt, Ledger } from "./ledger.ts";

/** A reply that takes longer is no reply. */
const REPLY_WITHIN_MS = 60_000;
const MAX_PER_SESSION = 5;

/** How to send. */
export interface Plan {
  readonly port: number;
  readonly ledger: Ledger;
  readonly senders: number;
  /** Recipients, taken in turn. */
  readonly to: readonly string[];
  /** Between two messages of one sender. */
  readonly pauseMs: number;
  /** Octets of the n-th message; {@link sizeOf} if not said. */
  readonly size?: (turn: number) => number;
}

/** Running senders. */
export class Load {
  /** TCP connections that were refused. */
  connectsRefused = 0;
  readonly #plan: Plan;
  readonly #running: Promise<void>[];
  #isEnding = false;
  #turn = 0;

  constructor(plan: Plan) {
    this.#plan = plan;
    this.#running = Array.from({ length: plan.senders }, () => this.#sender());
  }

  /** Begins no further message; resolves when all were accepted. */
  async end(): Promise<void> {
    this.#isEnding = true;
    await Promise.all(this.#running);
  }

  async #sender(): Promise<void> {
    const { ledger, pauseMs, to, size = sizeOf } = this.#plan;
    let session: Session | undefined;
    let sent = 0;
    while (!this.#isEnding) {
      const message = ledger.newMessage();
      const facts = {
        to: to[this.#turn++ % to.length]!,
        size: size(this.#turn),
      };
      for (;;) {
        const attempt = ledger.begin(message, facts);
        session = await this.#attempt(session, attempt);
        attempt.content = new Uint8Array();
        if (attempt.fate === "accepted" || attempt.fate === "rejected") break;
        await delay(100);
      }
      if (++sent % MAX_PER_SESSION === 0) {
        session?.close();
        session = undefined;
      }
      await delay(pauseMs);
    }
    session?.close();
  }

  /** One attempt; returns the session if it can be used again. */
  async #attempt(
    before: Session | undefined,
    attempt: Attempt,
  ): Promise<Session | undefined> {
    let session = before;
    try {
      session ??= await Session.open(this.#plan.port);
      await session.transact(attempt);
      if (attempt.fate === "accepted") return session;
    } catch (error) {
      if (!(error instanceof LinkBroken)) throw error;
      if (error.isRefused) this.connectsRefused++;
      attempt.fate = attempt.isComplete ? "unknown" : "deferred";
      attempt.why = error.message;
    }
    session?.close();
    return undefined;
  }
}

/** 1 to 50 kB; but one in fifty gets a file of its own in the spool. */
function sizeOf(turn: number): number {
  if (turn % 50 === 0) return 400_000;
  return 1_000 + Math.floor(Math.random() * 49_000);
}

/** Sends one message once, in a session of its own. */
export async function sendOnce(
  port: number,
  attempt: Attempt,
): Promise<void> {
  let session: Session | undefined;
  try {
    session = await Session.open(port);
    await session.transact(attempt);
  } catch (error) {
    if (!(error instanceof LinkBroken)) throw error;
    attempt.fate = attempt.isComplete ? "unknown" : "deferred";
    attempt.why = error.message;
  } finally {
    session?.close();
  }
}

class LinkBroken extends Error {
  constructor(why: string, readonly isRefused = false) {
    super(why);
  }
}

/** One SMTP session, of which any step may fail. */
class Session {
  readonly #conn: Deno.Conn;
  #heard = "";
  #isClosed = false;

  private constructor(conn: Deno.Conn) {
    this.#conn = conn;
  }

  static async open(port: number): Promise<Session> {
    let conn: Deno.Conn;
    try {
      conn = await Deno.connect({ hostname: "127.0.0.1", port });
    } catch (error) {
      const isRefused = error instanceof Deno.errors.ConnectionRefused;
      throw new LinkBroken(String(error), isRefused);
    }
    const session = new Session(conn);
    try {
      await session.#must(220);
      await session.#say("EHLO sender.test");
      await session.#must(250);
    } catch (error) {
      session.close();
      throw error;
    }
    return session;
  }

  /** One transaction; its fate is noted in the attempt. */
  async transact(attempt: Attempt): Promise<void> {
    const steps = [
      ["MAIL FROM:<sender@remote.test>", 250],
      [`RCPT TO:<${attempt.to}>`, 250],
      ["DATA", 354],
    ] as const;
    for (const [line, want] of steps) {
      await this.#say(line);
      const reply = await this.#reply();
      if (codeOf(reply) !== want) return note(attempt, reply);
    }
    attempt.isComplete = true;
    await this.#send(wireForm(attempt.content));
    note(attempt, await this.#reply());
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#conn.close();
  }

  async #must(code: number): Promise<void> {
    const reply = await this.#reply();
    if (codeOf(reply) !== code) throw new LinkBroken(reply);
  }

  #say(line: string): Promise<void> {
    return this.#send(new TextEncoder().encode(`${line}\r\n`));
  }

  async #send(bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.length;) {
      at += await this.#io(() => this.#conn.write(bytes.subarray(at)));
    }
  }

  /** The last line of the next reply. */
  async #reply(): Promise<string> {
    const buffer = new Uint8Array(4_096);
    for (;;) {
      const end = this.#heard.indexOf("\r\n");
      if (end < 0) {
        const got = await this.#io(() => this.#conn.read(buffer));
        if (got === null) throw new LinkBroken("hung up");
        this.#heard += new TextDecoder().decode(buffer.subarray(0, got));
        continue;
      }
      const line = this.#heard.slice(0, end);
      this.#heard = this.#heard.slice(end + 2);
      if (line[3] === " ") return line;
    }
  }

  async #io<T>(operation: () => Promise<T>): Promise<T> {
    const late = setTimeout(() => this.close(), REPLY_WITHIN_MS);
    try {
      return await operation();
    } catch (error) {
      throw new LinkBroken(this.#isClosed ? "no reply in time" : `${error}`);
    } finally {
      clearTimeout(late);
    }
  }
}

function codeOf(reply: string): number {
  return Number(reply.slice(0, 3));
}

function note(attempt: Attempt, reply: string): void {
  const code = codeOf(reply);
  attempt.fate = code === 250
    ? "accepted"
    : code >= 500
    ? "rejected"
    : "deferred";
  attempt.why = reply;
}
