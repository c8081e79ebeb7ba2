/**
 * AUTH in a session (RFC 4954): when it is allowed, and what each end of an
 * exchange means for the session. The exchange itself is `sasl.ts`.
 *
 *     ready --AUTH--> auth --response, auth's answer--> ready
 */
import type { SmtpReply } from "../core/reply.ts";
import type { Command } from "./command.ts";
import type { LineFault } from "./line_reader.ts";
import { lineFaultReply, REPLIES, saslReply } from "./replies.ts";
import { begin, mechanismsOn, onAnswer, onLine } from "./sasl.ts";
import type {
  SaslAnswer,
  SaslChannel,
  SaslFault,
  SaslState,
  SaslStep,
} from "./sasl_step.ts";
import { lasting, type Rules, type Session, type Step } from "./session.ts";

/** Wrong passwords that a session may give; the last one closes it. */
export const MAX_LOGIN_FAILURES = 3;

type Auth = Session & { readonly at: "auth" };

/** The line of EHLO; undefined where nobody can log in (now). */
export function authOffer(session: Session, rules: Rules): string | undefined {
  return rules.takesLogins && session.secured && session.login === undefined
    ? `AUTH ${mechanismsOn(channelOf(session, rules)).join(" ")}`
    : undefined;
}

/** AUTH, with or without an initial response. */
export function onAuth(
  session: Session,
  command: Command & { is: "auth" },
  rules: Rules,
): Step {
  if (!rules.takesLogins) return refuse(session, REPLIES.notOffered);
  if (session.at === "start") return refuse(session, REPLIES.sayHelloFirst);
  // RFC 4954 §4: once, and between transactions.
  if (session.at === "mail") return refuse(session, REPLIES.authInMail);
  if (session.login !== undefined) return refuse(session, REPLIES.loggedIn);
  if (!session.secured) return refuse(session, REPLIES.authNeedsTls);
  const { mechanism, initial } = command;
  const channel = channelOf(session, rules);
  return next(session, begin({ mechanism, initial, channel }));
}

/** A line of the exchange came. */
export function onResponse(session: Session, line: string): Step {
  return next(session, onLine(exchangeOf(session), line));
}

/** The role auth has answered. */
export function onLoginAnswer(session: Session, answer: SaslAnswer): Step {
  return next(session, onAnswer(exchangeOf(session), answer));
}

/**
 * A line of the exchange could not be read: it is over. One that is too long
 * has a code of its own here, RFC 4954 §6.
 */
export function onResponseFault(session: Auth, fault: LineFault): Step {
  return [
    { at: "ready", hello: session.hello, ...lasting(session) },
    {
      do: "reply",
      reply: fault === "too-long"
        ? saslReply("too-long")
        : lineFaultReply(fault),
    },
  ];
}

function next(session: Session, [sasl, action]: SaslStep): Step {
  if (session.at === "start") throw new RangeError("Cannot log in: no EHLO");
  const { hello } = session;
  const ready: Session = { at: "ready", hello, ...lasting(session) };
  switch (action.do) {
    case "say":
    case "ask": {
      if (sasl === null) throw new RangeError("Cannot go on: it is over");
      const auth: Session = { at: "auth", hello, sasl, ...lasting(session) };
      return [
        auth,
        action.do === "ask"
          ? {
            do: "ask",
            question: { about: "login", question: action.question },
          }
          : { do: "reply", reply: { code: 334, lines: [action.challenge] } },
      ];
    }
    case "grant":
      return [
        { ...ready, login: action.granted.mailbox, errors: 0, junk: 0 },
        { do: "reply", reply: REPLIES.loggedInNow },
      ];
    case "fail":
      return fail(ready, action);
  }
}

function fail(
  session: Session,
  { fault, why }: { readonly fault: SaslFault; readonly why: string },
): Step {
  const reply = saslReply(fault);
  if (fault !== "denied") return [session, { do: "reply", reply, why }];
  const loginFailures = session.loginFailures + 1;
  const after = { ...session, loginFailures };
  return loginFailures >= MAX_LOGIN_FAILURES
    ? [after, { do: "close", reply: REPLIES.tooManyLogins, why }]
    : [after, { do: "reply", reply, why }];
}

function refuse(session: Session, reply: SmtpReply): Step {
  return [session, { do: "reply", reply }];
}

function exchangeOf(session: Session): SaslState {
  if (session.at !== "auth") {
    throw new RangeError(`Cannot go on with a login at ${session.at}`);
  }
  return session.sasl;
}

function channelOf(session: Session, { endPoint }: Rules): SaslChannel {
  return { client: session.client, endPoint };
}
