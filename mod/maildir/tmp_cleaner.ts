/**
 * Removes what deliveries that died have left in `tmp`: files of our own
 * naming that are older than 36 hours, as maildir(5) asks.
 *
 * Only mailboxes that get mail are looked at, at their first delivery and
 * then once a day, one after the other: starting up needs no scan, however
 * many mailboxes there are.
 */
import { log } from "../core/log.ts";
import { isOwnName } from "./file_name.ts";
import type { MailFiles } from "./mail_files.ts";
import type { OpenMailbox } from "./mailboxes.ts";

const HOUR_MS = 3_600_000;
/** Age from which a file in `tmp` is nobody's work in progress. */
export const STALE_MS = 36 * HOUR_MS;
/** Time between two looks at a mailbox. */
export const CLEAN_EVERY_MS = 24 * HOUR_MS;
/** Files looked at in one visit; the rest waits for the next. */
export const MAX_LOOKS = 1_000;
/** Mailboxes that wait for a visit; more are put off to their next delivery. */
export const MAX_WAITING = 10_000;

/** Cleans mailboxes in the background, one at a time. */
export class TmpCleaner {
  readonly #files: MailFiles;
  readonly #waiting: string[] = [];
  #isRunning = false;

  constructor(files: MailFiles) {
    this.#files = files;
  }

  /** A delivery to `mailbox` begins: if it is due, it will be cleaned. */
  visit(mailbox: OpenMailbox, nowMs: number): void {
    if (nowMs < mailbox.cleanAtMs || this.#waiting.length >= MAX_WAITING) {
      return;
    }
    mailbox.cleanAtMs = nowMs + CLEAN_EVERY_MS;
    this.#waiting.push(mailbox.tmp);
    if (!this.#isRunning) this.#run(nowMs);
  }

  async #run(nowMs: number): Promise<void> {
    this.#isRunning = true;
    for (let tmp = this.#waiting.shift(); tmp; tmp = this.#waiting.shift()) {
      await this.clean(tmp, nowMs);
    }
    this.#isRunning = false;
  }

  /** Cleans one `tmp` now; returns how many files it removed. */
  async clean(tmp: string, nowMs: number): Promise<number> {
    const ours: string[] = [];
    const failure = await this.#files.list(tmp, ({ name, isFile }) => {
      if (ours.length < MAX_LOOKS && isFile && isOwnName(name)) ours.push(name);
    });
    // The next delivery finds out what is wrong.
    if (failure !== undefined) return 0;
    let removed = 0;
    for (const name of ours) {
      const modified = this.#files.modifiedMs(`${tmp}/${name}`);
      if (!modified.ok || nowMs - modified.value < STALE_MS) continue;
      if (this.#files.remove(`${tmp}/${name}`) === undefined) removed++;
    }
    if (removed > 0) log("tmp-cleaned", { path: tmp, removed });
    return removed;
  }
}
