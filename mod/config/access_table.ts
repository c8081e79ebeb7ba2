/**
 * Access tables: `pattern RESULT` on each line, with the patterns and the
 * result words of Postfix's access(5). Pure; read when the server is checked,
 * and again by the role that asks them.
 *
 * What cannot be done here is a fault and never passed over: a table that
 * meant REJECT must not let mail through.
 */
import { parseNetwork } from "../core/network.ts";
import {
  foldAscii,
  isAddress,
  isAddressLiteral,
  isDomainName,
} from "./names.ts";
import { MAX_FILE_FAULTS } from "./network_list.ts";

/** What a table is asked about. */
export type AccessKind = "client" | "helo" | "sender" | "recipient";

/**
 * What an entry says.
 *
 * - `ok`: no further table of this kind is asked; it never permits relaying
 * - `dunno`: as if there were no entry in this table
 * - `reject`, `defer`: with a code, and words or none
 * - `defer-if-permit`: deferred, unless something else refuses
 * - `discard`: taken and thrown away
 * - `hold`: taken, and waits in the queue
 * - `warn`: logged, and the next table is asked
 */
export type AccessResult =
  | { readonly is: "ok" | "dunno" | "discard" | "hold" }
  | {
    readonly is: "reject" | "defer" | "defer-if-permit";
    readonly code: number;
    /** Empty: chosen by what was asked about. */
    readonly enhanced: string;
    /** Empty: chosen by what was asked about. */
    readonly text: string;
  }
  | { readonly is: "warn"; readonly text: string };

/** One line. */
export interface AccessEntry {
  /** In lower case; networks in their short form. */
  readonly pattern: string;
  readonly result: AccessResult;
  /** From 1. */
  readonly line: number;
}

/** A fault of a file. */
export interface LineFault {
  readonly line: number;
  readonly message: string;
}

const MAX_TEXT = 160;

/** Reads a whole table; faulty lines are left out and told of. */
export function parseAccessTable(
  kind: AccessKind,
  text: string,
): {
  readonly entries: readonly AccessEntry[];
  readonly faults: readonly LineFault[];
} {
  const entries: AccessEntry[] = [];
  const faults: LineFault[] = [];
  const seen = new Map<string, number>();
  for (const [at, written] of text.split("\n").entries()) {
    const line = at + 1;
    const read = parseLine(kind, written);
    if (read === undefined) continue;
    if ("fault" in read) {
      if (faults.length < MAX_FILE_FAULTS) {
        faults.push({ line, message: read.fault });
      }
      continue;
    }
    const first = seen.get(read.pattern);
    if (first !== undefined) {
      if (faults.length < MAX_FILE_FAULTS) {
        const message = `${read.pattern} stands in line ${first} too`;
        faults.push({ line, message });
      }
      continue;
    }
    seen.set(read.pattern, line);
    entries.push({ ...read, line });
  }
  return { entries, faults };
}

type ReadLine = Omit<AccessEntry, "line"> | { readonly fault: string };

/** One line; undefined if there is nothing on it. */
function parseLine(kind: AccessKind, written: string): ReadLine | undefined {
  const line = written.trim();
  if (line === "" || line.startsWith("#")) return undefined;
  if (written.startsWith(" ") || written.startsWith("\t")) {
    return { fault: "begins with a blank: an entry is one line" };
  }
  const end = blankAt(line, 0);
  const word = line.slice(0, end);
  const pattern = readPattern(kind, foldAscii(word));
  if (typeof pattern !== "string") {
    return { fault: `${shown(word)} ${pattern.fault}` };
  }
  const result = readResult(line.slice(end).trim());
  return "fault" in result ? result : { pattern, result };
}

function readPattern(
  kind: AccessKind,
  word: string,
): string | { fault: string } {
  switch (kind) {
    case "client":
      return clientPattern(word);
    case "helo":
      return isDomainPattern(word) || isAddressLiteral(word) ||
          isAddress(word)
        ? word
        : { fault: "is no domain, .domain or [address]" };
    case "sender":
    case "recipient":
      return isAddressPattern(kind, word) ? word : {
        fault: "is no address, domain, .domain or user@" +
          (kind === "sender" ? ", nor <>" : ""),
      };
  }
}

