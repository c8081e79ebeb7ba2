/**
 * A session with one server: opened (greeting, EHLO, STARTTLS) and then used
 * for one transaction after another. Plays the pure steps of `opening.ts` and
 * `transaction.ts` against a {@link Connection}.
 */
import type { Buffer } from "node:buffer";
import type { DialV6 } from "./dialer_io.ts";
import type { Outcome } from "../core/outcome.ts";
import type { Protocol } from "../core/shapes.ts";
import type { Shown } from "../dane/certificate.ts";
import type { HostPolicy } from "./attempt.ts";
import type { Connection, Trouble } from "./connection_io.ts";
import { inTurn, race, type Raced } from "./race_io.ts";
import type { Content, Unreadable } from "./content_io.ts";
import {
  afterHandshake,
  FIRST,
  onOpeningReply,
  type Opening,
  type OpeningAction,
  type Peer,
} from "./opening.ts";
import type { Reply } from "./reply.ts";
import { type Candidate, placeOf } from "./route.ts";
import {
  type Action,
  begin,
  type Mail,
  onEarlyReply,
  onLost,
  onReply,
} from "./transaction.ts";
import { Patience, PHASE_REPLIES } from "./patience.ts";
import type { Login } from "./login.ts";
import { logIn } from "./login_io.ts";
import type { Tickets } from "./tickets.ts";
import type { Transcript } from "./transcript.ts";
import { reachedInClear, shakeHands } from "./handshake_io.ts";
import { troubleOutcome } from "./verdict.ts";
import { NOT_REACHED, type Reached, type Wanted } from "./wanted.ts";

/** Times and names for sessions. */
export interface SessionFacts {
  readonly hostname: string;
  readonly connectWithinMs: number;
  /** See `dialer_io.ts`; undefined where there is no IPv6. */
  readonly dialV6?: DialV6 | undefined;
  /** Further addresses of the same host, to be tried with it. */
  readonly rivals?: readonly Candidate[];
  /** Told of those of them that cannot be connected to. */
  readonly onUnreached?: (to: Candidate, outcome: Outcome) => void;
  /** See `source.ts`. */
  readonly sourceFor?: (address: string) => string | undefined;
  readonly replyWithinMs: number;
  /** When the delivery must be over, by performance.now(). */
  readonly untilMs: number;
  /** True if a host that greets with our own name is a mail loop. */
  readonly noLoop: boolean;
  /** What is spoken there. */
  readonly protocol: Protocol;
  /** Who we are there; undefined if nobody asks. Needs a `wanted` for it. */
  readonly login?: Login | undefined;
  /** What TLS it must have; nothing is said before that is known. */
  readonly wanted: Wanted;
  /** Authorities, PEM; undefined means the usual ones. */
  readonly ca?: readonly string[] | undefined;
  /** Sessions to take up again; undefined for none. */
  readonly tickets?: Tickets<Buffer> | undefined;
  /** Told of the certificates, for people. */
  readonly onShown?: ((shown: Shown) => void) | undefined;
}

/** What came of opening. */
export type Opened =
  | { readonly kind: "open"; readonly session: Session }
  | { readonly kind: "not-permitted" }
  | { readonly kind: "loop" }
  /** The provider does not know our login: no mail's fault. */
  | {
    readonly kind: "login-refused";
    readonly outcome: Outcome;
    readonly reached: Reached;
  }
  | {
    readonly kind: "failed";
    readonly outcome: Outcome;
    readonly reached: Reached;
    /** Our end's address; empty or missing if there was no connection. */
    readonly ourAddress?: string;
  };

/** The same, and at which of the host's addresses. */
export type OpenedAt = Opened & { readonly to: Candidate };

/** What came of a transaction. */
export type Sent =
  | Action & { do: "done" }
  /** The content turned unreadable under way; the final dot was not sent. */
  | { readonly do: "broken-off"; readonly why: Unreadable }
  /** A kept session was dead before a word was answered: no attempt at all. */
  | { readonly do: "stale" };

/**
 * Opens a session: once more with a whole handshake, if it failed with a TLS
 * session taken up again; and in the clear at the last, if TLS is what fails
 * and nobody demands it.
 */
