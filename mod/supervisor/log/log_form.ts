/**
 * In which form the log is written: chosen once, at the start, by the setting
 * `log.format` and by what standard error is.
 *
 *     standard error        auto      before each line
 *     a terminal            text      time and severity, in colour
 *     journald's stream     text      its priority, `<N>` (sd-daemon(3))
 *     anything else         json      nothing
 */
import { logText } from "./log_text.ts";
import { PRIORITIES, type Severity } from "./severity.ts";

/** What is known of standard error. */
export interface LogEnd {
  readonly isTerminal: boolean;
  /** Its device and inode, as `8:123`. */
  readonly place: string;
  /** The environment variables NO_COLOR, TERM and JOURNAL_STREAM. */
  readonly noColor: string;
  readonly term: string;
  readonly journalStream: string;
}

/** Turns a line of JSON into what is written. */
export type LogForm = (json: string, severity: Severity) => string;

/** Chooses the form. */
export function logForm(
  format: "auto" | "json" | "text",
  end: LogEnd,
): LogForm {
  // systemd.exec(5): it may be inherited by who writes elsewhere.
  const isJournal = end.journalStream !== "" &&
    end.journalStream === end.place;
  const isText = format === "text" ||
    (format === "auto" && (end.isTerminal || isJournal));
  const look = {
    // https://no-color.org: whatever it is, unless it is empty.
    hasColour: end.isTerminal && end.noColor === "" && end.term !== "dumb",
    hasTime: !isJournal,
  };
  return (json, severity) => {
    const line = isText ? logText(json, severity, look) : json;
    return isJournal ? `<${PRIORITIES[severity]}>${line}` : line;
  };
}
