/**
 * Puts a session's questions to the roles behind smtpd, and makes the answers
 * into what the session understands. The one place that knows both; also the
 * one that counts and logs why somebody was denied.
 *
 * In doubt a question is denied for now: a role that does not answer is 4xx.
 */
import type { Check } from "../core/intake.ts";
import { addressOfMailbox, type Mailbox } from "../core/shapes.ts";
import type { LogValue } from "../core/log.ts";
import type { SmtpReply } from "../core/reply.ts";
import type { Backend, LoginBackend } from "./backend.ts";
import type { DoorRefusal } from "./door_refusals.ts";
import type { Guard } from "./guard.ts";
import { REPLIES } from "./replies.ts";
import type { SaslQuestion } from "./sasl_step.ts";
import type { Answer, Question, Session } from "./session.ts";

/** In whose name is asked. */
export interface Asking {
  readonly backend: Backend;
  /** As it is when it asks. */
  readonly session: Session;
  /** Undefined if there is nothing to ask the gate for. */
  readonly guard: Guard | undefined;
  readonly count: (name: string) => void;
  /** Told of mail that is refused, for the history. */
  readonly refused: (what: DoorRefusal) => void;
  readonly log: (event: string, fields: Record<string, LogValue>) => void;
}

/** Asks. An answer that needs nobody else comes at once. */
export function ask(
  question: Question,
  asking: Asking,
): Answer | Promise<Answer> {
  switch (question.about) {
    case "sender":
      // Nobody has a say in it: most mail of trusted clients.
      return asking.guard === undefined && asking.session.login === undefined
        ? GRANTED
        : askSender(question.mail.reversePath, asking);
    case "recipient":
      return askRecipient(question.address, asking);
    case "flush":
      return askFlush(question, asking);
    case "login":
      return askLogin(question.question, asking);
  }
}

const GRANTED = {
  is: "granted",
  effect: "deliver",
} as const satisfies Answer;

/** What resolve said of a recipient, for the history. */
function recipientCheck(
  address: string,
  targets: readonly { readonly kind: string }[],
): Check {
  const [target, another] = targets;
  const where = another !== undefined
    ? `goes to ${targets.length} places`
    : target?.kind === "remote"
    ? "goes to another server"
    : "has its mailbox here";
  return {
    what: "recipient",
    said: "passed",
    evidence: `${address} ${where}`.slice(0, 300),
  };
}

async function askSender(address: string, asking: Asking): Promise<Answer> {
  const { login } = asking.session;
  const answer = login === undefined
    ? GRANTED
    : await askOwner(address, login, asking);
  return andGate(answer, asking, { reversePath: address, recipient: "" });
}

/** What the gate says, of what nobody else has denied. */
async function andGate(
  answer: Answer & { is: "granted" | "denied" },
  { guard, session }: Asking,
  path: { reversePath: string; recipient: string },
): Promise<Answer> {
  if (guard === undefined || answer.is === "denied") return answer;
  const { login } = session;
  const stage = path.recipient === "" ? "sender" : "recipient";
  const judged = await guard.judge(stage, {
    ...path,
    helo: session.at === "start" ? "" : session.hello.helo,
    login: login === undefined ? "" : addressOfMailbox(login),
  });
  return judged.is === "granted"
    ? { ...judged, checks: [...answer.checks ?? [], ...judged.checks ?? []] }
    : judged;
}

async function askLogin(
  question: SaslQuestion,
  asking: Asking,
): Promise<Answer> {
  return { is: "login", answer: await loginBackend(asking).login(question) };
}

/** RFC 6409 §6.1. `<>` is anybody's: read receipts must have it. */
async function askOwner(
  address: string,
  login: Mailbox,
  asking: Asking,
): Promise<Answer & { is: "granted" | "denied" }> {
  if (address === "") return GRANTED;
  const reply = await loginBackend(asking).sender(address, login);
  if (reply.kind === "answered") return GRANTED;
  const why = reply.kind === "refused" ? reply.refusal : "failed";
  asking.refused({
    rule: why === "failed" ? "cannot-check" : why,
    reversePath: address,
    recipient: "",
    reply: SENDER_REPLIES[why],
    evidence: `logged in as ${addressOfMailbox(login)}`,
  });
  asking.count(`senders-${why}`);
  asking.log("sender-refused", {
    from: address,
    login: addressOfMailbox(login),
    why,
  });
  return { is: "denied", reply: SENDER_REPLIES[why], closes: false };
}

const SENDER_REPLIES = {
  "not-yours": REPLIES.notYourSender,
  failed: REPLIES.cannotCheckSender,
} as const satisfies Record<string, SmtpReply>;

function loginBackend({ backend }: Asking): LoginBackend {
  if (backend.forLogins === undefined) {
    throw new RangeError("Cannot ask for a login: nobody can log in here");
  }
  return backend.forLogins;
}

async function askRecipient(address: string, asking: Asking): Promise<Answer> {
  const { backend, guard, session } = asking;
  // Before it is said who is here: who failed a test need not know.
  const refusal = session.login === undefined ? guard?.refusal : undefined;
  if (refusal !== undefined) {
    asking.count("recipients-screened");
    asking.log("recipient-refused", { to: address, why: refusal.rule });
    guard?.refused(refusal.rule, session, address);
    return { is: "denied", reply: refusal.reply, closes: refusal.closes };
  }
  const reply = session.login === undefined
    ? await backend.recipient(address)
    : await loginBackend(asking).relay(address);
  const reversePath = session.at === "mail" ? session.mail.reversePath : "";
  if (reply.kind === "answered") {
    const { targets } = reply.answer;
    const answer = { ...GRANTED, checks: [recipientCheck(address, targets)] };
    return andGate(answer, asking, { reversePath, recipient: address });
  }
  const why = reply.kind === "refused" ? reply.refusal : "failed";
  asking.refused({
    rule: why === "failed" ? "cannot-check" : why,
    reversePath,
    recipient: address,
    reply: RECIPIENT_REPLIES[why],
    evidence: "",
  });
  asking.count(`recipients-${why}`);
  asking.log("recipient-refused", { to: address, why });
  return { is: "denied", reply: RECIPIENT_REPLIES[why], closes: false };
}

async function askFlush(
  { domain, andBelow }: Question & { about: "flush" },
  asking: Asking,
): Promise<Answer> {
  const flush = await asking.backend.flush(domain, andBelow);
  asking.count(`etrn-${flush}`);
  switch (flush) {
    case "started":
      return GRANTED;
    case "not-ours":
      return { is: "denied", reply: REPLIES.flushDenied, closes: false };
    case "failed":
      return { is: "denied", reply: REPLIES.cannotFlush, closes: false };
  }
}

const RECIPIENT_REPLIES = {
  "unknown-recipient": REPLIES.unknownRecipient,
  "relay-denied": REPLIES.relayDenied,
  "alias-loop": REPLIES.aliasLoop,
  failed: REPLIES.cannotResolve,
} as const satisfies Record<string, SmtpReply>;