export async function openSession(
  to: Candidate,
  facts: SessionFacts,
  transcript: Transcript,
): Promise<OpenedAt> {
  const raced = await raceFor(to, facts, transcript);
  if ("kind" in raced) return raced;
  const { to: met } = raced;
  const offers = { kind: "not-offered", why: "" } as const;
  const asked = { ...facts, clearBecause: offers };
  let first = await openOnce(raced, asked, transcript);
  if (first.kind === "anew") {
    transcript.note(`${first.why}; again with a whole handshake`);
    const anew = await raceFor(met, { ...facts, rivals: [] }, transcript);
    if ("kind" in anew) return anew;
    const whole = { ...asked, tickets: undefined };
    first = await openOnce(anew, whole, transcript);
  }
  if (first.kind === "anew") {
    throw new RangeError("Cannot be: there was no session to take up");
  }
  if (first.kind !== "without-tls") return { ...first, to: met };
  transcript.note(`no TLS (${first.why}); again without`);
  const wanted: Wanted = { ...facts.wanted, tls: "never" };
  const again = await raceFor(met, { ...facts, rivals: [] }, transcript);
  if ("kind" in again) return again;
  const second = await openOnce(
    again,
    {
      ...facts,
      wanted,
      clearBecause: { kind: "no-handshake", why: first.why },
    },
    transcript,
  );
  if (second.kind === "without-tls" || second.kind === "anew") {
    throw new RangeError("Cannot be: TLS was not to be tried");
  }
  return { ...second, to: met };
}

type OnceFacts = SessionFacts & {
  /** Why a session without TLS has none. */
  readonly clearBecause: Parameters<typeof reachedInClear>[1];
};

type OpenedOnce =
  | Opened
  | { readonly kind: "without-tls"; readonly why: string }
  | { readonly kind: "anew"; readonly why: string };

/** Connects to the host, at whichever of its addresses answers first. */
async function raceFor(
  to: Candidate,
  facts: SessionFacts,
  transcript: Transcript,
): Promise<NonNullable<Raced["won"]> | OpenedAt> {
  const candidates = inTurn([to, ...facts.rivals ?? []]);
  for (const one of candidates) {
    transcript.note(`connecting to ${placeOf(one)}`);
  }
  const { won, failed } = await race(candidates, {
    withinMs: phase({ ...facts, replyWithinMs: facts.connectWithinMs }).nextMs,
    dialV6: facts.dialV6,
    source: facts.sourceFor ?? (() => undefined),
  });
  const unreached: { to: Candidate; outcome: Outcome }[] = [];
  for (const { to: one, why } of failed) {
    if (why.kind === "not-permitted") {
      transcript.note(`not permitted to connect to ${placeOf(one)}`);
      continue;
    }
    // A source that is not this machine's fails here, and nowhere else.
    const source = facts.sourceFor?.(one.address);
    const from = source === undefined ? "" : ` from ${source}`;
    transcript.note(`cannot connect to ${placeOf(one)}${from}: ${why.why}`);
    const place = one.path === undefined ? placeOf(one) : one.host;
    const words = `Cannot connect to ${place}${from}: ${why.why}`;
    const outcome = troubleOutcome(words, one.host, "4.4.1");
    unreached.push({ to: one, outcome });
  }
  if (won !== undefined) {
    if (won.to !== to) transcript.note(`connected to ${placeOf(won.to)}`);
    for (const one of unreached) facts.onUnreached?.(one.to, one.outcome);
    return won;
  }
  const [first, ...others] = unreached;
  if (first === undefined) return { kind: "not-permitted", to };
  for (const one of others) facts.onUnreached?.(one.to, one.outcome);
  return { kind: "failed", ...first, reached: NOT_REACHED };
}

async function openOnce(
  { to, connection }: NonNullable<Raced["won"]>,
  facts: OnceFacts,
  transcript: Transcript,
): Promise<OpenedOnce> {
  const opened = await greet(connection, to, { ...facts, transcript });
  if (opened.kind !== "open") connection.quit();
  return opened.kind === "failed"
    ? { ...opened, ourAddress: connection.ourAddress }
    : opened;
}

