/**
 * One SMTP session as a value, what happens to it, and what it wants done. The
 * one transition function is in `session_step.ts` (RFC 5321 §3, §4).
 *
 *     start --EHLO/HELO--> ready --MAIL--> mail --DATA, message--> ready
 *       ^                    ^               |
 *       +-- STARTTLS         +--- RSET ------+   (EHLO too)
 *
 *     ready --AUTH--> auth --> ready, in `session_login.ts`
 *
 * What another role has to say first is a question: the session stays as it
 * is until the answer comes, and nothing else happens to it meanwhile.
 *
 * A message comes by DATA, or by chunks (BDAT, RFC 3030); the octets of a chunk
 * are read whatever is said to it, because they stand where they stand.
 *
 * Invariant: only in `mail` are there a sender and recipients, and every
 * recipient in it was accepted by resolve in this transaction.
 */
import type { Check } from "../core/intake.ts";
import type { SmtpReply } from "../core/reply.ts";
import type {
  Mailbox,
  MessageWishes,
  RecipientWishes,
} from "../core/shapes.ts";
import type { Command } from "./command.ts";
import type { Spoilt } from "./data_reader.ts";
import type { LineFault } from "./line_reader.ts";
import type { BodyType } from "./parameters.ts";
import type { SaslAnswer, SaslQuestion, SaslState } from "./sasl_step.ts";
import type { Introduced } from "./xclient.ts";

/** A transaction under way. */
export interface Transaction {
  /** Empty for `<>`. */
  readonly reversePath: string;
  readonly bodyType: BodyType;
  readonly wishes: MessageWishes;
  /** Without duplicates, in order. */
  readonly recipients: readonly string[];
  /** One a recipient, in their order. */
  readonly recipientWishes: readonly RecipientWishes[];
  /** What both are in JSON, see `MAX_ENVELOPE`. */
  readonly envelopeBytes: number;
  /** RCPT commands so far, refused ones included. */
  readonly attempts: number;
  /** Octets of the chunks so far; undefined before the first BDAT. */
  readonly chunkBytes: number | undefined;
  /** What becomes of the message when it is complete. */
  readonly effect: Effect;
  /** What was looked at for it, the first ones; for the history. */
  readonly checks: readonly Check[];
}

/**
 * What becomes of a message that is taken, the stronger the later:
 * `hold` waits for an administrator, `discard` is thrown away after 250.
 */
export type Effect = "deliver" | "hold" | "discard";

/** What other roles must be asked before a session goes on; see `asks.ts`. */
export type Question =
  /** May this client send as this sender? `mail` is the transaction to be. */
  | { readonly about: "sender"; readonly mail: Transaction }
  /** Does this recipient exist, and may this client send to it? */
  | {
    readonly about: "recipient";
    readonly address: string;
    readonly wishes: RecipientWishes;
  }
  /** Try what waits for a domain now, RFC 1985. */
  | {
    readonly about: "flush";
    readonly domain: string;
    readonly andBelow: boolean;
  }
  /** Is this client who it says it is? */
  | { readonly about: "login"; readonly question: SaslQuestion };

/** What came of a question. */
export type Answer =
  | {
    readonly is: "granted";
    readonly effect: Effect;
    /** What there is to tell of it. */
    readonly checks?: readonly Check[];
  }
  | {
    readonly is: "denied";
    readonly reply: SmtpReply;
    /** The connection ends with it. */
    readonly closes: boolean;
  }
  /** To `login` alone, and whatever came of it. */
  | { readonly is: "login"; readonly answer: SaslAnswer };

/** Who the client says it is. */
export interface Hello {
  readonly helo: string;
  readonly esmtp: boolean;
}

/** What a session keeps whatever its state. */
export interface Lasting {
  /** The client's address in plain form. */
  readonly client: string;
  /** Inside TLS. */
  readonly secured: boolean;
  /** Who logged in; only ever inside TLS. */
  readonly login: Mailbox | undefined;
  readonly loginFailures: number;
  readonly errors: number;
  readonly junk: number;
  /** MAIL commands taken. */
  readonly mails: number;
}

