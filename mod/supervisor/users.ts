/**
 * The users file, `HOME/users`: who has a mailbox, and a hash of the
 * password.
 *
 *     # comments and empty lines stay where they are
 *     me@home.test:scrypt$32768$8$3$<salt>$<hash>
 *
 * Salt and hash in base64 without padding; N, r and p of RFC 7914. Read and
 * written by the supervisor and the command line alone; no role can open it.
 * A change replaces the file as a whole: a crash leaves the old or the new.
 * Everything here is synchronous: it runs once a command, not once a mail.
 */
import { randomBytes, scryptSync, timingSafeEqual } from "node:crypto";
import { Buffer } from "node:buffer";
import { type Mailbox, mailbox } from "../core/shapes.ts";
import { replaceFile } from "./replace_file.ts";

/** Most users, the most mailboxes that resolve takes. */
export const MAX_USERS = 100_000;
/** Longest line of the file, in characters. */
const MAX_LINE = 600;

/** One line of the file. */
export type Line =
  | { readonly kind: "user"; readonly mailbox: Mailbox; readonly hash: string }
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

/** Writes the file's text; the opposite of {@link parseUsers}. */
export function formatUsers(users: readonly Line[]): string {
  return users.map((line) =>
    line.kind === "other"
      ? `${line.text}\n`
      : `${nameOf(line.mailbox)}:${line.hash}\n`
  ).join("");
}

/** The mailboxes, in the order of the file. */
export function mailboxesOf(users: readonly Line[]): Mailbox[] {
  return users.flatMap((line) => line.kind === "user" ? [line.mailbox] : []);
}

/**
 * Reads `user@domain`; capitals are folded.
 *
 * @returns Undefined if it can be no mailbox: both parts become directories,
 * and `user` must keep to a-z, 0-9, `.`, `_`, `-`
 */
export function parseMailbox(text: string): Mailbox | undefined {
  const at = text.lastIndexOf("@");
  if (at < 0) return undefined;
  const fold = (part: string) =>
    part.replace(/[A-Z]/g, (letter) => letter.toLowerCase());
  const read = mailbox.safeParse({
    user: fold(text.slice(0, at)),
    domain: fold(text.slice(at + 1)),
  });
  return read.success && !text.includes("..") ? read.data : undefined;
}

/** Adds a user at the end. Refuses one that is there, or a bad password. */
export function addUser(
  file: UsersFile,
  user: Mailbox,
  password: string,
): Changed {
  const { users } = file;
  if (indexOf(users, user) >= 0) {
    return no(`${nameOf(user)} is there already: see bulkhead user passwd`);
  }
  if (mailboxesOf(users).length >= MAX_USERS) {
    return no(`there are ${MAX_USERS} users already`);
  }
  return withHash(password, (hash) => ({
    ...file,
    users: [...users, { kind: "user", mailbox: user, hash }],
  }));
}

/** Removes a user. The mailbox's directory is not touched. */
export function removeUser(file: UsersFile, user: Mailbox): Changed {
  const at = indexOf(file.users, user);
  return at < 0
    ? no(`${nameOf(user)} is not there`)
    : { ok: true, ...file, users: file.users.toSpliced(at, 1) };
}

/** Changes a user's password. */
export function setPassword(
  file: UsersFile,
  user: Mailbox,
  password: string,
): Changed {
  const at = indexOf(file.users, user);
  if (at < 0) return no(`${nameOf(user)} is not there`);
  return withHash(password, (hash) => ({
    ...file,
    users: file.users.with(at, { kind: "user", mailbox: user, hash }),
  }));
}

// 32 MiB and 0.2 s for a try: one of the equal choices that OWASP's Password
// Storage Cheat Sheet gives for scrypt. Stored with each hash, so that it can
// be raised without making anybody's password invalid.
const COST: Cost = { N: 32_768, r: 8, p: 3 };
const SALT_OCTETS = 16;
const HASH_OCTETS = 32;
/** In octets of UTF-8. */
const MAX_PASSWORD = 1_024;

interface Cost {
  readonly N: number;
  readonly r: number;
  readonly p: number;
}

/**
 * Why a password cannot be used, if so: empty, over 1,024 octets, or with a
 * control character, which most clients cannot send.
 */
export function passwordFault(password: string): string | undefined {
  if (password.length === 0) return "the password is empty";
  if (Buffer.byteLength(password) > MAX_PASSWORD) {
    return `the password has more than ${MAX_PASSWORD} octets`;
  }
  // deno-lint-ignore no-control-regex
  return /[\x00-\x1f\x7f]/.test(password)
    ? "the password has a control character, such as the end of a line"
    : undefined;
}