async function greet(
  connection: Connection,
  to: Candidate,
  facts: OnceFacts & { transcript: Transcript },
): Promise<OpenedOnce> {
  const { transcript, wanted } = facts;
  const patience = phase(facts);
  let reached: Reached = { ...NOT_REACHED, reached: "clear" };
  const lost = (trouble: Trouble): Opened => {
    transcript.note(trouble.why);
    const why = `${trouble.why} in the greeting of ${to.host}`;
    const outcome = troubleOutcome(why, to.host);
    return { kind: "failed", outcome, reached };
  };
  const named = {
    ...facts,
    host: to.host,
    tls: wanted.tls,
    requireTls: wanted.requireTls,
  };
  let state: Opening = FIRST;
  if (facts.protocol === "submissions") { // RFC 8314 §3.3
    const shaken = await shakeHands(connection, to, {
      ...facts,
      wanted: { ...wanted, tls: "must" },
    });
    if (shaken.kind !== "shaken") return shaken;
    reached = shaken.reached;
    state = { ...state, inTls: true };
  }
  while (true) {
    const reply = await connection.reply(patience.nextMs);
    if ("kind" in reply) return lost(reply);
    transcript.got(reply);
    let action: OpeningAction;
    [state, action] = onOpeningReply(state, reply, named);
    if (action.do === "handshake") {
      const shaken = await shakeHands(connection, to, facts);
      switch (shaken.kind) {
        case "without-tls":
        case "anew":
          return shaken;
        case "failed":
          return shaken;
        case "shaken":
          reached = shaken.reached;
      }
      [state, action] = afterHandshake(named);
    }
    switch (action.do) {
      case "send": {
        const trouble = connection.send([action.line]);
        if (trouble !== undefined) return lost(trouble);
        transcript.sent(action.line);
        break;
      }
      case "ready": {
        const { protocol, clearBecause, login } = facts;
        if (login !== undefined) {
          const { host } = to;
          const told = { login, host, patience, transcript };
          const came = await logIn(connection, action.peer.auth, told);
          switch (came.kind) {
            case "logged-in":
              break;
            case "refused":
              return { kind: "login-refused", outcome: came.outcome, reached };
            case "failed":
              return { kind: "failed", outcome: came.outcome, reached };
            case "trouble":
              return lost(came.trouble);
          }
        }
        const session = new Session(connection, {
          to,
          reached: reached.tls === ""
            ? reachedInClear(wanted, clearBecause)
            : reached,
          protocol,
          peer: action.peer,
        });
        return { kind: "open", session };
      }
      case "give-up":
        return {
          kind: "failed",
          outcome: action.outcome,
          reached: action.isWithoutTls
            ? reachedInClear(wanted, { kind: "not-offered", why: "" })
            : reached,
        };
      case "without-tls":
        return { kind: "without-tls", why: action.why };
      case "loop":
        transcript.note("it greets with our own name");
        return { kind: "loop" };
      case "handshake":
        throw new RangeError("Cannot be: a handshake within a handshake");
    }
  }
}

/** What a session was opened under, and how long that need not be doubted. */
export interface Vouch {
  /** See `safety.ts`. */
  readonly key: string;
  readonly policy: HostPolicy;
  /** By `performance.now()`. */
  readonly untilMs: number;
}

/** A session that is ready for a transaction. */
export class Session {
  readonly #connection: Connection;
  /** Who is at the other end. */
  readonly to: Candidate;
  /** How safe it is. */
  readonly reached: Reached;
  readonly #peer: Peer;
  readonly #protocol: Protocol;
  /** What it was opened under; undefined if it is not to be kept. */
  vouch: Vouch | undefined;
  #uses = 0;

  constructor(
    connection: Connection,
    about: { to: Candidate; reached: Reached; protocol: Protocol; peer: Peer },
  ) {
    this.#connection = connection;
    this.to = about.to;
    this.reached = about.reached;
    this.#peer = about.peer;
    this.#protocol = about.protocol;
  }

  /** Transactions carried so far. */
  get uses(): number {
    return this.#uses;
  }

  /** See {@link Connection.ourAddress}. */
  get ourAddress(): string {
    return this.#connection.ourAddress;
  }

  /** What the server said it can. */
  get peer(): Peer {
    return this.#peer;
  }

  /** Says one command outside of a transaction; see `probe.ts`. */
  async command(
    line: string,
    options: { replyWithinMs: number; transcript: Transcript },
  ): Promise<Reply | Trouble> {
    const trouble = this.#connection.send([line]);
    if (trouble !== undefined) return trouble;
    options.transcript.sent(line);
    return await this.#connection.reply(options.replyWithinMs);
  }

