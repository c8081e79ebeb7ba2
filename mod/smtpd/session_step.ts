/**
 * What becomes of a session: (session, event) -> (session, action). No I/O and
 * no clock, so every dialog can be told in a test. `session.ts` has the states.
 */
import { utf8Length } from "../core/international.ts";
import { MAX_CHECKS } from "../core/intake.ts";
import { type SmtpReply, smtpReply } from "../core/reply.ts";
import type { RecipientWishes } from "../core/shapes.ts";
import type { Command, MailCommand, RcptCommand } from "./command.ts";
import type { ParameterName } from "./parameters.ts";
import {
  authOffer,
  onAuth,
  onLoginAnswer,
  onResponse,
  onResponseFault,
} from "./session_login.ts";
import {
  chunkReply,
  commandFaultReply,
  lineFaultReply,
  REPLIES,
  spoiltReply,
} from "./replies.ts";
import { type Introduced, XCLIENT_ATTRIBUTES } from "./xclient.ts";

import {
  type Action,
  type Answer,
  type Effect,
  type Event,
  lasting,
  type MessageEnd,
  NEW_SESSION,
  type Question,
  type Rules,
  type Session,
  type Step,
  type Transaction,
} from "./session.ts";

/** Refusals that a session may earn before it is closed. */
export const MAX_ERRORS = 20;
/** Commands without MAIL, RCPT or DATA between them. */
export const MAX_JUNK = 100;
/** MAIL commands that are taken, RFC 9422 §4.1; announced as MAILMAX. */
export const MAX_MAILS = 10_000;
/**
 * Octets of recipients, as JSON, that an envelope may have: they go to the
 * queue in one frame of 262,144.
 */
export const MAX_ENVELOPE = 240_000;

/** The one transition function. */
export function step(session: Session, event: Event, rules: Rules): Step {
  const [next, action] = transition(session, event, rules);
  const isReply = action.do === "reply" || action.do === "skip-chunk";
  if (!isReply || action.reply.code < 500) return [next, action];
  const errors = next.errors + 1;
  return errors > MAX_ERRORS
    ? [next, close(REPLIES.tooManyErrors)]
    : [{ ...next, errors }, action];
}

function transition(session: Session, event: Event, rules: Rules): Step {
  switch (event.is) {
    case "line-fault":
      return session.at === "auth"
        ? onResponseFault(session, event.fault)
        : [session, reply(lineFaultReply(event.fault))];
    case "response":
      return onResponse(session, event.line);
    case "command":
      return event.moreFollows && mustBeLast(event.command, rules, session)
        ? [session, close(REPLIES.outOfStep)]
        : onCommand(session, event.command, rules);
    case "answer":
      return onAnswer(session, event.question, event.answer);
    case "no-store":
      return [toReady(session), reply(REPLIES.cannotStore)];
    case "chunk":
      return [session, reply(chunkReply(event.sizeBytes))];
    case "message":
      return onMessage(toReady(session), event.end);
    case "secured":
      // RFC 3207 §4.2: all knowledge from before TLS is discarded.
      return [onSecured(session), { do: "nothing" }];
  }
}

/** What the client is, and has cost us, is not its to take back. */
function onSecured(session: Session): Session {
  const { client, errors, loginFailures, mails } = session;
  return {
    ...NEW_SESSION,
    client,
    errors,
    loginFailures,
    mails,
    secured: true,
  };
}

/**
 * RFC 2920 §3.1 and RFC 3207 §4: a client waits for the reply to these, and to
 * XCLIENT, after which it is another client. What was sent without waiting is
 * an attack or a broken client, and would be read as something that it was not
 * meant to be.
 */
function mustBeLast(command: Command, rules: Rules, session: Session): boolean {
  return command.is === "data" ||
    (command.is === "xclient" && rules.takesXclient === true) ||
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
    case "rcpt":
      return onRcpt(session, command, rules);
    case "data":
      return onData(session);
    case "bdat":
      return onBdat(session, command, rules);
    case "bad-bdat":
      return [session, close(REPLIES.badChunkSize)];
    case "etrn":
      return junk(session, () => onEtrn(session, command, rules));
    case "xclient":
      return onXclient(session, command.as, rules);
    case "rset":
      return junk(session, () => [toReady(session), reply(REPLIES.ok)]);
    case "noop":
      return junk(session, () => [session, reply(REPLIES.ok)]);
    case "vrfy":
      return junk(session, () => [session, reply(REPLIES.cannotVerify)]);
    case "help":
      return junk(session, () => [session, reply(REPLIES.help)]);
    case "auth":
      return junk(session, () => onAuth(session, command, rules));
    case "expn":
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
    lines.push("SMTPUTF8", "CHUNKING", "BINARYMIME", "DSN", "ETRN");
    lines.push("ENHANCEDSTATUSCODES");
    lines.push(`LIMITS MAILMAX=${MAX_MAILS} RCPTMAX=${rules.maxRecipients}`);
    if (rules.offersTls && !session.secured) lines.push("STARTTLS");
    if (session.secured) lines.push("REQUIRETLS");
    const offer = authOffer(session, rules);
    if (offer !== undefined) lines.push(offer);
    if (rules.takesLogins && session.secured) lines.push("XVERP");
    if (rules.takesXclient) lines.push(`XCLIENT ${XCLIENT_ATTRIBUTES}`);
    lines.push("HELP");
  }
  // RFC 5321 §4.1.4: EHLO clears a transaction as RSET does.
  return [{ at: "ready", hello, ...lasting(session) }, {
    do: "reply",
    reply: { code: 250, lines },
  }];
}

