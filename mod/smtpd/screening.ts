/**
 * Screening: what a client shows of itself before it is believed to be a mail
 * server, as a value: (screening, event) -> (screening, actions). No I/O and no
 * clock of its own.
 *
 *     trap --waited, scored--> session          any --dropped--> dropped
 *
 * Three tests, each made only if the gate asks for it:
 *
 * - `pregreet`: half a greeting is written; who talks before the other half has
 *   not read it. RFC 5321 §3.1 has the server speak first.
 * - `dnsbl`: the gate asks the lists meanwhile. An answer that is late is not
 *   waited for: it counts from when it comes.
 * - `deep`: the first session is watched, in passing. A client never has to
 *   come again, as it does where such tests need a session of their own.
 *
 * A failure is ignored, enforced (each recipient is refused, so that the log
 * says whose mail it was) or ends the connection. In shadow mode it is told,
 * and nothing is done.
 */
import type { SmtpReply } from "../core/reply.ts";
import type { Line } from "./line_reader.ts";
import { screeningReply } from "./replies.ts";

/** What the gate may ask for. */
export type Test = "pregreet" | "dnsbl" | "deep";
/** What a failure leads to. */
export type Consequence = "ignore" | "enforce" | "drop";
/** Faults that are found here; those of `dnsbl` are found by the gate. */
export type Fault =
  | "pregreet"
  | "pipelining"
  | "bare-newline"
  | "non-smtp-command";

/** How a server screens. */
export interface ScreeningRules {
  /** Everything is told, and nothing done. */
  readonly shadow: boolean;
  readonly greetAction: Consequence;
  readonly deepAction: Consequence;
}

/** What the recipients of a client are refused with. */
export interface Refusal {
  readonly reply: SmtpReply;
  /** The connection ends with it. */
  readonly closes: boolean;
  /** For the log. */
  readonly rule: string;
}

/** A test that was failed, as the gate is told it. */
export interface Failed {
  readonly rule: string;
  readonly evidence: string;
  /** Something was done about it. */
  readonly stopped: boolean;
}

type Trial = "not-made" | "open" | "passed" | "failed";

/** See the file's header. */
export interface Screening {
  /** `trap`: the client has no greeting yet, or half of one. */
  readonly at: "trap" | "session" | "dropped";
  readonly trials: Readonly<Record<Test, Trial>>;
  readonly startedAtMs: number;
  /** When the trap ends, whatever is still open. */
  readonly trapEndsAtMs: number;
  readonly refusal: Refusal | undefined;
  /** What was found, until it is told. */
  readonly passed: readonly Test[];
  readonly failed: readonly Failed[];
  /** A recipient was named: QUIT now is the end of an honest session. */
  readonly sawRecipient: boolean;
}

/** What the lists say of a client. */
export type Score =
  | { readonly is: "passed"; readonly evidence?: string }
  /** So good that no further test is made. */
  | { readonly is: "allowed"; readonly evidence?: string }
  | { readonly is: "failed"; readonly refusal: Refusal; evidence: string }
  /** The gate does not answer. */
  | { readonly is: "unknown" };

/** What happens. */
export type ScreeningEvent =
  /** Octets came; all of them so far. */
  | { readonly is: "spoke"; readonly octets: Uint8Array; nowMs: number }
  | { readonly is: "clock"; readonly nowMs: number }
  | { readonly is: "scored"; readonly score: Score }
  /** A command line of the session. */
  | {
    readonly is: "line";
    readonly line: Line;
    /** Octets stand behind it already. */
    readonly moreFollows: boolean;
    /** It was told, in the reply to EHLO, that it may do so. */
    readonly mayPipeline: boolean;
  }
  /** A message was taken from it. */
  | { readonly is: "mailed" };

/** What is to be done. */
export type ScreeningAction =
  /** Write the first half of the greeting. */
  | { readonly do: "tease" }
  /** Ask for the score; `scored` follows. */
  | { readonly do: "score" }
  /** Write the greeting, and begin the session. */
  | { readonly do: "greet" }
  | { readonly do: "drop"; readonly reply: SmtpReply }
  | {
    readonly do: "tell";
    readonly passed: readonly Test[];
    readonly failed: readonly Failed[];
  };

/** A screening and what to do now, in order. */
export type ScreeningStep = readonly [Screening, readonly ScreeningAction[]];