/** Networks, and the leading numbers of an IPv4 address: `192.0.2`. */
function clientPattern(word: string): string | { fault: string } {
  const octets = word.split(".");
  if (
    octets.length < 4 && octets.every((one) => /^[0-9]{1,3}$/.test(one))
  ) {
    const whole = [...octets, "0", "0", "0"].slice(0, 4).join(".");
    return clientPattern(`${whole}/${8 * octets.length}`);
  }
  const network = parseNetwork(word);
  if (!("fault" in network)) return word;
  return isDomainPattern(word)
    ? {
      fault: "is a name, and clients' names are not looked up: write an " +
        "address or a network",
    }
    : network;
}

function isDomainPattern(word: string): boolean {
  return isDomainName(word.startsWith(".") ? word.slice(1) : word);
}

function isAddressPattern(kind: "sender" | "recipient", word: string): boolean {
  if (word === "<>") return kind === "sender";
  const at = word.lastIndexOf("@");
  if (at < 0) return isDomainPattern(word) || isAddressLiteral(word);
  const domain = word.slice(at + 1);
  return at > 0 && at <= 64 &&
    (domain === "" || isDomainName(domain) || isAddressLiteral(domain));
}

function readResult(text: string): AccessResult | { fault: string } {
  const end = blankAt(text, 0);
  const word = text.slice(0, end).toUpperCase();
  const rest = text.slice(end).trim();
  switch (word) {
    case "":
      return { fault: "has no result such as OK or REJECT" };
    case "OK":
    case "PERMIT":
      return alone("ok", rest);
    case "DUNNO":
      return alone("dunno", rest);
    case "HOLD":
      // Words behind it are for people who read the table.
      return { is: "hold" };
    case "DISCARD":
      return { is: "discard" };
    case "WARN":
    case "INFO":
      return worded(rest, (said) => ({ is: "warn", text: said }));
    case "REJECT":
      return refusal("reject", 554, rest);
    case "DEFER":
      return refusal("defer", 450, rest);
    case "DEFER_IF_PERMIT":
      return refusal("defer-if-permit", 450, rest);
    default:
      return /^[45][0-9][0-9]$/.test(word)
        ? refusal(word.startsWith("4") ? "defer" : "reject", Number(word), rest)
        : {
          fault:
            `has the result ${shown(word)}, which is none of OK, REJECT, ` +
            "DEFER, DEFER_IF_PERMIT, DISCARD, HOLD, WARN, DUNNO, 4NN text, " +
            "5NN text",
        };
  }
}

function alone(
  is: "ok" | "dunno",
  rest: string,
): AccessResult | { fault: string } {
  return rest === "" || rest.startsWith("#")
    ? { is }
    : { fault: `has ${shown(rest)} behind its result` };
}

function refusal(
  is: "reject" | "defer" | "defer-if-permit",
  code: number,
  rest: string,
): AccessResult | { fault: string } {
  const end = blankAt(rest, 0);
  const enhanced = rest.slice(0, end);
  if (!isEnhanced(enhanced)) {
    return worded(rest, (text) => ({ is, code, enhanced: "", text }));
  }
  // RFC 3463 §2: its first digit is that of the code.
  if (enhanced[0] !== String(code)[0]) {
    return { fault: `has the enhanced code ${enhanced} with the code ${code}` };
  }
  return worded(
    rest.slice(end).trim(),
    (text) => ({ is, code, enhanced, text }),
  );
}

/** What is said to a client is one line of printable ASCII. */
function worded(
  text: string,
  use: (text: string) => AccessResult,
): AccessResult | { fault: string } {
  if (text.length > MAX_TEXT) {
    return { fault: `has a text of more than ${MAX_TEXT} characters` };
  }
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code < 0x20 || code > 0x7e) {
      return { fault: "has a text that is not printable ASCII" };
    }
  }
  return use(text);
}

function isEnhanced(word: string): boolean {
  return /^[245]\.[0-9]{1,3}\.[0-9]{1,3}$/.test(word);
}

function blankAt(text: string, from: number): number {
  let at = from;
  while (at < text.length && text[at] !== " " && text[at] !== "\t") at++;
  return at;
}

function shown(word: string): string {
  return JSON.stringify(word.slice(0, 60));
}
