/**
 * One message on its way into one mailbox.
 *
 *     open --sync--> synced --publish--> published --directory synced--> over
 *      |               |                    |
 *      +---------------+------ fail --------+--> over, and no file is left
 *
 * A file is in `new` only when it is whole and synced; `delivered` is said
 * only when the directory is synced too.
 */
import type { Outcome } from "../core/outcome.ts";
import { log } from "../core/log.ts";
import {
  deliveredOutcome,
  failedOutcome,
  type Failure,
  loopOutcome,
} from "./failure.ts";
import { withSize } from "./file_name.ts";
import type { MailFile, MailFiles } from "./mail_files.ts";
import type { OpenMailbox } from "./mailboxes.ts";

/** See the head of this file. */
export class Draft {
  /** The recipient's address, for `Delivered-To`. */
  readonly address: string;
  readonly #files: MailFiles;
  readonly #queueId: string;
  readonly #mailbox: OpenMailbox | undefined;
  readonly #fileName: string;
  #file: MailFile | undefined;
  /** Where the file is now; undefined if there is none. */
  #path: string | undefined;
  #sizeBytes = 0;
  #outcome: Outcome | undefined;

  /** A draft whose file is `file` in `mailbox`, or one that failed at once. */
  constructor(options: {
    address: string;
    queueId: string;
    files: MailFiles;
    begun:
      | { mailbox: OpenMailbox; fileName: string; file: MailFile }
      | { failure: Failure };
  }) {
    this.address = options.address;
    this.#files = options.files;
    this.#queueId = options.queueId;
    if ("failure" in options.begun) {
      this.#fileName = "";
      this.fail(options.begun.failure);
    } else {
      const { mailbox, fileName, file } = options.begun;
      this.#mailbox = mailbox;
      this.#fileName = fileName;
      this.#file = file;
      this.#path = `${mailbox.tmp}/${fileName}`;
    }
  }

  /** True while nothing went wrong and the end is not reached. */
  get isAlive(): boolean {
    return this.#outcome === undefined;
  }

  /**
   * What became of it.
   *
   * @throws {RangeError} If that is not known yet: a caller bug
   */
  get outcome(): Outcome {
    if (this.#outcome === undefined) {
      throw new RangeError("Cannot tell outcome: delivery is under way");
    }
    return this.#outcome;
  }

  /** Directories whose sync makes this delivery survive a crash. */
  get directories(): readonly string[] {
    if (this.#mailbox === undefined) return [];
    return this.#mailbox.isSettled
      ? [this.#mailbox.new]
      : [this.#mailbox.new, ...this.#mailbox.parents];
  }

  /** Appends octets. */
  write(octets: Uint8Array): void {
    if (!this.isAlive || octets.length === 0) return;
    const failure = this.#file!.write(octets);
    if (failure !== undefined) this.fail(failure);
    else this.#sizeBytes += octets.length;
  }

  /** Syncs the file's octets. */
  async sync(): Promise<void> {
    if (!this.isAlive) return;
    const failure = await this.#file!.sync();
    if (failure !== undefined) this.fail(failure);
  }

  /** The same, while everything else waits. */
  syncHere(): void {
    if (!this.isAlive) return;
    const failure = this.#file!.syncHere();
    if (failure !== undefined) this.fail(failure);
  }

  /** Moves the synced file into `new`, where readers see it. */
  publish(): void {
    if (!this.isAlive) return;
    this.#close();
    // rename(2) and not link(2) with unlink(2): one call, and a crash between
    // the two leaves no second name. That it would replace a file of the same
    // name does not matter, because names never come twice; see `FileNames`.
    const path = `${this.#mailbox!.new}/` +
      withSize(this.#fileName, this.#sizeBytes);
    const failure = this.#files.rename(this.#path!, path);
    if (failure !== undefined) return this.fail(failure);
    this.#path = path;
  }

  /** The directories are synced: it is done. */
  settle(): void {
    if (!this.isAlive) return;
    this.#mailbox!.isSettled = true;
    this.#outcome = deliveredOutcome();
  }

  /** Gives up because of a failure, and leaves no file behind. */
  fail(failure: Failure): void {
    if (!this.isAlive) return;
    log("delivery-failed", {
      id: this.#queueId,
      recipient: this.address,
      mailbox: this.#mailbox?.name,
      kind: failure.kind,
      why: failure.why,
    });
    this.#end(failedOutcome(failure));
  }

  /** Gives up because the message has been in this mailbox before. */
  failAsLoop(): void {
    if (this.isAlive) this.#end(loopOutcome());
  }

  /** Gives up because the message is damaged; the whole job is refused. */
  abandon(): void {
    if (this.isAlive) this.#end(failedOutcome(ABANDONED));
  }

  #end(outcome: Outcome): void {
    this.#outcome = outcome;
    this.#close();
    if (this.#path === undefined) return;
    // If this fails too, what is left in `tmp` is nobody's mail and goes when
    // it is old; what is left in `new` is whole, and may come once more.
    const failure = this.#files.remove(this.#path);
    if (failure !== undefined && failure.kind !== "missing") {
      log("leftover-file", { path: this.#path, why: failure.why });
    }
    this.#path = undefined;
  }

  #close(): void {
    this.#file?.close();
    this.#file = undefined;
  }
}

const ABANDONED: Failure = { kind: "broken", why: "message is damaged" };
