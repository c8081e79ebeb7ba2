/** Looks at standard error, for `log_form.ts`. */
import fs from "node:fs";
import type { LogEnd } from "./log_form.ts";

/** What standard error is. */
export function standardError(): LogEnd {
  return {
    isTerminal: Deno.stderr.isTerminal(),
    place: placeOf(2),
    noColor: Deno.env.get("NO_COLOR") ?? "",
    term: Deno.env.get("TERM") ?? "",
    journalStream: Deno.env.get("JOURNAL_STREAM") ?? "",
  };
}

function placeOf(fd: number): string {
  try {
    const { dev, ino } = fs.fstatSync(fd, { bigint: true });
    return `${dev}:${ino}`;
  } catch {
    // A closed standard error is nobody's journal.
    return "";
  }
}
