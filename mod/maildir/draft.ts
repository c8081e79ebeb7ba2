/**
 * One message on its way into one mailbox.
 *
 *     open --sync--> synced --publish--> published --directory synced--> over
 *      |               |                    |
 *      +---------------+------ fail --------+--> over, and no file is left
 *
 * A file is in `new` only when it is whole and synced; `delivered` is said
 * only when the directory is synced too. So a repeated delivery that finds the
 * file of the first begins at `published`.
 */
import type { Outcome } from "../core/outcome.ts";
import { log } from "../core/log.ts";
import {
  deliveredOutcome,
  failedOutcome,
  type Failure,
  loopOutcome,
} from "./failure.ts";
import type { Earlier, Place } from "./earlier.ts";
import { jobName, withSize } from "./file_name.ts";
import type { MailFile, MailFiles } from "./mail_files.ts";
import type { OpenMailbox } from "./mailboxes.ts";

/** How a draft begins. */
export type Begun =
  | { readonly mailbox: OpenMailbox; fileName: string; file: MailFile }
  /** An earlier delivery has put it there. */
  | { readonly mailbox: OpenMailbox; found: Place }
  | { readonly failure: Failure };

/** See the head of this file. */
export class Draft {
  /** The recipient's address, for `Delivered-To`. */
  readonly address: string;
  readonly #files: MailFiles;
  readonly #earlier: Pick<Earlier, "note">;
  readonly #queueId: string;
  readonly #ordinal: number;
  readonly #mailbox: OpenMailbox | undefined;
  readonly #found: Place | undefined;
  #fileName = "";
  #file: MailFile | undefined;
  /** Where the file is now; undefined if there is none. */
  #path: string | undefined;
  #sizeBytes = 0;
  #outcome: Outcome | undefined;

  constructor(options: {
    address: string;
    queueId: string;
    ordinal: number;
    files: MailFiles;
    earlier: Pick<Earlier, "note">;
    begun: Begun;
  }) {
    const { begun } = options;
    this.address = options.address;
    this.#files = options.files;
    this.#earlier = options.earlier;
    this.#queueId = options.queueId;
    this.#ordinal = options.ordinal;
    if ("failure" in begun) {
      this.fail(begun.failure);
      return;
    }
    this.#mailbox = begun.mailbox;
    if ("found" in begun) this.#found = begun.found;
    else {
      this.#fileName = begun.fileName;
      this.#file = begun.file;
      this.#path = `${begun.mailbox.tmp}/${begun.fileName}`;
    }
  }

  /** True while nothing went wrong and the end is not reached. */
  get isAlive(): boolean {
    return this.#outcome === undefined;
  }

  /** True while it waits for octets. */
  get isOpen(): boolean {
    return this.#file !== undefined;
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
    const { isSettled, parents } = this.#mailbox;
    const place = this.#mailbox[this.#found ?? "new"];
    return isSettled ? [place] : [place, ...parents];
  }

  /** Appends octets. */
  write(octets: Uint8Array): void {
    if (this.#file === undefined || octets.length === 0) return;
    const failure = this.#file.write(octets);
    if (failure !== undefined) this.fail(failure);
    else this.#sizeBytes += octets.length;
  }

  /** Syncs the file's octets. */
  async sync(): Promise<void> {
    const failure = await this.#file?.sync();
    if (failure !== undefined) this.fail(failure);
  }

  /** The same, while everything else waits. */
  syncHere(): void {
    const failure = this.#file?.syncHere();
    if (failure !== undefined) this.fail(failure);
  }

  /** Moves the synced file into `new`, where readers see it. */
  publish(): void {
    if (this.#file === undefined) return;
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
    const mailbox = this.#mailbox!;
    mailbox.isSettled = true;
    this.#outcome = deliveredOutcome();
    if (this.#found === undefined) {
      const job = jobName(this.#queueId, this.#ordinal);
      return this.#earlier.note(mailbox, job);
    }
    log("delivery-found", {
      id: this.#queueId,
      to: this.address,
      mailbox: mailbox.name,
      place: this.#found,
    });
  }

  /** Gives up because of a failure, and leaves no file behind. */
  fail(failure: Failure): void {
    if (!this.isAlive) return;
    log("delivery-failed", {
      id: this.#queueId,
      to: this.address,
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
