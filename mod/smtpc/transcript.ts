/**
 * What was said in one attempt, for `bulkhead why`: commands and replies,
 * never content, within the bounds of `smtpc_ipc.ts`. Pure.
 */
import type { Reply } from "./reply.ts";

/** Lines kept, and characters of each. */
export const MAX_LINES = 60;
/** See {@link MAX_LINES}. */
export const MAX_LINE = 200;

// The start tells who we talked to, the end how it ended.
const FIRST = 40;

/** One attempt's transcript. */
export class Transcript {
  readonly #first: string[] = [];
  readonly #last: string[] = [];
  #dropped = 0;

  /** A command of ours. */
  sent(line: string): void {
    this.#add(`C: ${line}`);
  }

  /** A reply of theirs. */
  got(reply: Reply): void {
    const last = reply.lines.length - 1;
    reply.lines.forEach((line, i) =>
      this.#add(`S: ${reply.code}${i < last ? "-" : " "}${line}`)
    );
  }

  /** Something that happened beside the dialog. */
  note(what: string): void {
    this.#add(`* ${what}`);
  }

  /** At most {@link MAX_LINES} lines. */
  lines(): string[] {
    if (this.#dropped === 0) return [...this.#first, ...this.#last];
    const gap = `* ${this.#dropped} lines left out`;
    return [...this.#first, gap, ...this.#last];
  }

  #add(line: string): void {
    const cut = line.slice(0, MAX_LINE);
    if (this.#first.length < FIRST) {
      this.#first.push(cut);
      return;
    }
    this.#last.push(cut);
    if (this.#last.length > MAX_LINES - FIRST - 1) {
      this.#last.shift();
      this.#dropped++;
    }
  }
}
