/**
 * A dialog as `tests/dialogs/*.txt` writes it: what a client says, what the
 * server must answer, and by which section of which RFC. Pure: reads texts and
 * talks to nobody. The form is described in `README.md`.
 */
import { unescape } from "./octets.ts";
import { parsePattern, type Pattern } from "./reply_pattern.ts";

/**
 * How the two are connected: `tls` begins with STARTTLS, `implicit` is TLS from
 * the first octet, for submission only (RFC 8314 §3.3).
 */
export type Transport = "plain" | "tls" | "implicit";

const TESTS = ["pregreet", "dnsbl", "deep"] as const;

/** What a stranger may be tested for. */
export type Test = typeof TESTS[number];

/** What happens next. */
export type Step =
  /** Octets in one write. */
  | { readonly do: "send"; readonly line: number; readonly octets: Uint8Array }
  /** Octets in one write, past TLS: what an attacker on the way puts in. */
  | {
    readonly do: "inject";
    readonly line: number;
    readonly octets: Uint8Array;
  }
  /** One whole reply, or the end of the connection. */
  | { readonly do: "expect"; readonly line: number; readonly pattern: Pattern }
  /** Nothing comes for a while, and the connection stays. */
  | { readonly do: "silence"; readonly line: number }
  /** The connection ends without a reply, whatever else TLS says. */
  | { readonly do: "dropped"; readonly line: number }
  | { readonly do: "wait"; readonly line: number; readonly ms: number }
  /** The handshake of RFC 3207; 220 was read. */
  | { readonly do: "starttls"; readonly line: number }
  /** The client sends FIN and goes on listening. */
  | { readonly do: "half-close"; readonly line: number }
  /** So many messages were taken over until now. */
  | { readonly do: "taken"; readonly line: number; readonly count: number }
  /** The envelope of the last message that was taken over. */
  | { readonly do: "envelope"; readonly line: number; readonly is: string }
  /** The trace field that the server added, unfolded, as a glob. */
  | { readonly do: "trace"; readonly line: number; readonly glob: string }
  /** A field of its header, unfolded, as a glob; or that there is none. */
  | {
    readonly do: "field";
    readonly line: number;
    readonly glob: string;
    readonly isThere: boolean;
  }
  /** Its content, without the trace field that the server adds. */
  | { readonly do: "content"; readonly line: number; readonly is: string };

/** One dialog. */
export interface Dialog {
  readonly file: string;
  readonly line: number;
  readonly title: string;
  /** Such as `RFC 5321 §4.1.1.4`; at least one. */
  readonly cites: readonly string[];
  /** `submissions` is the one with TLS, spoken to as if it had none. */
  readonly port: "smtp" | "submission" | "submissions";
  readonly over: readonly Transport[];
  /** The client does not wait for the greeting. */
  readonly speaksFirst: boolean;
  /**
   * What the client is tested for, which is nobody that the server trusts
   * (`mod/smtpd/screening.ts`); undefined for one that it does.
   */
  readonly tests: readonly Test[] | undefined;
  /** Settings of the server that are not as always, JSON values. */
  readonly settings: ReadonlyMap<string, unknown>;
  /** Needs a server that runs inside the test. */
  readonly inProcess: boolean;
  /** Why the server cannot do this yet; undefined if it must. */
  readonly pending: string | undefined;
  readonly steps: readonly Step[];
}

/** What every other dialog begins or ends with. */
const SHORTHANDS = new Map<string, readonly string[]>([
  ["hello", ["C: EHLO client.test", "S: 250 *"]],
  ["mail", ["C: MAIL FROM:<sender@remote.test>", "S: 250 2.1.0 *"]],
  ["rcpt", ["C: RCPT TO:<me@home.test>", "S: 250 2.1.5 *"]],
  ["data", ["C: DATA", "S: 354 *"]],
  ["bye", ["C: QUIT", "S: 221 2.0.0 *", "S: (closed)"]],
  ["alive", ["C: NOOP", "S: 250 2.0.0 *"]],
]);

