/**
 * One mail transaction as a value: MAIL, RCPT, DATA, content, the final dot.
 * Pure: a reply goes in, the next state and what to do come out.
 *
 * With PIPELINING (RFC 2920) the envelope and DATA leave together and the
 * replies are matched in order; without, one command at a time. A recipient
 * is `delivered` only on a 2xx to the final dot. A BINARYMIME message goes as
 * one BDAT chunk instead (RFC 3030), when somebody is to receive it.
 */
import { type Outcome, ownOutcome } from "../core/outcome.ts";
import type {
  MessageWishes,
  Protocol,
  RecipientWishes,
} from "../core/shapes.ts";
import { mailParameters, recipientParameters } from "./dsn_parameters.ts";
import { noRequireTls, type Peer } from "./opening.ts";
import { isInternational, isSendable } from "./path.ts";
import type { Reply } from "./reply.ts";
import { meaningOf, outcomeOf, softened, troubleOutcome } from "./verdict.ts";

/** What is to be sent. */
export interface Mail {
  readonly reversePath: string;
  readonly recipients: readonly string[];
  readonly sizeBytes: number;
  /** True if the content really has octets above 127. */
  readonly eightBit: boolean;
  /** Why it cannot be had in 7 bits; undefined if nobody had to ask. */
  readonly noSevenBit?: string | undefined;
  readonly bodyType: "7bit" | "8bitmime" | "binarymime";
  readonly wishes: MessageWishes;
  /** One a recipient, in their order; empty if none of them has any. */
  readonly recipientWishes: readonly RecipientWishes[];
  /** True if the content has header lines beyond ASCII, RFC 6532. */
  readonly internationalHeader: boolean;
}

type Step =
  | { readonly for: "mail" }
  | { readonly for: "rcpt"; readonly index: number }
  | { readonly for: "data" };

/** A transaction under way. */
export interface Transaction {
  /**
   * - `envelope`: replies to commands are awaited
   * - `final`: the final dot is sent, or about to be
   * - `void`: the same, for a DATA that nobody is to receive
   */
  readonly at: "envelope" | "final" | "void";
  readonly host: string;
  readonly pipelining: boolean;
  /** True if the server is told what the sender wants to hear of. */
  readonly dsn: boolean;
  /** Commands not answered yet, in order; without pipelining, mostly unsent. */
  readonly steps: readonly { readonly step: Step; readonly line: string }[];
  /** By recipient: its outcome, or undefined while it may still be delivered. */
  readonly outcomes: readonly (Outcome | undefined)[];
  /** True if each recipient has a reply of its own at the end, RFC 2033 §4.2. */
  readonly isLmtp: boolean;
  /** True if we logged in: who says that we must is confused, or we are. */
  readonly isLoggedIn: boolean;
}

/** What to do next. */
export type Action =
  | { readonly do: "send"; readonly lines: readonly string[] }
  | { readonly do: "wait" }
  /** Send the content and the final dot, to which so many replies are owed. */
  | { readonly do: "content"; readonly replies: number }
  | {
    readonly do: "done";
    readonly outcomes: readonly Outcome[];
    /** True if the session may carry another transaction. */
    readonly reusable: boolean;
    /** False if another host would risk a second copy. */
    readonly tryNext: boolean;
  };

/** Begins a transaction on a session that is ready. */
export function begin(
  mail: Mail,
  peer: Peer,
  to: { readonly host: string; readonly protocol: Protocol },
): [Transaction, Action] {
  const { host } = to;
  const blocked = blockedBy(mail, peer, host);
  const outcomes = mail.recipients.map((recipient) =>
    blocked ?? recipientFault(recipient, peer)
  );
  const steps: { step: Step; line: string }[] = [
    { step: { for: "mail" }, line: mailLine(mail, peer) },
  ];
  mail.recipients.forEach((recipient, index) => {
    if (outcomes[index] !== undefined) return;
    steps.push({
      step: { for: "rcpt", index },
      line: `RCPT TO:<${recipient}>${parametersOf(mail, index, peer)}`,
    });
  });
  const isEmpty = steps.length === 1;
  // RFC 3030 §4.2: BDAT is the content's own command, and goes with it.
  if (mail.bodyType !== "binarymime") {
    steps.push({ step: { for: "data" }, line: "DATA" });
  }
  const transaction: Transaction = {
    at: "envelope",
    host,
    pipelining: peer.pipelining,
    dsn: peer.dsn,
    steps,
    outcomes,
    isLmtp: to.protocol === "lmtp",
    isLoggedIn: to.protocol === "submission" || to.protocol === "submissions",
  };
  if (isEmpty) {
    return [transaction, done(transaction, { reusable: true })];
  }
  const lines = steps.map(({ line }) => line);
  return [
    transaction,
    { do: "send", lines: peer.pipelining ? lines : lines.slice(0, 1) },
  ];
}

