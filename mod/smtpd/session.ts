/**
 * One SMTP session as a value: (session, event) -> (session, action). No I/O
 * and no clock, so every dialog can be told in a test (RFC 5321 §3, §4).
 *
 *     start --EHLO/HELO--> ready --MAIL--> mail --DATA, message--> ready
 *       ^                    ^               |
 *       +-- STARTTLS         +--- RSET ------+   (EHLO too)
 *
 * What another role has to say first is a question: the session stays as it
 * is until the answer comes, and nothing else happens to it meanwhile.
 *
 * Invariant: only in `mail` are there a sender and recipients, and every
 * recipient in it was accepted by resolve in this transaction.
 */
import type { SmtpReply } from "../core/reply.ts";
import { smtpReply } from "../core/reply.ts";
import type { Mailbox } from "../core/shapes.ts";
import type { Command } from "./command.ts";
import type { Spoilt } from "./data_reader.ts";
import type { LineFault } from "./line_reader.ts";
import {
  commandFaultReply,
  lineFaultReply,
  REPLIES,
  spoiltReply,
} from "./replies.ts";

/** Refusals that a session may earn before it is closed. */
export const MAX_ERRORS = 20;
/** Commands without MAIL, RCPT or DATA between them. */
export const MAX_JUNK = 100;

