/**
 * Writes the log without ever waiting for it: whoever reads standard error
 * may be slow or stuck, and the mail must not be. What does not fit into the
 * buffer is counted and dropped, and the log says so when it moves again.
 */

import { joinOctets } from "../core/octets.ts";
import type { LogForm } from "./log/log_form.ts";
import type { Severity } from "./log/severity.ts";
import { event } from "./log_sink.ts";

/** Octets that wait for a slow reader at most. */
const MAX_WAITING = 8 * 1024 * 1024;
/** Octets written at once. */
const CHUNK = 64 * 1024;

/** Where the log goes; standard error is one. */
export interface LogSinkEnd {
  write(bytes: Uint8Array): Promise<number>;
}

/** A log writer with a bounded buffer. */
export class LogWriter {
  readonly #end: LogSinkEnd;
  readonly #encoder = new TextEncoder();
  #lines: Uint8Array[] = [];
  #octets = 0;
  #dropped = 0;
  #writing: Promise<void> | undefined;
  #isBroken = false;
  /** How lines are written; as they are, until somebody says. */
  form: LogForm = (json) => json;

  constructor(end: LogSinkEnd) {
    this.#end = end;
  }

  /** Queues one line, or drops it. */
  readonly line = (json: string, severity: Severity): void => {
    if (this.#isBroken) return;
    const bytes = this.#encoder.encode(this.form(json, severity) + "\n");
    if (this.#octets + bytes.length > MAX_WAITING) {
      this.#dropped++;
      return;
    }
    this.#lines.push(bytes);
    this.#octets += bytes.length;
    this.#writing ??= this.#drain();
  };

  /** Waits until everything is written, or `withinMs` have passed. */
  async flush(withinMs: number): Promise<void> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, withinMs);
    });
    await Promise.race([this.#writing ?? Promise.resolve(), late]);
    clearTimeout(timer);
  }

  async #drain(): Promise<void> {
    try {
      while (this.#lines.length > 0) await this.#writeAll(this.#take());
    } catch {
      // Nobody reads the log any more (a closed pipe). The mail goes on.
      this.#isBroken = true;
      this.#lines = [];
    }
    this.#writing = undefined;
  }

  #take(): Uint8Array {
    let count = 0;
    let octets = 0;
    while (count < this.#lines.length && octets < CHUNK) {
      octets += this.#lines[count++]!.length;
    }
    const chunk = joinOctets(this.#lines.splice(0, count));
    this.#octets -= octets;
    if (this.#dropped > 0) {
      const lines = this.#dropped;
      this.#dropped = 0;
      event(this.line, "log-dropped", { lines, why: "nobody read the log" });
    }
    return chunk;
  }

  async #writeAll(bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.length;) {
      at += await this.#end.write(bytes.subarray(at));
    }
  }
}