/** Handles the awaited reply. */
export function onReply(
  transaction: Transaction,
  reply: Reply,
): [Transaction, Action] {
  if (transaction.at === "final" && transaction.isLmtp) {
    return onOneFinal(transaction, reply);
  }
  if (transaction.at !== "envelope") {
    const reusable = meaningOf(reply) !== "closing";
    const decided = decide(transaction, finalOutcome(reply, transaction));
    return [decided, done(decided, { reusable })];
  }
  const { step } = transaction.steps[0]!;
  const next = { ...transaction, steps: transaction.steps.slice(1) };
  if (meaningOf(reply) === "closing") {
    const closed = decide(next, outcomeOf(reply, next.host));
    return [closed, done(closed, {})];
  }
  switch (step.for) {
    case "mail": {
      if (meaningOf(reply) === "done") return goOn(next);
      // RFC 4954 §6: about us, and no mail's fault.
      const outcome = next.isLoggedIn && reply.code === 530
        ? softened(reply, next.host)
        : refusal(reply, next.host);
      const refused = decide(next, outcome);
      return [refused, done(refused, {})];
    }
    case "rcpt":
      if (meaningOf(reply) === "done") return goOn(next);
      return goOn(withOutcome(next, step.index, rcptRefusal(reply, next.host)));
    case "data":
      return onData(next, reply);
  }
}

/**
 * LMTP's replies to the final dot, RFC 2033 §4.2: one for each recipient that
 * was taken, in their order. A 421 speaks for all that are left, for nothing
 * follows it.
 */
function onOneFinal(
  transaction: Transaction,
  reply: Reply,
): [Transaction, Action] {
  const outcome = finalOutcome(reply, transaction);
  if (meaningOf(reply) === "closing") {
    const decided = decide(transaction, outcome);
    return [decided, done(decided, {})];
  }
  const index = transaction.outcomes.indexOf(undefined);
  const next = withOutcome(transaction, index, outcome);
  return next.outcomes.includes(undefined)
    ? [next, { do: "wait" }]
    : [next, done(next, { reusable: true })];
}

/**
 * Handles the loss of the session, or a session that cannot be trusted any
 * more, as one temporary outcome for every recipient not decided yet.
 *
 * @param why In plain words
 */
export function onLost(transaction: Transaction, why: string): Action {
  const { at, host } = transaction;
  if (at !== "final") {
    return done(decide(transaction, troubleOutcome(why, host)), {});
  }
  // Nobody knows whether they have it (RFC 5321 §4.5.3.2.6). Trying again may
  // make two of it; not trying may make none.
  const words = `${why} after the final dot; it may arrive twice`;
  const decided = decide(transaction, troubleOutcome(words, host));
  return done(decided, { tryNext: false });
}

/**
 * Handles a reply that came while the content was still being sent, as from
 * a server that has seen enough. A refusal counts; consent does not, because
 * it cannot be about what it has not seen.
 */
export function onEarlyReply(transaction: Transaction, reply: Reply): Action {
  const { host, isLmtp } = transaction;
  const outcome = reply.code >= 400
    // With a reply for each recipient, it may be about one of them only.
    ? isLmtp ? softened(reply, host) : outcomeOf(reply, host)
    : troubleOutcome(`unexpected reply ${reply.code}`, host, "4.5.0");
  return done(decide(transaction, outcome), {});
}

function onData(next: Transaction, reply: Reply): [Transaction, Action] {
  const wanted = next.outcomes.includes(undefined);
  // No other 3xx: what it asks for is not known, and to send the content for
  // a command would have it refused as commands are.
  if (reply.code === 354) {
    // RFC 2920 §3.1: DATA was pipelined behind recipients that all failed.
    // LMTP owes no reply to a dot behind no recipient: there is nothing to
    // wait for, and the connection ends instead.
    if (!wanted && next.isLmtp) return [next, done(next, {})];
    if (!wanted) return [{ ...next, at: "void" }, { do: "send", lines: ["."] }];
    return toContent(next);
  }
  const refused = decide(next, refusal(reply, next.host));
  return [refused, done(refused, {})];
}

/** Waits for the next reply, or sends the next command if not pipelining. */
function goOn(next: Transaction): [Transaction, Action] {
  if (next.steps.length === 0) { // BDAT follows, or nobody is to receive it
    if (!next.outcomes.includes(undefined)) return [next, done(next, {})];
    return toContent(next);
  }
  if (next.pipelining) return [next, { do: "wait" }];
  const { step, line } = next.steps[0]!;
  if (step.for === "data" && !next.outcomes.includes(undefined)) {
    return [next, done(next, {})]; // §3.3: no DATA without a recipient
  }
  return [next, { do: "send", lines: [line] }];
}

function toContent(next: Transaction): [Transaction, Action] {
  const replies = next.isLmtp
    ? next.outcomes.filter((one) => one === undefined).length
    : 1;
  return [{ ...next, at: "final" }, { do: "content", replies }];
}

function finalOutcome(reply: Reply, { at, host, dsn }: Transaction): Outcome {
  if (at !== "void" && meaningOf(reply) === "go-on") {
    return refusal(reply, host);
  }
  const outcome = outcomeOf(reply, host);
  return dsn && outcome.kind === "delivered"
    ? { ...outcome, isPassedOn: true }
    : outcome;
}