/** One session; each state holds only what is true in it. */
export type Session =
  & Lasting
  & (
    | { readonly at: "start" }
    | { readonly at: "ready"; readonly hello: Hello }
    | {
      readonly at: "auth";
      readonly hello: Hello;
      readonly sasl: SaslState;
    }
    | {
      readonly at: "mail";
      readonly hello: Hello;
      readonly mail: Transaction;
    }
  );

/** What a session is bound by. */
export interface Rules {
  readonly hostname: string;
  readonly maxMessageBytes: number;
  readonly maxRecipients: number;
  /** A certificate is there. */
  readonly offersTls: boolean;
  /**
   * This is submission: who wants to send must log in, inside TLS, and then
   * may send anywhere. Else nobody can log in.
   */
  readonly takesLogins: boolean;
  /** The certificate as SCRAM binds to it, see `tls_end_point.ts`. */
  readonly endPoint: Uint8Array | null;
  /** This client may say for whom it speaks. */
  readonly takesXclient?: boolean;
}

/** What became of a message after CRLF.CRLF or its last chunk. */
export type MessageEnd =
  | { readonly is: "taken"; readonly queueId: string }
  | { readonly is: "full" | "failed" | "too-large" | "loop" }
  | { readonly is: "spoilt"; readonly why: Spoilt };

/** What happens to a session. */
export type Event =
  | {
    readonly is: "command";
    readonly command: Command;
    /** The client sent more behind it without waiting. */
    readonly moreFollows: boolean;
  }
  | { readonly is: "line-fault"; readonly fault: LineFault }
  /** A line at `auth`, which is no command. */
  | { readonly is: "response"; readonly line: string }
  | {
    readonly is: "answer";
    readonly question: Question;
    readonly answer: Answer;
  }
  /** The spool takes no message now: 354 was not written, a chunk skipped. */
  | { readonly is: "no-store" }
  /** A chunk was read that is not the last. */
  | { readonly is: "chunk"; readonly sizeBytes: number }
  | { readonly is: "message"; readonly end: MessageEnd }
  /** The TLS handshake is complete. */
  | { readonly is: "secured" };

/**
 * What is to be done. Exactly one event comes of all but reply, close and
 * skip-chunk.
 */
export type Action =
  | {
    readonly do: "reply";
    readonly reply: SmtpReply;
    /** Why a login failed, for the log. */
    readonly why?: string;
  }
  /** Reply, then close the connection. */
  | {
    readonly do: "close";
    readonly reply: SmtpReply;
    readonly why?: string;
  }
  /** Ask, and read no further command meanwhile; `answer` follows. */
  | { readonly do: "ask"; readonly question: Question }
  /** Open a store, write 354 and read; `message` or `no-store` follows. */
  | { readonly do: "read-message" }
  /**
   * Open a store if none is open, and read a chunk; `chunk`, `message` or
   * `no-store` follows.
   */
  | {
    readonly do: "read-chunk";
    readonly sizeBytes: number;
    readonly last: boolean;
  }
  /** Read a chunk, keep nothing of it, then reply. */
  | {
    readonly do: "skip-chunk";
    readonly sizeBytes: number;
    readonly reply: SmtpReply;
  }
  /** Stop reading, write 220, shake hands; `secured` follows. */
  | { readonly do: "start-tls" }
  /** Begin again, from the greeting, with the client that was named. */
  | { readonly do: "become"; readonly as: Introduced }
  | { readonly do: "nothing" };

/** A session and what to do now. */
export type Step = readonly [Session, Action];

/** A session that was just opened. */
export const NEW_SESSION: Session = {
  at: "start",
  client: "",
  secured: false,
  login: undefined,
  loginFailures: 0,
  errors: 0,
  junk: 0,
  mails: 0,
};

/** What a greeting says of us, in one piece or in two halves. */
export function greetingText(hostname: string): string {
  return `${hostname} ESMTP Bulkhead`;
}

/** The greeting, RFC 5321 §4.3.1. */
export function greeting(rules: Rules): SmtpReply {
  return { code: 220, lines: [greetingText(rules.hostname)] };
}

/** What of a session goes over into another state. */
export function lasting(session: Session): Lasting {
  const { client, secured, login, loginFailures, errors, junk, mails } =
    session;
  return { client, secured, login, loginFailures, errors, junk, mails };
}