/**
 * Begins.
 *
 * @param options.tests What the gate asks for
 * @param options.refusal What it says already; no test is needed then
 * @param options.waitMs Longest wait before the greeting; 0 makes no trap
 */
export function beginScreening(options: {
  tests: readonly Test[];
  refusal: Refusal | undefined;
  waitMs: number;
  nowMs: number;
}): ScreeningStep {
  const { tests, refusal, waitMs, nowMs } = options;
  const trial = (test: Test): Trial =>
    tests.includes(test) ? "open" : "not-made";
  const pregreet = waitMs > 0 ? trial("pregreet") : "not-made";
  const screening: Screening = {
    at: "trap",
    trials: { pregreet, dnsbl: trial("dnsbl"), deep: trial("deep") },
    startedAtMs: nowMs,
    trapEndsAtMs: nowMs + waitMs,
    refusal,
    passed: [],
    failed: [],
    sawRecipient: false,
  };
  const actions: ScreeningAction[] = [];
  if (pregreet === "open") actions.push({ do: "tease" });
  if (screening.trials.dnsbl === "open") actions.push({ do: "score" });
  const [next, more] = goOn(screening, nowMs);
  return [next, [...actions, ...more]];
}

/** The one transition function. */
export function screen(
  screening: Screening,
  event: ScreeningEvent,
  rules: ScreeningRules,
): ScreeningStep {
  if (screening.at === "dropped") return [screening, []];
  switch (event.is) {
    case "spoke":
      return onSpoke(screening, event, rules);
    case "clock":
      return goOn(screening, event.nowMs);
    case "scored":
      return onScore(screening, event.score);
    case "line":
      return onLine(screening, event, rules);
    case "mailed":
      return goOn(pass(screening, "deep"));
  }
}

/** True if nothing of the client is left to be seen or refused. */
export function isOver({ at, trials, refusal }: Screening): boolean {
  return at !== "trap" && refusal === undefined && trials.dnsbl !== "open" &&
    trials.deep !== "open";
}

function onSpoke(
  screening: Screening,
  { octets, nowMs }: ScreeningEvent & { is: "spoke" },
  rules: ScreeningRules,
): ScreeningStep {
  if (screening.trials.pregreet !== "open" || octets.length === 0) {
    return [screening, []];
  }
  const afterMs = Math.round(nowMs - screening.startedAtMs);
  const said = quoted(String.fromCharCode(...octets.subarray(0, 40)));
  return fail(screening, {
    test: "pregreet",
    fault: "pregreet",
    evidence: `spoke ${afterMs} ms after connecting: ${said}`,
    consequence: rules.greetAction,
    shadow: rules.shadow,
  });
}

function onScore(screening: Screening, score: Score): ScreeningStep {
  switch (score.is) {
    case "passed":
      return goOn(pass(screening, "dnsbl"));
    case "unknown":
      return goOn(withTrial(screening, "dnsbl", "not-made"));
    case "allowed": {
      const known = pass(screening, "dnsbl");
      const skip = (trial: Trial) => trial === "open" ? "not-made" : trial;
      const { dnsbl, pregreet, deep } = known.trials;
      return goOn({
        ...known,
        trials: { dnsbl, pregreet: skip(pregreet), deep: skip(deep) },
      });
    }
    case "failed": {
      const { refusal, evidence } = score;
      const found = { rule: refusal.rule, evidence };
      const next = failed(screening, "dnsbl", found, true);
      // Once it is greeted it is told when it names somebody.
      if (refusal.closes && screening.at === "trap") {
        return drop(next, refusal.reply);
      }
      return goOn({ ...next, refusal: next.refusal ?? refusal });
    }
  }
}

function onLine(
  screening: Screening,
  event: ScreeningEvent & { is: "line" },
  rules: ScreeningRules,
): ScreeningStep {
  if (screening.trials.deep !== "open") return [screening, []];
  const fault = faultOf(event);
  if (fault !== undefined) {
    const { line } = event;
    return fail(screening, {
      test: "deep",
      fault,
      evidence: line.is === "line"
        ? `${fault} at ${quoted(line.text)}`
        : `${fault} in a command`,
      consequence: rules.deepAction,
      shadow: rules.shadow,
    });
  }
  if (event.line.is !== "line") return [screening, []];
  switch (verbOf(event.line.text)) {
    case "RCPT":
      return [{ ...screening, sawRecipient: true }, []];
    case "QUIT":
      return screening.sawRecipient
        ? goOn(pass(screening, "deep"))
        : [screening, []];
  }
  return [screening, []];
}