/** A transaction under way. */
export interface Transaction {
  /** Empty for `<>`. */
  readonly reversePath: string;
  readonly bodyType: "7bit" | "8bitmime";
  /** Without duplicates, in order. */
  readonly recipients: readonly string[];
  /** RCPT commands so far, refused ones included. */
  readonly attempts: number;
  /** What becomes of the message when it is complete. */
  readonly effect: Effect;
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
  | { readonly about: "recipient"; readonly address: string };

/** What came of a question. */
export type Answer =
  | { readonly is: "granted"; readonly effect: Effect }
  | {
    readonly is: "denied";
    readonly reply: SmtpReply;
    /** The connection ends with it. */
    readonly closes: boolean;
  };

/** Who the client says it is. */
export interface Hello {
  readonly helo: string;
  readonly esmtp: boolean;
}

/** What a session keeps whatever its state. */
export interface Lasting {
  /** Inside TLS. */
  readonly secured: boolean;
  /** Who logged in; only ever inside TLS. */
  readonly login: Mailbox | undefined;
  readonly errors: number;
  readonly junk: number;
}

/** One session; each state holds only what is true in it. */
export type Session =
  & Lasting
  & (
    | { readonly at: "start" }
    | { readonly at: "ready"; readonly hello: Hello }
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
}

/** What became of a message after CRLF.CRLF. */
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
  | {
    readonly is: "answer";
    readonly question: Question;
    readonly answer: Answer;
  }
  /** The spool takes no message now; 354 was not written. */
  | { readonly is: "no-store" }
  | { readonly is: "message"; readonly end: MessageEnd }
  /** The TLS handshake is complete. */
  | { readonly is: "secured" };

/** What is to be done. Exactly one event comes of all but reply and close. */
export type Action =
  | { readonly do: "reply"; readonly reply: SmtpReply }
  /** Reply, then close the connection. */
  | { readonly do: "close"; readonly reply: SmtpReply }
  /** Ask, and read no further command meanwhile; `answer` follows. */
  | { readonly do: "ask"; readonly question: Question }
  /** Open a store, write 354 and read; `message` or `no-store` follows. */
  | { readonly do: "read-message" }
  /** Stop reading, write 220, shake hands; `secured` follows. */
  | { readonly do: "start-tls" }
  | { readonly do: "nothing" };

/** A session and what to do now. */
export type Step = readonly [Session, Action];

/** A session that was just opened. */
export const NEW_SESSION: Session = {
  at: "start",
  secured: false,
  login: undefined,
  errors: 0,
  junk: 0,
};

/** The greeting, RFC 5321 §4.3.1. */
export function greeting(rules: Rules): SmtpReply {
  return { code: 220, lines: [`${rules.hostname} ESMTP Bulkhead`] };
}

/** The one transition function. */
export function step(session: Session, event: Event, rules: Rules): Step {
  const [next, action] = transition(session, event, rules);
  if (action.do !== "reply" || action.reply.code < 500) return [next, action];
  const errors = next.errors + 1;
  return errors > MAX_ERRORS
    ? [next, close(REPLIES.tooManyErrors)]
    : [{ ...next, errors }, action];
}

function transition(session: Session, event: Event, rules: Rules): Step {
  switch (event.is) {
    case "line-fault":
      return [session, reply(lineFaultReply(event.fault))];
    case "command":
      return event.moreFollows && mustBeLast(event.command, rules, session)
        ? [session, close(REPLIES.outOfStep)]
        : onCommand(session, event.command, rules);
    case "answer":
      return onAnswer(session, event.question, event.answer);
    case "no-store":
      return [toReady(session), reply(REPLIES.cannotStore)];
    case "message":
      return onMessage(toReady(session), event.end);
    case "secured":
      // RFC 3207 §4.2: all knowledge from before TLS is discarded.
      return [{ ...NEW_SESSION, errors: session.errors, secured: true }, {
        do: "nothing",
      }];
  }
}

/**
 * RFC 2920 §3.1 and RFC 3207 §4: a client waits for the reply to these two.
 * What was sent without waiting is an attack or a broken client, and would be
 * read as something that it was not meant to be.
 */
function mustBeLast(command: Command, rules: Rules, session: Session): boolean {
  return command.is === "data" ||
    (command.is === "starttls" && rules.offersTls && !session.secured);
}

function onCommand(session: Session, command: Command, rules: Rules): Step {
  switch (command.is) {
    case "faulty":
      return [session, reply(commandFaultReply(command.fault))];
    case "foreign":
      return [session, close(REPLIES.notOffered)];
    case "ehlo":
    case "helo":
      return junk(session, () => onHello(session, command, rules));
    case "mail":
      return onMail(session, command, rules);
    case "rcpt": {
      const path = command.path;
      // RFC 5321 §4.5.1: postmaster without a domain is ours.
      const address = path.kind === "address"
        ? path.address
        : `postmaster@${rules.hostname.toLowerCase()}`;
      return onRcpt(session, address, rules);
    }
    case "data":
      return onData(session);
    case "rset":
      return junk(session, () => [toReady(session), reply(REPLIES.ok)]);
    case "noop":
      return junk(session, () => [session, reply(REPLIES.ok)]);
    case "vrfy":
      return junk(session, () => [session, reply(REPLIES.cannotVerify)]);
    case "help":
      return junk(session, () => [session, reply(REPLIES.help)]);
    case "expn":
    case "auth":
      return [session, reply(REPLIES.notOffered)];
    case "quit":
      return [session, close(REPLIES.bye)];
    case "starttls":
      return onStartTls(session, rules);
  }
}

function onHello(
  session: Session,
  command: { is: "ehlo" | "helo"; helo: string },
  rules: Rules,
): Step {
  const esmtp = command.is === "ehlo";
  const hello = { helo: command.helo, esmtp };
  const lines = [rules.hostname];
  if (esmtp) {
    lines.push("PIPELINING", `SIZE ${rules.maxMessageBytes}`, "8BITMIME");
    lines.push("ENHANCEDSTATUSCODES");
    if (rules.offersTls && !session.secured) lines.push("STARTTLS");
    lines.push("HELP");
  }
  // RFC 5321 §4.1.4: EHLO clears a transaction as RSET does.
  return [{ at: "ready", hello, ...lasting(session) }, {
    do: "reply",
    reply: { code: 250, lines },
  }];
}

function onMail(
  session: Session,
  command: Command & { is: "mail" },
  rules: Rules,
): Step {
  if (session.at === "start") return [session, reply(REPLIES.sayHelloFirst)];
  if (session.at === "mail") return [session, reply(REPLIES.nestedMail)];
  if (rules.takesLogins && session.login === undefined) {
    // RFC 3207 §4 and RFC 4954 §6 have the same code for both.
    const { loginFirst, tlsFirst } = REPLIES;
    return [session, reply(session.secured ? loginFirst : tlsFirst)];
  }
  // RFC 1870 §6.1.
  if ((command.sizeBytes ?? 0) > rules.maxMessageBytes) {
    return [session, reply(REPLIES.tooLarge)];
  }
  const { reversePath, bodyType } = command;
  const mail: Transaction = {
    reversePath,
    bodyType,
    recipients: [],
    attempts: 0,
    effect: "deliver",
  };
  return [session, { do: "ask", question: { about: "sender", mail } }];
}

function onRcpt(session: Session, address: string, rules: Rules): Step {
  if (session.at !== "mail") return [session, reply(REPLIES.needMail)];
  const attempts = session.mail.attempts + 1;
  const mail = { ...session.mail, attempts };
  const next = { ...session, mail };
  // RFC 5321 §4.5.3.1.10 lets a client overshoot; not for ever.
  if (attempts > 2 * rules.maxRecipients) {
    return [next, close(REPLIES.tooManyErrors)];
  }
  if (mail.recipients.includes(address)) {
    return [next, reply(REPLIES.recipientOk)];
  }
  return mail.recipients.length >= rules.maxRecipients
    ? [next, reply(REPLIES.tooManyRecipients)]
    : [next, { do: "ask", question: { about: "recipient", address } }];
}

function onAnswer(
  session: Session,
  question: Question,
  answer: Answer,
): Step {
  if (answer.is === "denied") {
    const { closes, reply } = answer;
    return [session, { do: closes ? "close" : "reply", reply }];
  }
  switch (question.about) {
    case "sender": {
      if (session.at !== "ready") throw outOfPlace(session, question);
      const mail = withEffect(question.mail, answer.effect);
      return [
        { ...session, at: "mail", mail, junk: 0 },
        reply(REPLIES.senderOk),
      ];
    }
    case "recipient": {
      if (session.at !== "mail") throw outOfPlace(session, question);
      const recipients = [...session.mail.recipients, question.address];
      const mail = withEffect({ ...session.mail, recipients }, answer.effect);
      return [{ ...session, mail, junk: 0 }, reply(REPLIES.recipientOk)];
    }
  }
}

function outOfPlace(session: Session, { about }: Question): RangeError {
  return new RangeError(`Cannot take a ${about} answer at ${session.at}`);
}

const EFFECTS: readonly Effect[] = ["deliver", "hold", "discard"];

function withEffect(mail: Transaction, effect: Effect): Transaction {
  const isStronger = EFFECTS.indexOf(effect) > EFFECTS.indexOf(mail.effect);
  return isStronger ? { ...mail, effect } : mail;
}

function onData(session: Session): Step {
  if (session.at !== "mail") return [session, reply(REPLIES.needMail)];
  if (session.mail.recipients.length === 0) {
    return [session, reply(REPLIES.needRecipient)];
  }
  return [{ ...session, junk: 0 }, { do: "read-message" }];
}

function onMessage(session: Session, end: MessageEnd): Step {
  switch (end.is) {
    case "taken": {
      const text = `Ok: queued as ${end.queueId}`;
      return [
        { ...session, errors: 0, junk: 0 },
        reply(smtpReply(250, "2.0.0", text)),
      ];
    }
    case "full":
      return [session, reply(REPLIES.full)];
    case "failed":
      return [session, reply(REPLIES.cannotStore)];
    case "too-large":
      return [session, reply(REPLIES.tooLarge)];
    case "loop":
      return [session, reply(REPLIES.loop)];
    case "spoilt":
      // Closed: who smuggles once has more behind it.
      return [session, close(spoiltReply(end.why))];
  }
}

function onStartTls(session: Session, rules: Rules): Step {
  if (session.secured) return [session, reply(REPLIES.tlsActive)];
  if (!rules.offersTls) return [session, reply(REPLIES.notOffered)];
  return [session, { do: "start-tls" }];
}

/** Ends a transaction, if there is one. */
function toReady(session: Session): Session {
  if (session.at !== "mail") return session;
  return { at: "ready", hello: session.hello, ...lasting(session) };
}

function lasting({ secured, login, errors, junk }: Session): Lasting {
  return { secured, login, errors, junk };
}

/** Does what costs nothing and brings no mail, a bounded number of times. */
function junk(session: Session, then: () => Step): Step {
  if (session.junk >= MAX_JUNK) {
    return [session, close(REPLIES.tooManyCommands)];
  }
  const [next, action] = then();
  return [{ ...next, junk: session.junk + 1 }, action];
}

function reply(what: SmtpReply): Action {
  return { do: "reply", reply: what };
}

function close(what: SmtpReply): Action {
  return { do: "close", reply: what };
}
