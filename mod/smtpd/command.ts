/**
 * One command line, parsed: RFC 5321 §4.1.1 with the parameters of RFC 1870
 * (SIZE) and RFC 6152 (BODY). Knows nothing of sessions.
 *
 * Not: RFC 6531 SMTPUTF8, RFC 3461 DSN, RFC 4954 AUTH, RFC 3030 BDAT.
 */
import {
  isIpv4,
  isIpv6,
  MAX_DOMAIN,
  type Path,
  readPath,
} from "../core/address.ts";

/** What a client asks for. */
export type Command =
  | { readonly is: "ehlo" | "helo"; readonly helo: string }
  | {
    readonly is: "mail";
    /** Empty for `<>`. */
    readonly reversePath: string;
    /** As declared with SIZE=, undefined if it was not. */
    readonly sizeBytes: number | undefined;
    readonly bodyType: "7bit" | "8bitmime";
  }
  | { readonly is: "rcpt"; readonly path: Path }
  | {
    readonly is:
      | "data"
      | "rset"
      | "noop"
      | "vrfy"
      | "expn"
      | "help"
      | "quit"
      | "starttls"
      | "auth";
  }
  /** Known, but what follows it is not SMTP as we speak it. */
  | { readonly is: "foreign" }
  | { readonly is: "faulty"; readonly fault: CommandFault };

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
 * Commands whose refusal must end the connection: BDAT is followed by octets
 * that are no commands, the others are no SMTP at all (a browser that was
 * lured here, a proxy that should not be).
 */
const FOREIGN = new Set([
  "BDAT",
  "GET",
  "POST",
  "PUT",
  "HEAD",
  "OPTIONS",
  "CONNECT",
  "PROXY",
]);

/** Parses a line without its CRLF. Time is linear in its length. */
export function parseCommand(line: string): Command {
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
      return rcpt(rest);
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
      return { is: "auth" };
    case "VRFY":
      return rest.trim() === "" ? faulty("syntax") : { is: "vrfy" };
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

/** `MAIL FROM:<reverse-path> [SP parameters]`, RFC 5321 §4.1.1.2. */
function mail(rest: string): Command {
  const at = behindKeyword(rest, "FROM:");
  if (at === undefined) return faulty("syntax");
  const reading = readPath(rest, at);
  if (!reading.ok) {
    return faulty(reading.fault === "not-ascii" ? "not-ascii" : "bad-sender");
  }
  if (reading.path.kind === "postmaster") return faulty("bad-sender");
  const reversePath = reading.path.kind === "null" ? "" : reading.path.address;
  const parameters = parseParameters(rest, reading.end);
  if (parameters === undefined) return faulty("syntax");
  let sizeBytes: number | undefined;
  let bodyType: "7bit" | "8bitmime" = "7bit";
  for (const [keyword, value] of parameters) {
    switch (keyword) {
      case "SIZE":
        // RFC 1870 §3: 1*20DIGIT.
        if (!/^[0-9]{1,20}$/.test(value)) return faulty("syntax");
        sizeBytes = Number(value);
        break;
      case "BODY": {
        const type = value.toLowerCase();
        if (type !== "7bit" && type !== "8bitmime") return faulty("syntax");
        bodyType = type;
        break;
      }
      default:
        return faulty("unknown-parameter");
    }
  }
  return { is: "mail", reversePath, sizeBytes, bodyType };
}

/** `RCPT TO:<forward-path>`, RFC 5321 §4.1.1.3. We announce no parameter. */
function rcpt(rest: string): Command {
  const at = behindKeyword(rest, "TO:");
  if (at === undefined) return faulty("syntax");
  const reading = readPath(rest, at);
  if (!reading.ok) {
    return faulty(
      reading.fault === "not-ascii" ? "not-ascii" : "bad-recipient",
    );
  }
  if (reading.path.kind === "null") return faulty("bad-recipient");
  const parameters = parseParameters(rest, reading.end);
  if (parameters === undefined) return faulty("syntax");
  if (parameters.size > 0) return faulty("unknown-parameter");
  return { is: "rcpt", path: reading.path };
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

/**
 * `esmtp-param *(SP esmtp-param)`, RFC 5321 §4.1.2, keywords in upper case.
 * A keyword given twice is a syntax error, as is anything that is not one.
 */
function parseParameters(
  rest: string,
  from: number,
): Map<string, string> | undefined {
  const parameters = new Map<string, string>();
  if (from === rest.length) return parameters;
  if (rest[from] !== " ") return undefined;
  for (const word of rest.slice(from + 1).split(" ")) {
    if (word === "") continue;
    const equals = word.indexOf("=");
    const keyword = (equals < 0 ? word : word.slice(0, equals)).toUpperCase();
    const value = equals < 0 ? "" : word.slice(equals + 1);
    if (!/^[A-Z0-9][A-Z0-9-]*$/.test(keyword)) return undefined;
    if (equals >= 0 && !/^[!-<>-~]+$/.test(value)) return undefined;
    if (parameters.has(keyword)) return undefined;
    parameters.set(keyword, value);
  }
  return parameters;
}

/** RFC 5321 §4.1.1: trailing white space SHOULD be tolerated. */
function trimEnd(line: string): string {
  let end = line.length;
  while (end > 0 && (line[end - 1] === " " || line[end - 1] === "\t")) end--;
  return line.slice(0, end);
}