/** What no mail server does. */
function faultOf(
  { line, moreFollows, mayPipeline }: ScreeningEvent & { is: "line" },
): Fault | undefined {
  if (line.is === "fault") {
    return line.fault === "bare-lf" ? "bare-newline" : undefined;
  }
  if (line.is === "flood") return undefined;
  if (isForeign(line.text)) return "non-smtp-command";
  // RFC 2920 §3.1: only if it was offered, and never behind EHLO.
  const verb = verbOf(line.text);
  const mustWait = !mayPipeline || verb === "EHLO" || verb === "HELO";
  return moreFollows && mustWait ? "pipelining" : undefined;
}

const FOREIGN = new Set(
  ["CONNECT", "DELETE", "GET", "HEAD", "OPTIONS", "POST", "PUT"],
);

/** HTTP, a header field (`Name: value`), or no text at all. */
function isForeign(text: string): boolean {
  if (FOREIGN.has(verbOf(text))) return true;
  const first = text.charCodeAt(0);
  if (first < 0x20 || first > 0x7e) return true;
  for (let i = 0; i < text.length; i++) {
    if (text[i] === ":") return i > 0;
    if (!isFieldNameChar(text.charCodeAt(i))) return false;
  }
  return false;
}

function isFieldNameChar(c: number): boolean {
  return (c >= 0x30 && c <= 0x39) || (c >= 0x41 && c <= 0x5a) ||
    (c >= 0x61 && c <= 0x7a) || c === 0x2d;
}

function verbOf(text: string): string {
  // Longer words than any that is looked for need not be read.
  const space = text.indexOf(" ");
  const end = space < 0 ? text.length : space;
  return text.slice(0, Math.min(end, 9)).toUpperCase();
}

function fail(
  screening: Screening,
  found: {
    test: Test;
    fault: Fault;
    evidence: string;
    consequence: Consequence;
    shadow: boolean;
  },
): ScreeningStep {
  const { test, fault: rule, evidence, shadow } = found;
  const consequence = shadow ? "ignore" : found.consequence;
  const stopped = consequence !== "ignore";
  const next = failed(screening, test, { rule, evidence }, stopped);
  switch (consequence) {
    case "ignore":
      return goOn(next);
    case "enforce": {
      const reply = screeningReply(rule, 550);
      const refusal = next.refusal ?? { reply, closes: false, rule };
      return goOn({ ...next, refusal });
    }
    case "drop":
      return drop(next, screeningReply(rule, 521));
  }
}

function drop(screening: Screening, reply: SmtpReply): ScreeningStep {
  const [next, tell] = told({ ...screening, at: "dropped" });
  return [next, [...tell, { do: "drop", reply }]];
}

/** Ends the trap when it is time, and tells what is known. */
function goOn(screening: Screening, nowMs = -Infinity): ScreeningStep {
  if (screening.at !== "trap") return told(screening);
  const { pregreet, dnsbl } = screening.trials;
  const isOut = nowMs >= screening.trapEndsAtMs;
  if (!isOut && (pregreet === "open" || dnsbl === "open")) {
    return [screening, []];
  }
  const waited = pregreet === "open" ? pass(screening, "pregreet") : screening;
  const [next, tell] = told({ ...waited, at: "session" });
  return [next, [...tell, { do: "greet" }]];
}

function told(screening: Screening): ScreeningStep {
  const { passed, failed } = screening;
  if (passed.length + failed.length === 0) return [screening, []];
  return [
    { ...screening, passed: [], failed: [] },
    [{ do: "tell", passed, failed }],
  ];
}

function pass(screening: Screening, test: Test): Screening {
  if (screening.trials[test] !== "open") return screening;
  const passed = [...screening.passed, test];
  return { ...withTrial(screening, test, "passed"), passed };
}

function failed(
  screening: Screening,
  test: Test,
  found: { rule: string; evidence: string },
  stopped: boolean,
): Screening {
  const all = [...screening.failed, { ...found, stopped }];
  return { ...withTrial(screening, test, "failed"), failed: all };
}

function withTrial(screening: Screening, test: Test, trial: Trial): Screening {
  return { ...screening, trials: { ...screening.trials, [test]: trial } };
}

/** So few octets that their escapes fit in the evidence, whatever they are. */
function quoted(said: string): string {
  return JSON.stringify(said.slice(0, 40));
}
