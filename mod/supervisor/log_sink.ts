/**
 * Collects the roles' log lines. Who spoke is known from the pipe: the name
 * is put on here, and whatever a role says of its own name or time is
 * dropped. Lines are bounded in length and rate.
 */
import { MAX_LOG_LINE } from "../core/log.ts";
import { tamed } from "../core/visible.ts";
import { type Severity, severityOf } from "./log/severity.ts";

/** Lines a second from one process; more are counted and dropped. */
const MAX_LINES_A_SECOND = 2_000;

/** Where finished lines go. */
export type WriteLine = (line: string, severity: Severity) => void;

/** Writes one event of the supervisor's own. */
export function event(
  write: WriteLine,
  name: string,
  fields: Readonly<Record<string, unknown>> = {},
): void {
  const severity = severityOf(name, fields["alarm"] === true);
  const line = JSON.stringify({
    at: new Date().toISOString(),
    role: "supervisor",
    severity,
    event: name,
    ...fields,
  });
  write(line, severity);
}

/** Cuts one process's standard error into lines and passes them on. */
export class LogSink {
  readonly #instance: string;
  readonly #write: WriteLine;
  readonly #decoder = new TextDecoder();
  #held = "";
  #skipping = false;
  #second = 0;
  #lines = 0;
  #dropped = 0;

  constructor(instance: string, write: WriteLine) {
    this.#instance = instance;
    this.#write = write;
  }

  /** Takes the next bytes of standard error. */
  push(bytes: Uint8Array): void {
    let text = this.#held + this.#decoder.decode(bytes, { stream: true });
    let end: number;
    while ((end = text.indexOf("\n")) >= 0) {
      const line = text.slice(0, end);
      text = text.slice(end + 1);
      if (this.#skipping) this.#skipping = false;
      else this.#line(line);
    }
    if (text.length > MAX_LOG_LINE) {
      if (!this.#skipping) this.#line(text.slice(0, MAX_LOG_LINE));
      this.#skipping = true;
      text = "";
    }
    this.#held = text;
  }

  /** The process ended: passes on what has no line end. */
  close(): void {
    const rest = this.#held + this.#decoder.decode();
    if (rest !== "" && !this.#skipping) this.#line(rest);
    this.#held = "";
    this.#reportDropped();
  }

  #line(line: string): void {
    const second = Math.floor(performance.now() / 1_000);
    if (second !== this.#second) {
      this.#reportDropped();
      this.#second = second;
      this.#lines = 0;
    }
    if (++this.#lines > MAX_LINES_A_SECOND) {
      this.#dropped++;
      return;
    }
    this.#emit(parse(line.slice(0, MAX_LOG_LINE)));
  }

  #reportDropped(): void {
    if (this.#dropped === 0) return;
    this.#emit({ event: "log-dropped", lines: this.#dropped });
    this.#dropped = 0;
  }

  #emit(fields: Record<string, unknown>): void {
    const { at: _at, role: _role, severity: _severity, ...rest } = fields;
    const { event: named, ...said } = rest;
    const event = typeof named === "string" ? named : "text";
    const severity = severityOf(event, said["alarm"] === true);
    const line = JSON.stringify({
      at: new Date().toISOString(),
      role: this.#instance,
      severity,
      event,
      ...said,
    });
    this.#write(tamed(line), severity);
  }
}

/** A role's line as fields; what is not our JSON becomes a text. */
function parse(line: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(line);
    if (typeof value === "object" && value !== null && !Array.isArray(value)) {
      return value as Record<string, unknown>;
    }
  } catch {
    // Not ours: the runtime's own words, or worse. Kept as data.
  }
  return { event: "text", text: line };
}
