/**
 * One command line, parsed: RFC 5321 §4.1.1 and the commands of RFC 3030
 * (BDAT), RFC 1985 (ETRN), RFC 3207 (STARTTLS) and RFC 4954 (AUTH). Knows
 * nothing of sessions; what follows a path stands in `parameters.ts`.
 */
import {
  isIpv4,
  isIpv6,
  MAX_DOMAIN,
  parseDomain,
  type Path,
  readPath,
} from "../core/address.ts";
import { isAscii } from "../core/international.ts";
import {
  type MailParameters,
  mailParameters,
  type RcptParameters,
  rcptParameters,
} from "./parameters.ts";
import { type Introduced, readXclient } from "./xclient.ts";

/** What a client asks for. */
export type Command =
  | { readonly is: "ehlo" | "helo"; readonly helo: string }
  | MailCommand
  | RcptCommand
  /** RFC 3030 §2: that many octets follow, whatever we say to it. */
  | {
    readonly is: "bdat";
    readonly sizeBytes: number;
    readonly last: boolean;
  }
  /** A BDAT of which nobody knows how many octets follow. */
  | { readonly is: "bad-bdat" }
  | {
    readonly is: "etrn";
    /** Empty for `#` and the name of a queue, RFC 1985 §5.1. */
    readonly domain: string;
    /** `@`: the names below it too. */
    readonly andBelow: boolean;
  }
  | {
    readonly is: "auth";
    /** In upper case. */
    readonly mechanism: string;
    /** Initial response, which should be base64 or `=`; RFC 4954 §4. */
    readonly initial: string | undefined;
  }
  | {
    readonly is:
      | "data"
      | "rset"
      | "noop"
      | "vrfy"
      | "expn"
      | "help"
      | "quit"
      | "starttls";
  }
  | { readonly is: "xclient"; readonly as: Introduced }
  /** Known, but what follows it is not SMTP as we speak it. */
  | { readonly is: "foreign" }
  | { readonly is: "faulty"; readonly fault: CommandFault };

/** MAIL. */
export interface MailCommand extends MailParameters {
  readonly is: "mail";
  /** Empty for `<>`. */
  readonly reversePath: string;
}

/** RCPT. */
export interface RcptCommand extends RcptParameters {
  readonly is: "rcpt";
  readonly path: Path;
}

/** Why a line is no command that we can obey. */
export type CommandFault =
  | "unknown-command"
  | "syntax"
  | "bad-helo"
  | "bad-sender"
  | "bad-recipient"
  | "not-ascii"
  | "unknown-parameter";

// RFC 5321 §4.5.3.1.2 bounds a domain; a client's name has no other limit.
const MAX_HELO = MAX_DOMAIN;

/**
 * No SMTP at all (a browser that was lured here, a proxy that should not be):
 * what follows would be read as commands.
 */
const FOREIGN = new Set([
  "GET",
  "POST",
  "PUT",
  "HEAD",
  "OPTIONS",
  "CONNECT",
  "PROXY",
]);

/**
 * Parses a line without its CRLF. Time is linear in its length.
 *
 * @param line Octets as UTF-16 units
 * @param utf8 RFC 6531 §3.4: MAIL said SMTPUTF8, so RCPT may use it
 */
export function parseCommand(line: string, utf8 = false): Command {
  const text = trimEnd(line);
  const space = text.indexOf(" ");
  const verb = (space < 0 ? text : text.slice(0, space)).toUpperCase();
  const rest = space < 0 ? "" : text.slice(space + 1);
  switch (verb) {
    case "EHLO":
      return hello("ehlo", rest);
    case "HELO":
      return hello("helo", rest);
    case "MAIL":
      return mail(rest);
    case "RCPT":
      return rcpt(rest, utf8);
    case "BDAT":
      return bdat(rest);
    case "ETRN":
      return etrn(rest);
    case "DATA":
    case "RSET":
    case "QUIT":
    case "STARTTLS":
      return bare(verb, rest);
    case "NOOP":
      return { is: "noop" };
    case "HELP":
      return { is: "help" };
    case "EXPN":
      return { is: "expn" };
    case "AUTH":
      return auth(rest);
    case "VRFY":
      return vrfy(rest);
    case "XCLIENT":
      return xclient(rest);
  }
  return FOREIGN.has(verb) ? { is: "foreign" } : faulty("unknown-command");
}

function faulty(fault: CommandFault): Command {
  return { is: "faulty", fault };
}

/** Commands that take no argument, RFC 5321 §4.1.1.5 and RFC 3207 §4. */
function bare(verb: "DATA" | "RSET" | "QUIT" | "STARTTLS", rest: string) {
  if (rest !== "") return faulty("syntax");
  return { is: verb.toLowerCase() } as Command;
}

/**
 * RFC 5321 §4.1.1.1 wants a domain or an address literal. Names with
 * underscores or a final dot are common and harmless; what could be mistaken
 * for something else in a `Received` field or a log is refused.
 */
function hello(is: "ehlo" | "helo", rest: string): Command {
  const helo = rest.trim();
  return isHelo(helo) ? { is, helo } : faulty("bad-helo");
}