  /** See {@link Connection.quit}. */
  quit(): void {
    this.#connection.quit();
  }

  /** See {@link Connection.watch}. */
  watch(onStir: () => void): void {
    this.#connection.watch(onStir);
  }

  /** See {@link Connection.unwatch}. */
  unwatch(): boolean {
    return this.#connection.unwatch();
  }

  /** Carries one transaction through. Says goodbye if it was the last. */
  async transact(
    mail: Mail,
    content: Content,
    options: {
      replyWithinMs: number;
      untilMs: number;
      transcript: Transcript;
    },
  ): Promise<Sent> {
    const used = this.#uses++ > 0;
    const sent = await this.#play(mail, content, { ...options, used });
    if (sent.do === "broken-off") this.#connection.destroy();
    else if (sent.do === "stale" || !sent.reusable) this.#connection.quit();
    return sent;
  }

  async #play(
    mail: Mail,
    content: Content,
    options: {
      replyWithinMs: number;
      untilMs: number;
      transcript: Transcript;
      used: boolean;
    },
  ): Promise<Sent> {
    const { replyWithinMs, untilMs, transcript } = options;
    let patience = phase(options);
    let [state, action] = begin(mail, this.#peer, {
      host: this.to.host,
      protocol: this.#protocol,
    });
    let answered = false;
    const lost = (trouble: Trouble): Sent => {
      transcript.note(trouble.why);
      if (options.used && !answered && trouble.kind === "lost") {
        return { do: "stale" };
      }
      return over(onLost(state, trouble.why));
    };
    while (true) {
      switch (action.do) {
        case "done":
          return action;
        case "send": {
          const trouble = this.#connection.send(action.lines);
          if (trouble !== undefined) return lost(trouble);
          for (const line of action.lines) transcript.sent(line);
          break;
        }
        case "content": {
          const { replies } = action;
          const failed = await this.#send(content, {
            replies,
            patience: new Patience({
              eachMs: replyWithinMs,
              wholeMs: Infinity,
              untilMs,
            }),
          });
          if (failed === undefined) {
            // RFC 5321 §4.5.3.2.6: twice the time after the final dot.
            patience = phase({ replyWithinMs: 2 * replyWithinMs, untilMs });
            transcript.note(`content of ${mail.sizeBytes} octets sent`);
            break;
          }
          if (failed.kind === "damaged" || failed.kind === "unreadable") {
            return { do: "broken-off", why: failed };
          }
          transcript.note(failed.why);
          // The final dot had not been written yet.
          return over(
            failed.kind === "early"
              ? onEarlyReply(state, failed.reply)
              : onLost({ ...state, at: "envelope" }, failed.why),
          );
        }
        case "wait":
          break;
      }
      const reply = await this.#connection.reply(patience.nextMs);
      if ("kind" in reply) return lost(reply);
      if (options.used && !answered && reply.code === 421) {
        transcript.got(reply); // it closed while idle: we were too slow
        return { do: "stale" };
      }
      answered = true;
      transcript.got(reply);
      [state, action] = onReply(state, reply);
    }
  }

  /** Sends content and final dot; returns what kept it from that. */
  async #send(
    content: Content,
    { replies, patience }: { replies: number; patience: Patience },
  ): Promise<Trouble | Unreadable | undefined> {
    const wire = content.wire();
    let part = wire.next();
    while (!part.done) {
      const octets: Uint8Array | Unreadable = part.value;
      if ("kind" in octets) return octets;
      part = wire.next();
      const isLast = part.done === true;
      const options = { isLast, replies, withinMs: patience.nextMs };
      const trouble = await this.#connection.write(octets, options);
      if (trouble !== undefined) return trouble;
    }
    return undefined;
  }
}

/** For the replies of one phase: the opening, the envelope, the last ones. */
function phase(
  { replyWithinMs, untilMs }: { replyWithinMs: number; untilMs: number },
): Patience {
  return new Patience({
    eachMs: replyWithinMs,
    wholeMs: PHASE_REPLIES * replyWithinMs,
    untilMs,
  });
}

function over(action: Action): Sent {
  if (action.do !== "done") throw new RangeError("Cannot be: not over");
  return action;
}
