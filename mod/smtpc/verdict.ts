/** From a reply, or the lack of one, to an outcome. Pure. */
import { type Outcome, saidOf } from "../core/outcome.ts";
import type { Reply } from "./reply.ts";

const MAX_TEXT = 500;
const MAX_SAID = 600;
const MAX_HOST = 255;

/** What a reply means for the command it answers, RFC 5321 §4.2.1. */
export type Meaning = "done" | "go-on" | "temporary" | "permanent" | "closing";

/** Reads the first digit; 421 is special: the server goes away (§3.8). */
export function meaningOf(reply: Reply): Meaning {
  if (reply.code === 421) return "closing";
  if (reply.code < 300) return "done";
  if (reply.code < 400) return "go-on";
  return reply.code < 500 ? "temporary" : "permanent";
}

/**
 * The host's own words as an outcome: 2xx delivered, 4xx temporary, 5xx
 * permanent, 3xx temporary, since nobody asked for more.
 */
export function outcomeOf(reply: Reply, host: string): Outcome {
  const kind = reply.code < 300
    ? "delivered"
    : reply.code < 500
    ? "temporary"
    : "permanent";
  if (reply.code >= 300 && reply.code < 400) {
    const words = `unexpected reply ${wordsOf(reply)}`;
    return said(troubleOutcome(words, host, "4.5.0"), reply);
  }
  const { enhanced, text } = split(reply);
  const { code } = reply;
  return said({ kind, code, enhanced, text, host: cutHost(host) }, reply);
}

/**
 * A 5xx that does not speak about the mail, only about this host or moment:
 * kept as words, made temporary. Postfix does the same to greetings.
 */
export function softened(reply: Reply, host: string): Outcome {
  const { enhanced } = split(reply);
  return said({
    kind: "temporary",
    code: reply.code >= 400 ? 400 + reply.code % 100 : 451,
    enhanced: "4" + enhanced.slice(1),
    text: wordsOf(reply).slice(0, MAX_TEXT),
    host: cutHost(host),
  }, reply);
}

/** With the reply itself, where the outcome does not say the same. */
function said(outcome: Outcome, reply: Reply): Outcome {
  const words = wordsOf(reply).slice(0, MAX_SAID);
  return words === saidOf(outcome) ? outcome : { ...outcome, said: words };
}

/** A temporary outcome of the session itself; `4.4.2` is a lost connection. */
export function troubleOutcome(
  why: string,
  host: string,
  enhanced = "4.4.2",
): Outcome {
  return {
    kind: "temporary",
    code: 451,
    enhanced,
    text: why.slice(0, MAX_TEXT),
    host: cutHost(host),
    said: "",
  };
}

/** Code and texts on one line. */
export function wordsOf(reply: Reply): string {
  return `${reply.code} ${reply.lines.join(" ")}`.trimEnd();
}

function cutHost(host: string): string {
  return host.slice(0, MAX_HOST);
}

/** Takes the enhanced status code (RFC 2034 §4) out of the lines' texts. */
function split(reply: Reply): { enhanced: string; text: string } {
  const digit = reply.code < 300 ? "2" : reply.code < 500 ? "4" : "5";
  let enhanced = "";
  const texts = reply.lines.map((line) => {
    const end = enhancedEnd(line);
    if (end === 0) return line;
    if (enhanced === "" && line[0] === digit) enhanced = line.slice(0, end);
    return line.slice(end + 1);
  });
  return {
    enhanced: enhanced === "" ? `${digit}.0.0` : enhanced,
    text: texts.join(" ").trim().slice(0, MAX_TEXT),
  };
}

/** Where the `class.subject.detail` at the line's start ends; 0 if none. */
function enhancedEnd(line: string): number {
  const space = line.indexOf(" ");
  const end = space < 0 ? line.length : space;
  if (end > 9) return 0;
  return /^[245]\.\d{1,3}\.\d{1,3}$/.test(line.slice(0, end)) ? end : 0;
}