function isHelo(helo: string): boolean {
  if (helo.length < 1 || helo.length > MAX_HELO) return false;
  if (helo.startsWith("[")) {
    if (!helo.endsWith("]")) return false;
    const inner = helo.slice(1, -1);
    return isIpv4(inner) ||
      (/^ipv6:/i.test(inner) ? isIpv6(inner.slice(5)) : isIpv6(inner));
  }
  return /^[A-Za-z0-9._:-]+$/.test(helo);
}

function xclient(rest: string): Command {
  const as = readXclient(rest);
  if (as === undefined) return faulty("syntax");
  // What could not be said in HELO is as good as not known.
  const helo = as.helo !== undefined && isHelo(as.helo) ? as.helo : undefined;
  return { is: "xclient", as: { ...as, helo } };
}

/** `MAIL FROM:<reverse-path> [SP parameters]`, RFC 5321 §4.1.1.2. */
function mail(rest: string): Command {
  const at = behindKeyword(rest, "FROM:");
  if (at === undefined) return faulty("syntax");
  // The parameter that allows UTF-8 stands behind the path that has it.
  const reading = readPath(rest, { at, utf8: saysSmtpUtf8(rest) });
  if (!reading.ok) {
    return faulty(reading.fault === "not-ascii" ? "not-ascii" : "bad-sender");
  }
  if (reading.path.kind === "postmaster") return faulty("bad-sender");
  const reversePath = reading.path.kind === "null" ? "" : reading.path.address;
  const parameters = mailParameters(rest.slice(reading.end));
  if (typeof parameters === "string") return faulty(parameters);
  // The word may have stood inside a quoted string.
  if (reading.eightBit && !parameters.wishes.smtpUtf8) {
    return faulty("not-ascii");
  }
  return { is: "mail", reversePath, ...parameters };
}

/** `RCPT TO:<forward-path> [SP parameters]`, RFC 5321 §4.1.1.3. */
function rcpt(rest: string, utf8: boolean): Command {
  const at = behindKeyword(rest, "TO:");
  if (at === undefined) return faulty("syntax");
  const reading = readPath(rest, { at, utf8 });
  if (!reading.ok) {
    return faulty(
      reading.fault === "not-ascii" ? "not-ascii" : "bad-recipient",
    );
  }
  if (reading.path.kind === "null") return faulty("bad-recipient");
  const written = rest.slice(reading.end);
  if (!utf8 && !isAscii(written)) return faulty("not-ascii");
  const parameters = rcptParameters(written);
  if (typeof parameters === "string") return faulty(parameters);
  return { is: "rcpt", path: reading.path, ...parameters };
}

function saysSmtpUtf8(rest: string): boolean {
  return rest.toUpperCase().split(" ").includes("SMTPUTF8");
}

/** `BDAT SP chunk-size [SP LAST]`, RFC 3030 §2. */
function bdat(rest: string): Command {
  const [size = "", last, ...more] = rest.split(" ");
  const isLast = last?.toUpperCase() === "LAST";
  // Digits as in SIZE; a number of more is far beyond any limit.
  const isGood = /^[0-9]{1,20}$/.test(size) && more.length === 0 &&
    (last === undefined || isLast);
  if (!isGood) return { is: "bad-bdat" };
  return { is: "bdat", sizeBytes: Number(size), last: isLast };
}

/** `ETRN [@ / #] node`, RFC 1985 §5.1. */
function etrn(rest: string): Command {
  const node = rest.trim();
  if (node.startsWith("#")) {
    return /^#[A-Za-z0-9._-]{1,64}$/.test(node)
      ? { is: "etrn", domain: "", andBelow: false }
      : faulty("syntax");
  }
  const andBelow = node.startsWith("@");
  const domain = parseDomain(andBelow ? node.slice(1) : node);
  return domain === undefined
    ? faulty("syntax")
    : { is: "etrn", domain, andBelow };
}

/** `AUTH SP mechanism [SP initial-response]`, RFC 4954 §4. */
function auth(rest: string): Command {
  const [name = "", initial, ...more] = rest.split(" ");
  // RFC 4422 §3.1 has the names. Whether it is base64, SASL says.
  const isGood = /^[A-Za-z0-9_-]{1,20}$/.test(name) && more.length === 0 &&
    (initial === undefined || /^[!-~]+$/.test(initial));
  if (!isGood) return faulty("syntax");
  return { is: "auth", mechanism: name.toUpperCase(), initial };
}

/** `VRFY SP string [SP SMTPUTF8]`, RFC 5321 §4.1.1.6, RFC 6531 §3.7.4.2. */
function vrfy(rest: string): Command {
  if (rest.trim() === "") return faulty("syntax");
  const isAllowed = isAscii(rest) || /[ ]SMTPUTF8$/i.test(rest);
  return isAllowed ? { is: "vrfy" } : faulty("not-ascii");
}

/**
 * Where the path begins behind `FROM:` or `TO:`. A space there is an error
 * that too many clients make to refuse it (RFC 5321 §3.3 says MUST NOT).
 */
function behindKeyword(rest: string, keyword: string): number | undefined {
  if (rest.slice(0, keyword.length).toUpperCase() !== keyword) return undefined;
  let at = keyword.length;
  while (rest[at] === " ") at++;
  return at;
}

/** RFC 5321 §4.1.1: trailing white space SHOULD be tolerated. */
function trimEnd(line: string): string {
  let end = line.length;
  while (end > 0 && (line[end - 1] === " " || line[end - 1] === "\t")) end--;
  return line.slice(0, end);
}