/** What a stranger hears where only logins are served. */
function mustLogIn(session: Session, rules: Rules): SmtpReply | undefined {
  if (!rules.takesLogins || session.login !== undefined) return undefined;
  // RFC 3207 §4 and RFC 4954 §6 have the same code for both.
  return session.secured ? REPLIES.loginFirst : REPLIES.tlsFirst;
}

/** Why the parameters of a command are not to be used in this session. */
function notOffered(
  session: Exclude<Session, { at: "start" }>,
  names: readonly ParameterName[],
  { takesLogins }: Pick<Rules, "takesLogins">,
): SmtpReply | undefined {
  // RFC 5321 §4.1.1.11: HELO offered none.
  if (!session.hello.esmtp && names.length > 0) {
    return REPLIES.parameterNotOffered;
  }
  // A stranger is not to have copies leave with addresses of our making.
  if (!takesLogins && names.includes("XVERP")) {
    return REPLIES.parameterNotOffered;
  }
  return !session.secured && names.includes("REQUIRETLS")
    ? REPLIES.requireTlsInClear
    : undefined;
}

function onMail(session: Session, command: MailCommand, rules: Rules): Step {
  if (session.at === "start") return [session, reply(REPLIES.sayHelloFirst)];
  if (session.at === "mail") return [session, reply(REPLIES.nestedMail)];
  const stranger = mustLogIn(session, rules);
  if (stranger !== undefined) return [session, reply(stranger)];
  if (session.mails >= MAX_MAILS) return [session, close(REPLIES.tooManyMails)];
  const fault = notOffered(session, command.names, rules);
  if (fault !== undefined) return [session, reply(fault)];
  if (command.wishes.verp !== "" && command.reversePath === "") {
    return [session, reply(REPLIES.verpNeedsSender)];
  }
  // RFC 1870 §6.1.
  if ((command.sizeBytes ?? 0) > rules.maxMessageBytes) {
    return [session, reply(REPLIES.tooLarge)];
  }
  const { reversePath, bodyType, wishes } = command;
  const mail: Transaction = {
    reversePath,
    bodyType,
    wishes,
    recipients: [],
    recipientWishes: [],
    envelopeBytes: 0,
    attempts: 0,
    chunkBytes: undefined,
    effect: "deliver",
    checks: [],
  };
  return [session, { do: "ask", question: { about: "sender", mail } }];
}

function onRcpt(session: Session, command: RcptCommand, rules: Rules): Step {
  if (session.at !== "mail") return [session, reply(REPLIES.needMail)];
  if (session.mail.chunkBytes !== undefined) {
    return [session, reply(REPLIES.chunksBegun)];
  }
  const fault = notOffered(session, command.names, rules);
  if (fault !== undefined) return [session, reply(fault)];
  const { path, wishes } = command;
  // RFC 5321 §4.5.1: postmaster without a domain is ours.
  const address = path.kind === "address"
    ? path.address
    : `postmaster@${rules.hostname.toLowerCase()}`;
  const attempts = session.mail.attempts + 1;
  const mail = { ...session.mail, attempts };
  const next = { ...session, mail };
  // RFC 5321 §4.5.3.1.10 lets a client overshoot; not for ever.
  if (attempts > 2 * rules.maxRecipients) {
    return [next, close(REPLIES.farTooManyRecipients)];
  }
  if (mail.recipients.includes(address)) {
    return [next, reply(REPLIES.recipientOk)];
  }
  const isFull = mail.recipients.length >= rules.maxRecipients ||
    mail.envelopeBytes + envelopeBytes(address, wishes) > MAX_ENVELOPE;
  return isFull
    ? [next, reply(REPLIES.tooManyRecipients)]
    : [next, { do: "ask", question: { about: "recipient", address, wishes } }];
}

/** What a recipient takes of an envelope, with its commas. */
function envelopeBytes(address: string, wishes: RecipientWishes): number {
  return utf8Length(JSON.stringify(address) + JSON.stringify(wishes)) + 2;
}

