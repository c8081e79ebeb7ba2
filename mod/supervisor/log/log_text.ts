/**
 * A log line for people: its JSON object as one line of text. Pure.
 *
 *     14:03:07 warning queue.0 recipient-deferred id=1M7Z… to=eva@x.test code=451 text="4.4.1 ..."
 *
 * What is in it came through the mail and goes to a terminal, which obeys
 * none of it.
 */
import { tamed } from "../../core/visible.ts";
import type { Severity } from "./severity.ts";

/** How it looks. */
export interface TextLook {
  readonly hasColour: boolean;
  /** journald keeps the time and the severity itself. */
  readonly hasTime: boolean;
}

const ESC = "\u001b[";
const PLAIN = `${ESC}0m`;
const FAINT = `${ESC}2m`;
const BOLD = `${ESC}1m`;
const COLOURS: Readonly<Record<Severity, string>> = {
  error: `${ESC}31m`,
  warning: `${ESC}33m`,
  notice: `${ESC}36m`,
  info: "",
};

/** Renders a line that the log's JSON form is; another as it is. */
export function logText(json: string, severity: Severity, look: TextLook) {
  let line: Record<string, unknown>;
  try {
    line = JSON.parse(json);
  } catch {
    return tamed(json);
  }
  const { at, role, event, severity: _, ...fields } = line;
  const paint = (colour: string, text: string) =>
    look.hasColour && colour !== "" ? `${colour}${text}${PLAIN}` : text;
  return [
    ...look.hasTime
      ? [
        paint(FAINT, clockOf(String(at))),
        paint(COLOURS[severity], severity.padEnd(7)),
      ]
      : [],
    String(role),
    paint(COLOURS[severity] + BOLD, word(event)),
    ...Object.entries(fields).map(([name, value]) =>
      `${paint(FAINT, `${word(name)}=`)}${shown(value)}`
    ),
  ].join(" ");
}

/** The time of day here. */
function clockOf(at: string): string {
  const date = new Date(at);
  if (Number.isNaN(date.getTime())) return "??:??:??";
  return [date.getHours(), date.getMinutes(), date.getSeconds()]
    .map((n) => String(n).padStart(2, "0")).join(":");
}

function shown(value: unknown): string {
  return typeof value === "string" ? word(value) : tamed(JSON.stringify(value));
}

/** As it is, if it is one word that needs no quotes; else as JSON. */
function word(value: unknown): string {
  const text = String(value);
  const isPlain = text !== "" &&
    [...text].every((one) =>
      one > " " && one !== '"' && one !== "\u007f" &&
      (one < "\u0080" || one > "\u009f")
    );
  return isPlain ? tamed(text) : tamed(JSON.stringify(text));
}
