/** The proof's result as a small table. */
import { report } from "../crash/proof.ts";
import type { Outcome } from "./erasure_round.ts";
import { TRACE_KINDS, type Traces } from "./trace_search.ts";

/** Lines of places that are reported of one outcome. */
const MAX_PLACES = 30;

const HEADINGS = ["file system, round", "when", ...TRACE_KINDS];

/**
 * Reports how many secrets of each kind were found, of how many: while the mail
 * waited, when its time was up, and after the unmounting; then what is left
 * and where, and what the server says of that file system.
 */
export function reportOutcomes(outcomes: readonly Outcome[]): void {
  const rows = outcomes.flatMap((outcome) => [
    [outcome.name, "waiting", ...counts(outcome.held)],
    ["", goneText(outcome), ...counts(outcome.live)],
    ["", "unmounted", ...counts(outcome.unmounted)],
  ]);
  for (const line of aligned([HEADINGS, ...rows])) report(line);
  for (const { name, left, status } of outcomes) {
    report(`\n${name}: bulkhead shred status says:\n${indented(status)}`);
    for (const place of left.slice(0, MAX_PLACES)) report(`  ${place}`);
    if (left.length > MAX_PLACES) {
      report(`  and ${left.length - MAX_PLACES} places more`);
    }
  }
}

function goneText({ goneAfterMs, overwrittenAfterMs }: Outcome): string {
  if (goneAfterMs === undefined) return "NOT gone in time";
  const gone = `unreadable after ${seconds(goneAfterMs)}`;
  if (overwrittenAfterMs === undefined) return gone;
  return `${gone}, overwritten after ${seconds(overwrittenAfterMs)}`;
}

function seconds(ms: number): string {
  return `${(ms / 1_000).toFixed(1)} s`;
}

function counts(traces: Traces): string[] {
  return TRACE_KINDS.map((kind) =>
    `${traces.found(kind)} of ${traces.wanted(kind)}`
  );
}

function aligned(rows: readonly (readonly string[])[]): string[] {
  const widths = HEADINGS.map((_, column) =>
    Math.max(...rows.map((row) => row[column]!.length))
  );
  return rows.map((row) =>
    row.map((text, column) => text.padEnd(widths[column]!)).join("  ").trimEnd()
  );
}

function indented(text: string): string {
  return text.split("\n").map((line) => `  ${line}`).join("\n");
}
