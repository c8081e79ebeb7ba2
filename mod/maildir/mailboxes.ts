/**
 * Mailbox directories: where they are, that they are what they should be, and
 * that they exist. Remembers good ones, because five lstat(2) a message are
 * more than all else that a delivery asks of the file system.
 */
import type { Mailbox } from "../core/shapes.ts";
import type { Failure, Result } from "./failure.ts";
import type { MailFiles } from "./mail_files.ts";

/** Mailboxes remembered; the one longest known is forgotten for a new one. */
export const MAX_KNOWN = 10_000;
/** After this a remembered mailbox is looked at again. */
export const RECHECK_MS = 60_000;

const MAX_NAME_OCTETS = 255;

/** A mailbox that can be delivered to. */
export interface OpenMailbox {
  /** `DOMAIN/USER`, for the log. */
  readonly name: string;
  readonly tmp: string;
  readonly new: string;
  readonly cur: string;
  /** `USER`, `DOMAIN` and the mail directory: they hold one another's names. */
  readonly parents: readonly string[];
  /**
   * True once the parents were synced after we found or made them. Until
   * then a delivery must sync them too: the process before us may have died
   * between making the mailbox and syncing it.
   */
  isSettled: boolean;
  /** When its `tmp` is due to be cleaned, in ms since the epoch. */
  cleanAtMs: number;
}

/** Opens and remembers mailboxes under one mail directory. */
export class Mailboxes {
  readonly #mailDir: string;
  readonly #files: MailFiles;
  readonly #known = new Map<string, { box: OpenMailbox; untilMs: number }>();

  constructor(options: { mailDir: string; files: MailFiles }) {
    this.#mailDir = options.mailDir;
    this.#files = options.files;
  }

  /** Makes sure that a mailbox is there and safe, making it if it is missing. */
  open(mailbox: Mailbox, nowMs: number): Result<OpenMailbox> {
    const name = `${mailbox.domain}/${mailbox.user}`;
    const failure = nameFailure(mailbox.domain) ?? nameFailure(mailbox.user);
    if (failure !== undefined) return { ok: false, failure };
    const known = this.#known.get(name);
    if (known !== undefined && nowMs < known.untilMs) {
      return { ok: true, value: known.box };
    }
    const made = this.#make(name, mailbox.domain);
    if (!made.ok) return made;
    const box = known === undefined || made.value
      ? this.#fresh(name, mailbox.domain)
      : known.box;
    this.#known.delete(name);
    if (this.#known.size >= MAX_KNOWN) {
      this.#known.delete(this.#known.keys().next().value!);
    }
    this.#known.set(name, { box, untilMs: nowMs + RECHECK_MS });
    return { ok: true, value: box };
  }

  /** Looks again the next time: a directory was not where it was. */
  forget(mailbox: Mailbox): void {
    this.#known.delete(`${mailbox.domain}/${mailbox.user}`);
  }

  #fresh(name: string, domain: string): OpenMailbox {
    const user = `${this.#mailDir}/${name}`;
    return {
      name,
      tmp: `${user}/tmp`,
      new: `${user}/new`,
      cur: `${user}/cur`,
      parents: [user, `${this.#mailDir}/${domain}`, this.#mailDir],
      isSettled: false,
      cleanAtMs: 0,
    };
  }

  /** Makes what is missing; true if that was anything. */
  #make(name: string, domain: string): Result<boolean> {
    const user = `${this.#mailDir}/${name}`;
    let isNew = false;
    // The mail directory itself is never made: if it is gone, its file system
    // is probably not mounted, and mail must not go beneath the mount point.
    for (
      const path of [
        `${this.#mailDir}/${domain}`,
        user,
        `${user}/tmp`,
        `${user}/new`,
        `${user}/cur`,
      ]
    ) {
      const made = this.#makeOne(path);
      if (!made.ok) return made;
      isNew ||= made.value;
    }
    return { ok: true, value: isNew };
  }

  #makeOne(path: string): Result<boolean> {
    const found = this.#files.kind(path);
    if (!found.ok) return found;
    switch (found.value) {
      case "directory":
        return { ok: true, value: false };
      case "other":
        return unsafe(`${path} is not a directory`);
      case "missing": {
        const failure = this.#files.makeDirectory(path);
        return failure === undefined
          ? { ok: true, value: true }
          : { ok: false, failure };
      }
    }
  }
}

// The contract's shape says the same. Said again here, because this is the
// line after which a name is a path.
function nameFailure(name: string): Failure | undefined {
  const isSafe = name.length > 0 && name.length <= MAX_NAME_OCTETS &&
    !name.startsWith(".") && !name.includes("/") && !name.includes("\0");
  return isSafe
    ? undefined
    : { kind: "unsafe", why: "mailbox name is no directory name" };
}

function unsafe(why: string): { ok: false; failure: Failure } {
  return { ok: false, failure: { kind: "unsafe", why } };
}
