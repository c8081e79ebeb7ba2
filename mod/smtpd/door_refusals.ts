/**
 * Mail that is refused at the door by other rules than the gate's: told to the
 * gate, which keeps it with its own verdicts, so that "why was mail from x
 * refused?" has an answer. Pure.
 */
import type { SmtpReply } from "../core/reply.ts";
import type { AskOf } from "../ipc/call.ts";
import type { gateContract } from "../gate/gate_ipc.ts";
import type { Command } from "./command.ts";
import { REPLIES, spoiltReply } from "./replies.ts";
import type { MessageEnd, Session } from "./session.ts";

/** Recipients of one refused message that are told. */
const MAX_TOLD = 3;

/** One refusal. */
export interface DoorRefusal {
  /** Such as `unknown-recipient`. */
  readonly rule: string;
  readonly reversePath: string;
  /** Empty if it came before there was one. */
  readonly recipient: string;
  readonly reply: SmtpReply;
  readonly evidence: string;
}

/** A refusal as the gate is told it. */
export function refusedAsk(
  { rule, reversePath, recipient, reply, evidence }: DoorRefusal,
  about: { readonly client: string; readonly helo: string },
): AskOf<typeof gateContract.calls.refused> {
  const { code, enhanced = "", lines: [text = ""] } = reply;
  return {
    ...about,
    rule,
    reversePath,
    recipient,
    evidence: evidence.slice(0, 300),
    said: { code, enhanced, text: text.slice(0, 200) },
  };
}

/** What to tell of a MAIL that was refused. */
export function refusedMail(
  command: Command,
  reply: SmtpReply,
): DoorRefusal | undefined {
  if (command.is !== "mail" || reply.code < 500) return undefined;
  const rule = mailRule(reply);
  if (rule === undefined) return undefined;
  const { reversePath, sizeBytes } = command;
  const evidence = rule === "too-large"
    ? `it says that it has ${sizeBytes} octets`
    : "";
  return { rule, reversePath, recipient: "", reply, evidence };
}

function mailRule(reply: SmtpReply): string | undefined {
  if (reply === REPLIES.tooLarge) return "too-large";
  if (reply === REPLIES.loginFirst || reply === REPLIES.tlsFirst) {
    return "login-first";
  }
  return undefined;
}

/** What to tell of a message that was read and not taken. */
export function refusedMessage(
  session: Session,
  end: MessageEnd,
  sizeBytes: number,
): readonly DoorRefusal[] {
  if (session.at !== "mail" || end.is === "taken") return [];
  const { reversePath, recipients } = session.mail;
  const { rule, reply, evidence } = endOf(end, sizeBytes);
  return recipients.slice(0, MAX_TOLD)
    .map((recipient) => ({ rule, reversePath, recipient, reply, evidence }));
}

function endOf(
  end: Exclude<MessageEnd, { is: "taken" }>,
  sizeBytes: number,
): Pick<DoorRefusal, "rule" | "reply" | "evidence"> {
  switch (end.is) {
    case "too-large":
      return {
        rule: "too-large",
        reply: REPLIES.tooLarge,
        evidence: `${sizeBytes} octets came before it was cut off`,
      };
    case "loop":
      return {
        rule: "loop",
        reply: REPLIES.loop,
        evidence: "more Received fields than smtp.hop_limit",
      };
    case "full":
      return { rule: "full", reply: REPLIES.full, evidence: "" };
    case "failed":
      return { rule: "not-stored", reply: REPLIES.cannotStore, evidence: "" };
    case "spoilt":
      return {
        rule: "bad-content",
        reply: spoiltReply(end.why),
        evidence: end.why,
      };
  }
}