/** A 2xx or 3xx where it makes no sense is no consent: temporary. */
function refusal(reply: Reply, host: string): Outcome {
  return reply.code >= 400
    ? outcomeOf(reply, host)
    : troubleOutcome(`unexpected reply ${reply.code}`, host, "4.5.0");
}

function rcptRefusal(reply: Reply, host: string): Outcome {
  const outcome = refusal(reply, host);
  if (reply.code !== 552) return outcome;
  // RFC 5321 §4.5.3.1.10: old servers say 552 for "too many recipients".
  const enhanced = "4" + outcome.enhanced.slice(1);
  return { ...outcome, kind: "temporary", code: 452, enhanced };
}

function withOutcome(
  transaction: Transaction,
  index: number,
  outcome: Outcome,
): Transaction {
  return {
    ...transaction,
    outcomes: transaction.outcomes.with(index, outcome),
  };
}

/** Gives `outcome` to every recipient that has none. */
function decide(transaction: Transaction, outcome: Outcome): Transaction {
  const outcomes = transaction.outcomes.map((one) => one ?? outcome);
  return { ...transaction, outcomes };
}

function done(
  transaction: Transaction,
  options: { reusable?: boolean; tryNext?: boolean },
): Action & { do: "done" } {
  const undecided = troubleOutcome("not decided", transaction.host, "4.5.0");
  return {
    do: "done",
    outcomes: transaction.outcomes.map((one) => one ?? undecided),
    reusable: options.reusable ?? false,
    tryNext: options.tryNext ?? true,
  };
}

function mailLine(mail: Mail, peer: Peer): string {
  let line = `MAIL FROM:<${mail.reversePath}>`;
  if (peer.maxSize !== undefined) line += ` SIZE=${mail.sizeBytes}`;
  if (mail.bodyType === "binarymime") line += " BODY=BINARYMIME";
  else if (
    peer.eightBitMime && (mail.eightBit || mail.bodyType === "8bitmime")
  ) {
    line += " BODY=8BITMIME";
  }
  const paths = [mail.reversePath, ...mail.recipients];
  const isGlobal = mail.wishes.smtpUtf8 || paths.some(isInternational);
  if (peer.smtpUtf8 && isGlobal) line += " SMTPUTF8";
  if (peer.requireTls && mail.wishes.requireTls) line += " REQUIRETLS";
  return peer.dsn ? line + mailParameters(mail.wishes) : line;
}

function parametersOf(mail: Mail, index: number, peer: Peer): string {
  const wishes = mail.recipientWishes[index];
  return peer.dsn && wishes !== undefined ? recipientParameters(wishes) : "";
}

/** True if a message may go to no host without REQUIRETLS. */
export function mustTls(mail: Pick<Mail, "wishes" | "reversePath">): boolean {
  // RFC 8689 §5: a notice is better sent without than lost.
  return mail.wishes.requireTls && mail.reversePath !== "";
}

/** Why this mail cannot go to this server at all, known before a word. */
function blockedBy(
  mail: Mail,
  peer: Peer,
  host: string,
): Outcome | undefined {
  if (peer.maxSize && mail.sizeBytes > peer.maxSize) { // RFC 1870 §6.1
    const words = `Message of ${mail.sizeBytes} octets, they take at most ` +
      `${peer.maxSize}`;
    return ownOutcome("permanent", 552, "5.3.4", words);
  }
  if (mustTls(mail) && !peer.requireTls) return noRequireTls(host);
  if (mail.bodyType === "binarymime") {
    if (!peer.binaryMime) {
      // RFC 3030 §3: convert or return. Not: conversion.
      const words = "Message is binary and the server takes no BINARYMIME";
      return ownOutcome("permanent", 554, "5.6.3", words);
    }
  } else if (mail.eightBit && !peer.eightBitMime) {
    // RFC 6152 §3: convert or return; `downgrade_io.ts` has tried.
    const words = "Message has 8-bit content, the server no 8BITMIME, and it " +
      `cannot be converted: ${mail.noSevenBit ?? "nobody tried"}`;
    return ownOutcome("permanent", 554, "5.6.3", words);
  }
  if (!isSendable(mail.reversePath)) {
    return ownOutcome("permanent", 553, "5.1.7", "Bad reverse-path");
  }
  if (isInternational(mail.reversePath) && !peer.smtpUtf8) {
    return ownOutcome("permanent", 553, "5.6.7", "Sender needs SMTPUTF8");
  }
  if (
    mail.wishes.smtpUtf8 && mail.internationalHeader && !peer.smtpUtf8
  ) {
    // RFC 6531 §3.2: what is ASCII after all may go; this may not.
    const words = "Message header needs SMTPUTF8, the server has none";
    return ownOutcome("permanent", 554, "5.6.7", words);
  }
  return undefined;
}

function recipientFault(recipient: string, peer: Peer): Outcome | undefined {
  if (!isSendable(recipient)) {
    return ownOutcome("permanent", 553, "5.1.3", "Bad recipient address");
  }
  if (isInternational(recipient) && !peer.smtpUtf8) {
    return ownOutcome("permanent", 553, "5.6.7", "Recipient needs SMTPUTF8");
  }
  return undefined;
}
