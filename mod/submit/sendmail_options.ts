/**
 * The options of `sendmail`, as forty years of programs write them. One table:
 * what is obeyed, what is read over because it changes nothing here, and what
 * is refused with a sentence. Help and manual are made from it.
 */

/** What `sendmail` is to do. */
export type Mode =
  /** Take a message from standard input. */
  | "send"
  /** Speak SMTP on standard input and output. */
  | "smtp"
  | "list-queue"
  | "new-aliases"
  | "verify"
  /** Run the server in the foreground. */
  | "serve"
  | "flush"
  | "help";

/** A command line, read. */
export interface Invocation {
  readonly mode: Mode;
  /** Arguments that are no options. */
  readonly recipients: readonly string[];
  /** `-t` */
  readonly fromHeader: boolean;
  /** `-i`: a line with a dot is a line. */
  readonly ignoreDots: boolean;
  /** As given; undefined if not. */
  readonly sender: string | undefined;
  readonly fullName: string | undefined;
  readonly notify: readonly ("never" | "success" | "failure" | "delay")[];
  readonly ret: "" | "full" | "hdrs";
  readonly envid: string;
  readonly verp: string;
  readonly isVerbose: boolean;
  /** `-C`: a configuration file, or a home. */
  readonly config: string | undefined;
  /** Of `flush`: one message, one domain, or all. */
  readonly flush: { readonly id?: string; readonly domain?: string };
}

/** What came of reading it. */
export type Reading =
  | { readonly ok: true; readonly invocation: Invocation }
  | {
    readonly ok: false;
    readonly fault: string;
    readonly is: "usage" | "unavailable";
  };

/** One option. */
export interface OptionRow {
  /** As in the manual, such as `-f ADDRESS`. */
  readonly written: string;
  readonly says: string;
}

/** How an option takes its value. */
type Takes = "nothing" | "value" | "attached";

type Draft = { -readonly [K in keyof Invocation]: Invocation[K] };
/** Changes the draft; a text refuses. */
type Obey = (draft: Draft, value: string) => string | undefined | void;

interface Row extends OptionRow {
  readonly letter: string;
  readonly takes: Takes;
  readonly obey: Obey;
}

const IGNORED: Obey = () => {};

function ignored(letter: string, written: string, says: string): Row {
  const takes = written.includes(" ") ? "value" : "nothing";
  return { letter, written, takes, says: `Ignored: ${says}`, obey: IGNORED };
}