/**
 * Reads all dialogs of a file.
 *
 * @throws {SyntaxError} Naming file and line
 */
export function parseDialogs(file: string, text: string): Dialog[] {
  const lines = text.split("\n");
  const starts = lines.flatMap((line, i) => line.startsWith("== ") ? [i] : []);
  for (let i = 0; i < (starts[0] ?? lines.length); i++) {
    const line = lines[i]!;
    if (line !== "" && !line.startsWith("#")) {
      fail(file, i, "a dialog begins with `== its title`");
    }
  }
  return starts.map((start, i) => parseOne(file, lines, start, starts[i + 1]));
}

type Draft =
  & {
    -readonly [K in keyof Dialog]: Dialog[K];
  }
  & { cites: string[]; settings: Map<string, unknown>; steps: Step[] };

function parseOne(
  file: string,
  lines: readonly string[],
  start: number,
  end = lines.length,
): Dialog {
  const draft: Draft = {
    file,
    line: start + 1,
    title: lines[start]!.slice(3).trim(),
    cites: [],
    port: "smtp",
    over: [],
    speaksFirst: false,
    tests: undefined,
    settings: new Map(),
    inProcess: false,
    pending: undefined,
    steps: [],
  };
  let unsent = "";
  let unsentFrom = 0;
  const flush = () => {
    if (unsent === "") return;
    draft.steps.push({
      do: "send",
      line: unsentFrom,
      octets: octetsOf(unsent),
    });
    unsent = "";
  };
  const read = (line: string, at: number) => {
    const rest = line.slice(3);
    if (line.startsWith("C: ") || line.startsWith("C| ") || line === "C:") {
      if (unsent === "") unsentFrom = at + 1;
      unsent += unescape(rest) + (line[1] === ":" ? "\r\n" : "");
      return;
    }
    flush();
    draft.steps.push(stepOf(line, at + 1));
  };
  for (let at = start + 1; at < end; at++) {
    const line = lines[at]!;
    if (line === "" || line.startsWith("#")) continue;
    try {
      const body = /^[CSMTHBP][:|]|^\(/.test(line);
      if (!body && draft.steps.length + unsent.length > 0) {
        throw new SyntaxError("neither C:, S:, P:, M:, T:, H:, B: nor (...)");
      }
      if (!body) head(draft, line);
      else for (const one of expand(line)) read(one, at);
    } catch (error) {
      fail(file, at, (error as Error).message);
    }
  }
  flush();
  draft.over = transports(draft);
  if (draft.cites.length === 0) fail(file, start, "cites no RFC section");
  if (draft.steps.length === 0) fail(file, start, "has no steps");
  if (draft.steps[0]!.do === "expect" && draft.over[0] !== draft.over.at(-1)) {
    fail(file, start, "sees the greeting, so it is plain-only");
  }
  return draft;
}

function transports({ port, over }: Draft): Transport[] {
  const all: Transport[] = port === "submission"
    ? ["plain", "tls", "implicit"]
    : ["plain", "tls"];
  const [only] = over;
  if (only === undefined) return all;
  return all.filter((one) => (one === "plain") === (only === "plain"));
}

function head(draft: Draft, line: string): void {
  if (line.startsWith("RFC ")) {
    draft.cites.push(...citations(line));
    return;
  }
  const colon = line.indexOf(": ");
  const key = colon < 0 ? line : line.slice(0, colon);
  const value = colon < 0 ? "" : line.slice(colon + 2).trim();
  switch (key) {
    case "plain-only":
      draft.over = ["plain"];
      return;
    case "tls-only":
      draft.over = ["tls"];
      return;
    case "speaks-first":
      draft.speaksFirst = true;
      draft.over = ["plain"];
      return;
    case "in-process":
      draft.inProcess = true;
      return;
    case "port":
      draft.port = portOf(value);
      return;
    case "stranger":
      draft.tests = value.split(", ").map(testOf);
      draft.inProcess = true;
      return;
    case "config":
      for (const pair of value.split(", ")) {
        const equals = pair.indexOf("=");
        draft.settings.set(
          pair.slice(0, equals).trim(),
          JSON.parse(pair.slice(equals + 1)),
        );
      }
      draft.inProcess = true;
      return;
    case "pending":
      draft.pending = value;
      return;
    default:
      throw new SyntaxError(`unknown head line ${JSON.stringify(line)}`);
  }
}

function portOf(name: string): Dialog["port"] {
  switch (name) {
    case "smtp":
    case "submission":
    case "submissions":
      return name;
  }
  throw new SyntaxError(`unknown port ${name}`);
}

function testOf(name: string): Test {
  const test = TESTS.find((one) => one === name);
  if (test === undefined) throw new SyntaxError(`unknown test ${name}`);
  return test;
}

/** `RFC 5321 §4.1.1.4, §4.5.2; RFC 2920 §3.1`, each with at least one §. */
function citations(line: string): string[] {
  return line.split(";").flatMap((part) => {
    const match = /^ ?RFC (\d{3,5}) (§[^,]+(?:, §[^,]+)*)$/.exec(part);
    if (match === null) throw new SyntaxError(`no citation: ${part.trim()}`);
    return match[2]!.split(", ").map((section) => {
      if (!/^§[0-9A-Z]+(\.[0-9]+)*$/.test(section)) {
        throw new SyntaxError(`no section: ${section}`);
      }
      return `RFC ${match[1]} ${section}`;
    });
  });
}

function expand(line: string): readonly string[] {
  const times = /^S: (\d{1,4}) times (.+)$/.exec(line);
  if (times !== null) {
    return new Array<string>(Number(times[1])).fill(`S: ${times[2]}`);
  }
  const match = /^\(([a-z, ]+)\)$/.exec(line);
  if (match === null) return [line];
  const words = match[1]!.split(", ");
  if (!words.every((word) => SHORTHANDS.has(word))) return [line];
  return words.flatMap((word) => SHORTHANDS.get(word)!);
}

function stepOf(text: string, line: number): Step {
  if (text.startsWith("S: ")) {
    if (text === "S: (silence)") return { do: "silence", line };
    if (text === "S: (dropped)") return { do: "dropped", line };
    return { do: "expect", line, pattern: parsePattern(text.slice(3)) };
  }
  if (text.startsWith("P: ")) {
    return {
      do: "inject",
      line,
      octets: octetsOf(`${unescape(text.slice(3))}\r\n`),
    };
  }
  if (text.startsWith("M: ")) {
    return { do: "envelope", line, is: unescape(text.slice(3)) };
  }
  if (text.startsWith("T: ")) {
    return { do: "trace", line, glob: text.slice(3) };
  }
  if (text.startsWith("H: ")) {
    const isThere = text[3] !== "!";
    return { do: "field", line, glob: text.slice(isThere ? 3 : 4), isThere };
  }
  if (text.startsWith("B: ")) {
    return { do: "content", line, is: unescape(text.slice(3)) };
  }
  if (text === "B:") return { do: "content", line, is: "" };
  if (text === "(starttls)") return { do: "starttls", line };
  if (text === "(half-close)") return { do: "half-close", line };
  const wait = /^\(wait (\d{1,4})ms\)$/.exec(text);
  if (wait !== null) return { do: "wait", line, ms: Number(wait[1]) };
  const taken = /^\(taken (\d+)\)$/.exec(text);
  if (taken !== null) return { do: "taken", line, count: Number(taken[1]) };
  throw new SyntaxError(`unknown step ${JSON.stringify(text)}`);
}

function octetsOf(text: string): Uint8Array {
  return Uint8Array.from(text, (c) => c.charCodeAt(0));
}

function fail(file: string, at: number, why: string): never {
  throw new SyntaxError(`${file}:${at + 1}: ${why}`);
}