function onAnswer(
  session: Session,
  question: Question,
  answer: Answer,
): Step {
  if (answer.is === "login") return onLoginAnswer(session, answer.answer);
  if (answer.is === "denied") {
    const { closes, reply } = answer;
    const denied: Step = [session, { do: closes ? "close" : "reply", reply }];
    // One that is put off earns no error, and asks us each time all the same.
    return question.about === "sender" ? junk(session, () => denied) : denied;
  }
  switch (question.about) {
    case "sender": {
      if (session.at !== "ready") throw outOfPlace(session, question);
      const mail = granted(question.mail, answer);
      return [
        { ...session, at: "mail", mail, junk: 0, mails: session.mails + 1 },
        reply(REPLIES.senderOk),
      ];
    }
    case "recipient": {
      if (session.at !== "mail") throw outOfPlace(session, question);
      const { mail } = session;
      const { address, wishes } = question;
      const more = {
        ...mail,
        recipients: [...mail.recipients, address],
        recipientWishes: [...mail.recipientWishes, wishes],
        envelopeBytes: mail.envelopeBytes + envelopeBytes(address, wishes),
      };
      return [
        { ...session, mail: granted(more, answer), junk: 0 },
        reply(REPLIES.recipientOk),
      ];
    }
    case "flush":
      return [session, reply(REPLIES.flushStarted)];
    case "login":
      throw outOfPlace(session, question);
  }
}

function outOfPlace(session: Session, { about }: Question): RangeError {
  return new RangeError(`Cannot take a ${about} answer at ${session.at}`);
}

const EFFECTS: readonly Effect[] = ["deliver", "hold", "discard"];

function granted(
  mail: Transaction,
  { effect, checks = [] }: Answer & { is: "granted" },
): Transaction {
  const isStronger = EFFECTS.indexOf(effect) > EFFECTS.indexOf(mail.effect);
  if (!isStronger && checks.length === 0) return mail;
  return {
    ...mail,
    effect: isStronger ? effect : mail.effect,
    checks: mail.checks.length >= MAX_CHECKS
      ? mail.checks
      : [...mail.checks, ...checks].slice(0, MAX_CHECKS),
  };
}

function onData(session: Session): Step {
  if (session.at !== "mail") return [session, reply(REPLIES.needMail)];
  if (session.mail.recipients.length === 0) {
    return [session, reply(REPLIES.needRecipient)];
  }
  if (session.mail.chunkBytes !== undefined) {
    return [session, reply(REPLIES.chunksBegun)];
  }
  if (session.mail.bodyType === "binarymime") {
    return [session, reply(REPLIES.binaryNeedsChunks)];
  }
  return [{ ...session, junk: 0 }, { do: "read-message" }];
}

/**
 * RFC 3030 §2. A chunk that makes the message too large ends the transaction,
 * so the chunks behind it, which a client may have sent already, belong to
 * nothing and are skipped one by one.
 */
function onBdat(
  session: Session,
  { sizeBytes, last }: Command & { is: "bdat" },
  rules: Rules,
): Step {
  const skip = (next: Session, reply: SmtpReply): Step => [
    next,
    { do: "skip-chunk", sizeBytes, reply },
  ];
  if (sizeBytes > 2 * rules.maxMessageBytes) {
    return [session, close(REPLIES.farTooLarge)];
  }
  if (session.at === "start") return skip(session, REPLIES.sayHelloFirst);
  if (!session.hello.esmtp) return skip(session, REPLIES.notOffered);
  if (session.at !== "mail") return skip(session, REPLIES.chunkOfNothing);
  if (session.mail.recipients.length === 0) {
    return skip(session, REPLIES.needRecipient);
  }
  const chunkBytes = (session.mail.chunkBytes ?? 0) + sizeBytes;
  if (chunkBytes > rules.maxMessageBytes) {
    return skip(toReady(session), REPLIES.tooLarge);
  }
  const next = { ...session, mail: { ...session.mail, chunkBytes } };
  const read: Action = { do: "read-chunk", sizeBytes, last };
  // An empty chunk brings no mail nearer.
  return sizeBytes === 0 && !last
    ? junk(next, () => [next, read])
    : [{ ...next, junk: 0 }, read];
}

/** RFC 1985 §5: not before EHLO, and not during a transaction. */
function onEtrn(
  session: Session,
  { domain, andBelow }: Command & { is: "etrn" },
  rules: Rules,
): Step {
  if (session.at === "start") return [session, reply(REPLIES.sayHelloFirst)];
  const fault = mustLogIn(session, rules);
  if (fault !== undefined) return [session, reply(fault)];
  if (session.at === "mail") return [session, reply(REPLIES.etrnInMail)];
  if (!session.hello.esmtp) return [session, reply(REPLIES.notOffered)];
  // `#` names a queue; ours have no names.
  if (domain === "") return [session, reply(REPLIES.flushDenied)];
  return [session, {
    do: "ask",
    question: { about: "flush", domain, andBelow },
  }];
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

function onXclient(session: Session, as: Introduced, rules: Rules): Step {
  if (!rules.takesXclient) return [session, reply(REPLIES.notOffered)];
  if (session.at === "mail") return [session, reply(REPLIES.mailUnderWay)];
  return [session, { do: "become", as }];
}

/** Ends a transaction, if there is one. */
function toReady(session: Session): Session {
  if (session.at !== "mail") return session;
  return { at: "ready", hello: session.hello, ...lasting(session) };
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