/**
 * Hashes a password for the file.
 *
 * @param salt A parameter so that tests are exact
 */
export function hashPassword(
  password: string,
  salt: Uint8Array = randomBytes(SALT_OCTETS),
): string {
  const hash = derive(password, salt, COST);
  const { N, r, p } = COST;
  return ["scrypt", N, r, p, base64(salt), base64(hash)].join("$");
}

/** True if `password` is the one of `hash`; takes as long if it is not. */
export function isPassword(password: string, hash: string): boolean {
  const read = parseHash(hash);
  if (read === undefined || passwordFault(password) !== undefined) return false;
  return timingSafeEqual(derive(password, read.salt, read.cost), read.hash);
}

/**
 * Reads the file's text; empty if there is no file.
 *
 * @throws {Error} If it cannot be read
 */
export function readUsersFile(path: string): string {
  try {
    return Deno.readTextFileSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return "";
    throw error;
  }
}

/**
 * Replaces the file at `path`: written to a new file of mode 0600, synced,
 * renamed, directory synced.
 *
 * @throws {Error} If the disk or the permissions will not have it, or another
 * command changed the file since it was read; the old file is still there
 */
export function writeUsersFile(path: string, file: UsersFile): void {
  // A file of its own: a lock on the users file would be renamed away.
  using lock = Deno.openSync(`${path}.lock`, {
    write: true,
    create: true,
    mode: 0o600,
  });
  lock.lockSync(true);
  if (readUsersFile(path) !== file.was) {
    throw new Error(`${path} was changed by another command: try again`);
  }
  replaceFile(path, formatUsers(file.users), 0o600);
}

/** The line, or what is wrong with it. */
function parseLine(row: string): Line | string {
  const text = row.trim();
  if (text === "" || text.startsWith("#")) return { kind: "other", text: row };
  if (text.length > MAX_LINE) return `is longer than ${MAX_LINE} characters`;
  const colon = text.indexOf(":");
  if (colon < 0) return "has no colon: write user@domain:hash";
  const name = text.slice(0, colon);
  const hash = text.slice(colon + 1);
  const read = parseMailbox(name);
  if (read === undefined) {
    return `${JSON.stringify(name)} can be no mailbox: write user@domain, ` +
      "with a-z, 0-9, dots, hyphens and underscores";
  }
  return parseHash(hash) === undefined
    ? "the hash is none of ours: set it with `bulkhead user passwd`"
    : { kind: "user", mailbox: read, hash };
}

function parseHash(
  text: string,
): { cost: Cost; salt: Buffer; hash: Buffer } | undefined {
  const match =
    /^scrypt\$(\d{1,8})\$(\d{1,3})\$(\d{1,3})\$([A-Za-z0-9+/]{16,86})\$([A-Za-z0-9+/]{43})$/
      .exec(text);
  if (match === null) return undefined;
  const [N, r, p] = [Number(match[1]), Number(match[2]), Number(match[3])];
  // Bounds keep a slip of the pen from costing gigabytes or hours.
  const isPossible = N >= 1_024 && N <= 2 ** 20 &&
    Number.isInteger(Math.log2(N)) &&
    r >= 1 && r <= 32 && p >= 1 && p <= 16;
  return isPossible
    ? {
      cost: { N, r, p },
      salt: Buffer.from(match[4]!, "base64"),
      hash: Buffer.from(match[5]!, "base64"),
    }
    : undefined;
}

function derive(password: string, salt: Uint8Array, cost: Cost): Buffer {
  const { N, r, p } = cost;
  // The same letters, however the keyboard composed them (RFC 8265 §4.2).
  const octets = new TextEncoder().encode(password.normalize("NFC"));
  // Node's own limit is just what N and r need here, and refuses that.
  const maxmem = 128 * N * r + 128 * r * p + 2 ** 20;
  return scryptSync(octets, salt, HASH_OCTETS, { N, r, p, maxmem });
}

function base64(octets: Uint8Array): string {
  return Buffer.from(octets).toString("base64").replaceAll("=", "");
}

function nameOf({ user, domain }: Mailbox): string {
  return `${user}@${domain}`;
}

function indexOf(users: readonly Line[], wanted: Mailbox): number {
  return users.findIndex((line) =>
    line.kind === "user" && nameOf(line.mailbox) === nameOf(wanted)
  );
}

function withHash(
  password: string,
  then: (hash: string) => UsersFile,
): Changed {
  const fault = passwordFault(password);
  return fault === undefined
    ? { ok: true, ...then(hashPassword(password)) }
    : no(fault);
}

function no(fault: string): { readonly ok: false; readonly fault: string } {
  return { ok: false, fault };
}
