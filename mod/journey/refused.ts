/** Mail that was refused at the door, and so never taken, in words. Pure. */
import { harmless, word } from "./command.ts";
import type { RefusalFacts } from "./facts.ts";
import type { Advice, Journey } from "./journey.ts";
import { utc } from "./words.ts";

/** What a rule of the door means. */
interface Rule {
  readonly says: (about: RefusalFacts) => string;
  readonly advice: (about: RefusalFacts) => readonly Advice[];
}

const NOTHING = () => [];
const only = (text: string, command = "") => () => [{ text, command }];

/** By the names of rules, see `mod/gate/verdicts.ts`. */
const RULES: ReadonlyMap<string, Rule> = new Map<string, Rule>([
  ["unknown-recipient", {
    says: ({ recipient }) =>
      `there is no mailbox and no alias for <${recipient}> on this server.`,
    advice: ({ recipient }) => [
      {
        text: "Make the mailbox, or an alias in [aliases].",
        command: `bulkhead user add ${word(recipient, "ADDRESS")}`,
      },
    ],
  }],
  ["relay-denied", {
    says: ({ recipient }) =>
      `<${recipient}> is not of this server, and the client had not logged ` +
      "in, so it may not send there (relaying).",
    advice: only(
      "A user must log in (port 465 or 587). If this server shall take mail " +
        "for that domain, name it in server.relay_domains.",
    ),
  }],
  ["alias-loop", {
    says: ({ recipient }) =>
      `the aliases of <${recipient}> lead back to themselves.`,
    advice: only("Mend the entry in [aliases]."),
  }],
  ["not-yours", {
    says: ({ sender }) =>
      `the user who logged in may not send as <${sender}>: it is not an ` +
      "address of that mailbox.",
    advice: only(
      "Give the mailbox an alias of that address, or change the sender in " +
        "the mail program.",
    ),
  }],
  ["login-first", {
    says: () => "this port is for users, and the client had not logged in.",
    advice: only(
      "Set user name, password and TLS in the mail program; mail from other " +
        "servers belongs to port 25.",
    ),
  }],
  ["too-large", {
    says: () => "the message is larger than this server takes.",
    advice: only("Raise smtp.max_message_size, or send less at once."),
  }],
  ["loop", {
    says: () =>
      "it had come through too many servers already: mail runs in a circle.",
    advice: only("Find the two places that forward to each other."),
  }],
  ["bad-content", {
    says: () =>
      "its line ends are broken (bare CR or LF, or NUL), which is how " +
      "messages are smuggled.",
    advice: only("The program that sent it must be mended."),
  }],
  ["full", {
    says: () => "this server had no room for it just then.",
    advice: only("Make room on the disk, or raise queue.max_messages."),
  }],
  ["not-stored", {
    says: () => "this server could not store it just then.",
    advice: only("The log says why.", "bulkhead check"),
  }],
  ["cannot-check", {
    says: () => "this server could not look the address up just then.",
    advice: only("The log says why."),
  }],
  ["greylist", {
    says: () =>
      "the client is new to this recipient, and was asked to come again " +
      "(greylisting). A mail server does that by itself.",
    advice: ({ undo }) => [
      { text: "Or let the client in without it.", command: undo },
    ],
  }],
  ["dnsbl", {
    says: ({ client }) =>
      `the client's address ${client} is on DNS lists of unwanted senders.`,
    advice: ({ undo }) => [
      { text: "If you trust it, let it in.", command: undo },
    ],
  }],
  ["deny", {
    says: ({ client }) => `${client} is on this server's own deny list.`,
    advice: ({ undo }) => [{ text: "Take that back.", command: undo }],
  }],
  ["pregreet", {
    says: () =>
      "the client spoke before it was greeted, as no mail server does.",
    advice: ({ undo }) => [
      { text: "If you trust it, let it in.", command: undo },
    ],
  }],
  ["verify", {
    says: ({ recipient }) =>
      `the server behind us does not take mail for <${recipient}>, or could ` +
      "not be asked.",
    advice: NOTHING,
  }],
]);

/** One refusal, or what would have been one. */
export function tellRefusal(refusal: RefusalFacts): Journey {
  const { rule, reply, evidence, undo, client, helo, atMs } = refusal;
  const known = RULES.get(rule);
  const says = known?.says(refusal) ?? ruleText(refusal);
  const advice = known === undefined
    ? [{ text: "Let the client in.", command: undo }]
    : known.advice(refusal);
  const details = [
    `rule ${rule}`,
    ...evidence === "" ? [] : [`evidence: ${evidence}`],
    ...reply === ""
      ? []
      : [`${refusal.shadow ? "would have been told" : "was told"}: ${reply}`],
    ...helo === "" ? [] : [`HELO ${helo}`],
  ];
  const ended = endedText(refusal);
  return {
    queueId: "",
    isQueued: false,
    headline: `${ended} at ${utc(atMs)}, ${about(refusal)}: ${says}`,
    tone: refusal.shadow || refusal.action === "pass" ? "plain" : "bad",
    steps: [{
      atMs,
      kind: "checked",
      tone: refusal.shadow ? "plain" : "bad",
      recipient: refusal.recipient,
      text: `${client} ${ended.toLowerCase()}: ${says}`,
      details,
    }],
    next: nextText(refusal),
    advice: advice.map(runnable),
  };
}

/** What undoes it may be a sentence, and no command. */
function runnable({ text, command }: Advice): Advice {
  if (command === "") return { text, command };
  const ours = harmless(command);
  if (ours !== "") return { text, command: ours };
  return { text: `${text} To undo it: ${command}.`, command: "" };
}

function endedText({ shadow, action }: RefusalFacts): string {
  if (shadow) return "Let through though a rule was against it";
  switch (action) {
    case "defer":
      return "Put off at the door";
    case "reject":
      return "Refused at the door";
    case "hold":
      return "Taken and put on hold";
    case "discard":
      return "Taken and thrown away, as a table says";
    default:
      return "Noted at the door";
  }
}

function about({ sender, recipient, client }: RefusalFacts): string {
  const parts = [
    sender === "" ? "" : `from <${sender}>`,
    recipient === "" ? "" : `to <${recipient}>`,
    `by ${client}`,
  ];
  return parts.filter((part) => part !== "").join(" ");
}

function ruleText({ rule, evidence }: RefusalFacts): string {
  if (rule.startsWith("rate-")) {
    return `the client did too much in a short time (${evidence}).`;
  }
  if (rule.endsWith("-access")) {
    return `a table of yours says so (${evidence}).`;
  }
  return `the rule ${rule} says so (${evidence}).`;
}

function nextText({ shadow, action }: RefusalFacts): string {
  if (shadow) {
    return "Nothing came of it: shadow mode, or the action is ignore.";
  }
  switch (action) {
    case "defer":
      return "The sending server keeps the message and tries again by itself.";
    case "reject":
      return "The sending server still has the message, and tells its sender " +
        "that it failed.";
    default:
      return "";
  }
}
