/**
 * Finds what an earlier delivery has put into a mailbox, when it is asked for
 * again because nobody heard how it ended.
 *
 * A file in `new` is whole and its octets are synced, whoever put it there, so
 * that finding its name, under which readers know it in `cur` too, is enough.
 * What a reader has taken out of both is not found, and comes a second time.
 *
 * Both directories are listed once, at the first repeat, and remembered: the
 * files of dead processes do not become more, and our own are noted. Else a
 * start with a long queue would list a large mailbox for each message.
 */
import type { Failure, Result } from "./failure.ts";
import { readName } from "./file_name.ts";
import type { MailFiles } from "./mail_files.ts";
import type { OpenMailbox } from "./mailboxes.ts";

/**
 * Newest files remembered of one mailbox: many more than there can be that
 * were delivered and not written down when a process died.
 */
export const MAX_OF_ONE = 5_000;
/** Files remembered of all mailboxes; beyond it, one is forgotten and listed anew. */
export const MAX_OF_ALL = 100_000;

/** Where a file was when it was found. */
export type Place = "new" | "cur";

interface Shelf {
  /** By job, oldest first. */
  readonly jobs: Map<string, Place>;
  /** Set when it was listed; it may have failed. */
  readonly listed: Promise<Failure | undefined>;
}

/** See the head of this file. */
export class Earlier {
  readonly #files: Pick<MailFiles, "list">;
  readonly #shelves = new Map<string, Shelf>();
  #remembered = 0;

  constructor(files: Pick<MailFiles, "list">) {
    this.#files = files;
  }

  /** Where the file of `job` is; undefined if there is none. */
  async find(
    mailbox: OpenMailbox,
    job: string,
  ): Promise<Result<Place | undefined>> {
    const shelf = this.#shelves.get(mailbox.new) ?? this.#open(mailbox);
    const failure = await shelf.listed;
    if (failure === undefined) return { ok: true, value: shelf.jobs.get(job) };
    this.#forget(mailbox.new, shelf);
    return { ok: false, failure };
  }

  /** A file of our own is in `new`, for good. */
  note(mailbox: OpenMailbox, job: string): void {
    const shelf = this.#shelves.get(mailbox.new);
    if (shelf !== undefined) this.#put(shelf, job, "new");
  }

  #open(mailbox: OpenMailbox): Shelf {
    const jobs = new Map<string, Place>();
    const found = new Newest();
    const look = async () => {
      // In this order, because readers move files from the one to the other.
      for (const place of ["new", "cur"] as const) {
        const path = place === "new" ? mailbox.new : mailbox.cur;
        const failure = await this.#files.list(path, ({ name, isFile }) => {
          if (isFile) found.add(name, place);
        });
        if (failure !== undefined) return failure;
      }
      for (const { job, place } of found.sorted()) this.#put(shelf, job, place);
      this.#makeRoom(shelf);
      return undefined;
    };
    const shelf: Shelf = { jobs, listed: look() };
    this.#shelves.set(mailbox.new, shelf);
    return shelf;
  }

  #put({ jobs }: Shelf, job: string, place: Place): void {
    const before = jobs.size;
    jobs.set(job, place);
    if (jobs.size > MAX_OF_ONE) jobs.delete(jobs.keys().next().value!);
    this.#remembered += jobs.size - before;
  }

  #makeRoom(kept: Shelf): void {
    for (const [path, shelf] of this.#shelves) {
      if (this.#remembered <= MAX_OF_ALL) return;
      if (shelf !== kept) this.#forget(path, shelf);
    }
  }

  #forget(path: string, shelf: Shelf): void {
    if (this.#shelves.get(path) !== shelf) return;
    this.#shelves.delete(path);
    this.#remembered -= shelf.jobs.size;
  }
}

interface Seen {
  readonly job: string;
  readonly seconds: number;
  readonly place: Place;
}

/** The newest of any number of names. */
class Newest {
  #seen: Seen[] = [];

  add(name: string, place: Place): void {
    const told = readName(name);
    if (told === undefined) return;
    this.#seen.push({ ...told, place });
    if (this.#seen.length >= 2 * MAX_OF_ONE) this.#seen = this.sorted();
  }

  /** At most {@link MAX_OF_ONE}, oldest first. */
  sorted(): Seen[] {
    return this.#seen.sort((a, b) => a.seconds - b.seconds).slice(-MAX_OF_ONE);
  }
}