const ROWS: readonly Row[] = [
  {
    letter: "t",
    written: "-t",
    takes: "nothing",
    says: "Recipients are read from To, Cc and Bcc (of a message that is " +
      "resent, from the Resent- fields), beside those on the command line.",
    obey: (draft) => void (draft.fromHeader = true),
  },
  {
    letter: "i",
    written: "-i",
    takes: "nothing",
    says: "A line with a single dot does not end the message. So -oi.",
    obey: (draft) => void (draft.ignoreDots = true),
  },
  {
    letter: "f",
    written: "-f ADDRESS",
    takes: "value",
    says: "The envelope's sender, who gets bounces; <> for nobody. Any user " +
      "may say any; who it was is in Received.",
    obey: (draft, value) => void (draft.sender = value),
  },
  {
    letter: "r",
    written: "-r ADDRESS",
    takes: "value",
    says: "The same as -f.",
    obey: (draft, value) => void (draft.sender = value),
  },
  {
    letter: "F",
    written: "-F NAME",
    takes: "value",
    says: "The sender's full name, for a message without From. Else the " +
      "environment's NAME, or what /etc/passwd says.",
    obey: (draft, value) => void (draft.fullName = value),
  },
  {
    letter: "b",
    written: "-b MODE",
    takes: "value",
    says: "m: take a message (as without it); s: speak SMTP on standard " +
      "input and output; p: list the queue (mailq); i: new aliases " +
      "(newaliases); v: say how addresses are read; D: run the server in the " +
      "foreground.",
    obey: obeyMode,
  },
  {
    letter: "I",
    written: "-I",
    takes: "nothing",
    says: "The same as -bi.",
    obey: (draft) => void (draft.mode = "new-aliases"),
  },
  {
    letter: "q",
    written: "-q",
    takes: "attached",
    says: "Tries now what waits in the queue: all of it, with -qI ID one " +
      "message, with -qR DOMAIN what waits for a domain. With a time, as for " +
      "a daemon, it is ignored.",
    obey: obeyQueue,
  },
  {
    letter: "N",
    written: "-N WHEN",
    takes: "value",
    says: "When the sender is told: never, or some of success, failure and " +
      "delay, with commas (RFC 3461).",
    obey: obeyNotify,
  },
  {
    letter: "R",
    written: "-R PART",
    takes: "value",
    says: "What a bounce returns: full or hdrs (RFC 3461).",
    obey: (draft, value) => {
      const ret = value.toLowerCase();
      if (ret !== "full" && ret !== "hdrs") return "-R wants full or hdrs";
      draft.ret = ret;
      return undefined;
    },
  },
  {
    letter: "V",
    written: "-V ENVID",
    takes: "value",
    says: "The sender's own name for the message, in bounces (RFC 3461).",
    obey: (draft, value) => {
      if (!/^[!-~]{1,100}$/.test(value)) {
        return "-V wants 1 to 100 characters of ASCII without blanks";
      }
      draft.envid = value;
      return undefined;
    },
  },
  {
    letter: "X",
    written: "-X V",
    takes: "value",
    says: "-XV: each recipient's copy has a sender's address of its own " +
      "(VERP), with + and =, or with two others as in -XV-=. Anything else " +
      "names a log file, and is ignored.",
    obey: (draft, value) => {
      if (value === "V") draft.verp = "+=";
      else if (/^V[-+=]{2}$/.test(value)) draft.verp = value.slice(1);
    },
  },
  {
    letter: "B",
    written: "-B TYPE",
    takes: "value",
    says: "7BIT or 8BITMIME. Ignored: the message's octets say it.",
    obey: (_, value) =>
      /^(7bit|8bitmime)$/i.test(value)
        ? undefined
        : "-B wants 7BIT or 8BITMIME",
  },
  {
    letter: "v",
    written: "-v",
    takes: "nothing",
    says: "Prints the queue id.",
    obey: (draft) => void (draft.isVerbose = true),
  },
  {
    letter: "C",
    written: "-C PATH",
    takes: "value",
    says: "The server's home, or the configuration file in it.",
    obey: (draft, value) => void (draft.config = value),
  },
  {
    letter: "o",
    written: "-o OPTION",
    takes: "value",
    says: "-oi is -i. All others (-oem, -odi, -o7 and so on) are ignored.",
    obey: (draft, value) => {
      if (value === "i") draft.ignoreDots = true;
      else if (/^Q/.test(value)) return "-oQ: there is one queue";
      return undefined;
    },
  },
  ignored(
    "e",
    "-e MODE",
    "errors go to standard error and into the exit code.",
  ),
  ignored("O", "-O OPTION=VALUE", "the configuration has settings of its own."),
  ignored("A", "-A MODE", "-Ac and -Am are the same here."),
  ignored("h", "-h COUNT", "smtp.hop_limit says it."),
  ignored("L", "-L LABEL", "log lines have the role's name."),
  ignored("D", "-D FILE", "there is no debugging by options."),
  ignored("p", "-p PROTOCOL", "Received says who handed the message in."),
  ignored("U", "-U", "every message is a first submission."),
  ignored("G", "-G", "addresses in the message are never rewritten."),
  ignored("E", "-E", "there is nothing to switch."),
  ignored("m", "-m", "the sender is never left out of an alias."),
  ignored("n", "-n", "aliases are looked up in any case."),
  ignored("s", "-s", "nothing is stripped."),
  {
    letter: "d",
    written: "-d",
    takes: "attached",
    says: "Ignored: there is no debugging by options.",
    obey: IGNORED,
  },
];

/** The table, for help and manual. */
export const OPTION_ROWS: readonly OptionRow[] = ROWS;

const REFUSED_MODES: ReadonlyMap<string, string> = new Map([
  ["a", "-ba: ARPANET mail ended in 1983"],
  ["d", "-bd: `bulkhead up` starts the server and keeps it; -bD runs it here"],
  ["l", "-bl: smtp.listen says where the server listens"],
  ["h", "-bh: there is no table of hosts' states; see `bulkhead queue list`"],
  ["H", "-bH: there is no table of hosts' states to be emptied"],
  ["t", "-bt: there are no rules to be tested; see `bulkhead check`"],
]);

