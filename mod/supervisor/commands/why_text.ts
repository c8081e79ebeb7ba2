/** A journey on a terminal of 80 columns. Pure; strangers' text is escaped. */
import { visible } from "../../core/visible.ts";
import type { Journey, Step, Tone } from "../../journey/journey.ts";
import type { WhyTold } from "../../queue/inspect_ipc.ts";
import { MAX_FOUND } from "../../queue/story_ipc.ts";

const COLUMNS = 79;
/** Before each step: `14:39:57 + `. */
const INDENT = "           ";
/** Messages that are listed. */
const MAX_LISTED = 20;

const MARKS = {
  good: "+",
  waiting: "~",
  bad: "!",
  plain: " ",
} as const satisfies Record<Tone, string>;

/**
 * A journey as lines.
 *
 * @param full With the evidence of every step
 */
export function journeyText(journey: Journey, full: boolean): string {
  const { queueId, headline, steps, next, advice } = journey;
  const lines = [
    ...wrapped(
      (queueId === "" ? "" : `${queueId}: `) + headline,
      { first: "", rest: "" },
    ),
  ];
  let day = "";
  let recipient = "";
  for (const step of steps) {
    const date = dateOf(step);
    if (date !== day) lines.push("", date);
    day = date;
    if (step.recipient !== "" && step.recipient !== recipient) {
      lines.push(...wrapped(`<${step.recipient}>`, indented()));
      recipient = step.recipient;
    }
    lines.push(...stepLines(step, full));
  }
  if (next !== "") {
    lines.push("", ...wrapped(next, { first: "Next: ", rest: "      " }));
  }
  if (advice.length > 0) {
    lines.push("", "What to do:");
    for (const { text, command } of advice) {
      lines.push(...wrapped(text, { first: "- ", rest: "  " }));
      // Not wrapped: it is copied.
      if (command !== "") lines.push(`    ${shown(command)}`);
    }
  }
  return lines.join("\n");
}

function stepLines(step: Step, full: boolean): string[] {
  const time = step.atMs === null ? "        " : iso(step.atMs).slice(11, 19);
  const lines = wrapped(step.text, {
    first: `${time} ${MARKS[step.tone]} `,
    rest: INDENT,
  });
  if (!full) return lines;
  return [
    ...lines,
    ...step.details.flatMap((line) => wrapped(line, indented("    "))),
  ];
}

function indented(more = ""): { first: string; rest: string } {
  return { first: INDENT + more, rest: `${INDENT}${more}  ` };
}

function dateOf({ atMs }: Step): string {
  return atMs === null ? "" : `${iso(atMs).slice(0, 10)} (UTC)`;
}

function iso(ms: number): string {
  return Math.abs(ms) <= 8.64e15
    ? new Date(ms).toISOString()
    : "----------T--------";
}

/** The messages that were found, newest first, and how to pick one. */
export function foundText(found: WhyTold["found"]): string {
  const lines = found.slice(0, MAX_LISTED).flatMap((one) => {
    const [first = "", ...others] = one.to;
    const more = Math.max(others.length, one.recipients - 1);
    return [
      `${shown(one.queueId)}  ${iso(one.atMs).slice(0, 16).replace("T", " ")}` +
      `  ${shown(one.state)}`,
      ...wrapped(
        `<${one.sender}> to <${first}>${more > 0 ? ` and ${more} more` : ""}`,
        { first: "    ", rest: "      " },
      ),
    ];
  });
  const left = found.length - MAX_LISTED;
  return [
    found.length < MAX_FOUND
      ? `${found.length} messages, the newest first (UTC):`
      : `The newest ${found.length} messages, there may be more (UTC):`,
    ...lines,
    ...left > 0 ? [`and ${left} more; another word narrows it down.`] : [],
    "",
    `Pick one: bulkhead why ${shown(found[0]!.queueId)}`,
  ].join("\n");
}

function shown(text: string): string {
  return visible(text, "?");
}

/** Breaks at spaces; a word longer than a line is cut. */
function wrapped(
  text: string,
  { first, rest }: { readonly first: string; readonly rest: string },
): string[] {
  const lines: string[] = [];
  let line = first;
  let isEmpty = true;
  for (const word of shown(text).split(" ")) {
    let left = word;
    if (!isEmpty && line.length + 1 + left.length > COLUMNS) {
      lines.push(line);
      line = rest;
      isEmpty = true;
    }
    while (line.length + left.length > COLUMNS) {
      const room = COLUMNS - line.length;
      lines.push(line + left.slice(0, room));
      left = left.slice(room);
      line = rest;
      isEmpty = true;
    }
    line += (isEmpty ? "" : " ") + left;
    isEmpty = false;
  }
  lines.push(line);
  return lines;
}
