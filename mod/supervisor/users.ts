/**
 * The users file, `HOME/users`: who has a mailbox.
 *
 *     # comments and empty lines stay where they are
 *     me@home.test
 *
 * Read and written by the supervisor and the command line alone; no role can
 * open it. What is kept of passwords is in a file of its own, which the role
 * `auth` reads (`mod/login/password_file.ts`); up to 0.4.0 a hash stood here
 * behind a colon, and `logins.ts` moves it.
 */
import type { Mailbox } from "../core/shapes.ts";
import { nameOf, parseMailbox } from "../login/mailbox_name.ts";
import { parseScrypt, type ScryptHash } from "../login/scrypt_hash.ts";

/** Most users, the most mailboxes that resolve takes. */
export const MAX_USERS = 100_000;
/** Longest line of the file, in characters. */
const MAX_LINE = 600;

/** One line of the file. */
export type Line =
  | {
    readonly kind: "user";
    readonly mailbox: Mailbox;
    /** Of an older program, to be moved. */
    readonly hash: ScryptHash | null;
  }
  /** A comment or an empty line, as it was. */
  | { readonly kind: "other"; readonly text: string };

/** A users file, read. */
export interface UsersFile {
  /** Its lines in their order. */
  readonly users: readonly Line[];
  /** The text that it was read from, to notice who changed it meanwhile. */
  readonly was: string;
}

/** One mistake in the file. */
export interface UsersFault {
  /** From 1. */
  readonly line: number;
  readonly message: string;
}

/** What became of a text. */
export type ParsedUsers =
  | { readonly ok: true } & UsersFile
  | { readonly ok: false; readonly faults: readonly UsersFault[] };

/** A changed file, or why it cannot be changed. */
export type Changed =
  | { readonly ok: true } & UsersFile
  | { readonly ok: false; readonly fault: string };

/** Reads the file's text; all mistakes at once, each with its line. */
export function parseUsers(text: string): ParsedUsers {
  const faults: UsersFault[] = [];
  const users: Line[] = [];
  const seen = new Map<string, number>();
  const rows = text.split("\n");
  // What stands behind the last line's end is no line.
  if (rows.at(-1) === "") rows.pop();
  for (const [at, row] of rows.entries()) {
    const line = at + 1;
    const read = parseLine(row);
    if (typeof read === "string") {
      faults.push({ line, message: read });
      continue;
    }
    users.push(read);
    if (read.kind === "other") continue;
    const name = nameOf(read.mailbox);
    const first = seen.get(name);
    if (first === undefined) seen.set(name, line);
    else {
      faults.push({ line, message: `${name} is in line ${first} already` });
    }
  }
  if (seen.size > MAX_USERS) {
    const message = `there are more than ${MAX_USERS} users`;
    faults.push({ line: rows.length, message });
  }
  return faults.length > 0
    ? { ok: false, faults }
    : { ok: true, users, was: text };
}

/** Writes the file's text, without hashes. */
export function formatUsers(users: readonly Line[]): string {
  return users.map((line) =>
    line.kind === "other" ? `${line.text}\n` : `${nameOf(line.mailbox)}\n`
  ).join("");
}

/** The mailboxes, in the order of the file. */
export function mailboxesOf(users: readonly Line[]): Mailbox[] {
  return users.flatMap((line) => line.kind === "user" ? [line.mailbox] : []);
}

/** Adds a user at the end. Refuses one that is there. */
export function addUser(file: UsersFile, user: Mailbox): Changed {
  const { users } = file;
  if (indexOf(users, user) >= 0) {
    return no(`${nameOf(user)} is there already: see bulkhead user passwd`);
  }
  if (mailboxesOf(users).length >= MAX_USERS) {
    return no(`there are ${MAX_USERS} users already`);
  }
  const line: Line = { kind: "user", mailbox: user, hash: null };
  return { ok: true, ...file, users: [...users, line] };
}

/** Removes a user. The mailbox's directory is not touched. */
export function removeUser(file: UsersFile, user: Mailbox): Changed {
  const at = indexOf(file.users, user);
  return at < 0
    ? no(`${nameOf(user)} is not there`)
    : { ok: true, ...file, users: file.users.toSpliced(at, 1) };
}

/** True if the file has that user. */
export function hasUser(file: UsersFile, user: Mailbox): boolean {
  return indexOf(file.users, user) >= 0;
}

/** The line, or what is wrong with it. */
function parseLine(row: string): Line | string {
  const text = row.trim();
  if (text === "" || text.startsWith("#")) return { kind: "other", text: row };
  if (text.length > MAX_LINE) return `is longer than ${MAX_LINE} characters`;
  const colon = text.indexOf(":");
  const name = colon < 0 ? text : text.slice(0, colon);
  const read = parseMailbox(name);
  if (read === undefined) {
    return `${JSON.stringify(name)} can be no mailbox: write user@domain, ` +
      "with a-z, 0-9, dots, hyphens and underscores";
  }
  const hash = colon < 0 ? null : parseScrypt(text.slice(colon + 1));
  return hash === undefined
    ? "what stands behind the colon is no hash of ours: leave the name alone, " +
      "and set the password with `bulkhead user passwd`"
    : { kind: "user", mailbox: read, hash };
}

function indexOf(users: readonly Line[], wanted: Mailbox): number {
  return users.findIndex((line) =>
    line.kind === "user" && nameOf(line.mailbox) === nameOf(wanted)
  );
}

function no(fault: string): { readonly ok: false; readonly fault: string } {
  return { ok: false, fault };
}
