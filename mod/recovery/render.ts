/** The tables in Markdown, as `deno fmt` leaves them. Pure. */
import { type Death, DEATHS, type Edge, EDGES, type End } from "./edges.ts";
import { type State, STATES } from "./states.ts";

/** What stands around the tables in a document. */
export const BEGIN = "<!-- begin: deno run -A scripts/recovery_doc.ts -->";
export const END = "<!-- end -->";

/** Both tables, between {@link BEGIN} and {@link END}. */
export function render(): string {
  return [
    BEGIN,
    "",
    "### States",
    "",
    ...table(
      ["state", "in the code", "what is true"],
      STATES.map(stateCells),
    ),
    "",
    "### Edges",
    "",
    ...table(
      [
        "edge",
        "moves",
        "from, to",
        "told",
        "kill leaves",
        "power cut leaves",
        "sweep finds",
        "what a start does",
        ...DEATHS.map((death) => HEADINGS[death]),
      ],
      EDGES.map(edgeCells),
    ),
    "",
    END,
  ].join("\n");
}

/**
 * Puts the tables in place of those that a document has.
 *
 * @throws {RangeError} If the document has no place for them
 */
export function refresh(document: string): string {
  const from = document.indexOf(BEGIN);
  const to = document.indexOf(END);
  if (from < 0 || to < from) {
    throw new RangeError("Cannot write the tables: there is no place for them");
  }
  return document.slice(0, from) + render() + document.slice(to + END.length);
}

const HEADINGS: Readonly<Record<Death, string>> = {
  queue: "queue dies",
  spool: "spool dies",
  both: "both die",
  smtpd: "smtpd dies",
  kill: "all killed",
  power: "power cut",
};

function stateCells({ name, code, means }: State): string[] {
  return [name, code.map((one) => `\`${one}\``).join(", "), means];
}

function edgeCells(edge: Edge): string[] {
  const { from, to, leaves, finds } = edge;
  return [
    edge.name,
    edge.by,
    from === to ? from : `${from} -> ${to}`,
    toldText(edge.told),
    `\`${leaves.kill}\``,
    `\`${leaves.power}\``,
    finds.kill === finds.power ? finds.kill : `${finds.kill}; ${finds.power}`,
    edge.start,
    ...DEATHS.map((death) => endText(edge.ends[death])),
  ];
}

function toldText(told: End["told"]): string {
  return told === "-" ? "nothing" : told;
}

function endText({ told, copies: [least, most] }: End): string {
  const copies = least === most ? `${least}` : `${least} to ${most}`;
  return `${toldText(told)}, ${copies}`;
}

function table(head: readonly string[], rows: readonly string[][]): string[] {
  const widths = head.map((title, at) =>
    Math.max(title.length, ...rows.map((row) => row[at]!.length))
  );
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell, at) => cell.padEnd(widths[at]!)).join(" | ")} |`;
  return [
    line(head),
    `| ${widths.map((width) => "-".repeat(width)).join(" | ")} |`,
    ...rows.map(line),
  ];
}