const MODES: ReadonlyMap<string, Mode> = new Map([
  ["m", "send"],
  ["s", "smtp"],
  ["p", "list-queue"],
  ["i", "new-aliases"],
  ["v", "verify"],
  ["D", "serve"],
]);

/** Options that another mode refuses, with 69 and not 64. */
class Unavailable extends Error {}

/** Reads a command line, without the program's name. */
export function readOptions(args: readonly string[]): Reading {
  const draft: Draft = {
    mode: "send",
    recipients: [],
    fromHeader: false,
    ignoreDots: false,
    sender: undefined,
    fullName: undefined,
    notify: [],
    ret: "",
    envid: "",
    verp: "",
    isVerbose: false,
    config: undefined,
    flush: {},
  };
  try {
    const fault = readAll(args, draft);
    return fault === undefined
      ? { ok: true, invocation: draft }
      : { ok: false, is: "usage", fault };
  } catch (error) {
    if (!(error instanceof Unavailable)) throw error;
    return { ok: false, is: "unavailable", fault: error.message };
  }
}

function readAll(args: readonly string[], draft: Draft): string | undefined {
  for (let i = 0; i < args.length; i++) {
    const arg = args[i]!;
    if (arg === "--help") {
      draft.mode = "help";
      return undefined;
    }
    if (arg === "--") {
      draft.recipients = [...draft.recipients, ...args.slice(i + 1)];
      return undefined;
    }
    if (!arg.startsWith("-") || arg === "-") {
      // As getopt(3) of POSIX has it, options end here; but programs write
      // `sendmail you@home.test -f me`, and GNU's goes on.
      draft.recipients = [...draft.recipients, arg];
      continue;
    }
    for (let at = 1; at < arg.length; at++) {
      const row = ROWS.find(({ letter }) => letter === arg[at]);
      if (row === undefined) return `-${arg[at]} is no option of sendmail`;
      const rest = arg.slice(at + 1);
      if (row.takes === "nothing") {
        const fault = row.obey(draft, "");
        if (typeof fault === "string") return fault;
        continue;
      }
      let value = rest;
      if (row.takes === "value" && rest === "") {
        const next = args[++i];
        if (next === undefined) return `-${row.letter} wants a value`;
        value = next;
      }
      // `-q R site`: the one option whose value may be two words.
      if (row.letter === "q" && /^[IRS]$/.test(rest)) {
        value += args[++i] ?? "";
      }
      const fault = row.obey(draft, value);
      if (typeof fault === "string") return fault;
      break;
    }
  }
  return undefined;
}

function obeyMode(draft: Draft, value: string): string | undefined {
  const refusal = REFUSED_MODES.get(value);
  if (refusal !== undefined) throw new Unavailable(refusal);
  const mode = MODES.get(value);
  if (mode === undefined) return `-b${value} is no mode of sendmail`;
  draft.mode = mode;
  return undefined;
}

function obeyQueue(draft: Draft, value: string): string | undefined {
  // A daemon's interval: the queue has its own schedule.
  if (/^p?[0-9]/.test(value)) return undefined;
  const named = value.slice(1);
  if (value.startsWith("S")) {
    throw new Unavailable("-qS: the queue is not sorted by senders; use -q");
  }
  if (value !== "" && named === "") return `-q${value} wants a name behind it`;
  if (value === "") draft.flush = {};
  else if (value.startsWith("I")) draft.flush = { id: named };
  else if (value.startsWith("R")) draft.flush = { domain: named };
  else return `-q${value} is no option of sendmail`;
  draft.mode = "flush";
  return undefined;
}

function obeyNotify(draft: Draft, value: string): string | undefined {
  const words = value.toLowerCase().split(",");
  const isKnown = words.every((word) =>
    word === "never" || word === "success" || word === "failure" ||
    word === "delay"
  );
  const isAlone = words.length === 1 || !words.includes("never");
  if (!isKnown || !isAlone) {
    return "-N wants never, or some of success,failure,delay";
  }
  draft.notify = [...new Set(words)] as Draft["notify"];
  return undefined;
}
