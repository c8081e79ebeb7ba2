/**
 * Users and their passwords, two files that are changed together: `HOME/users`
 * names the mailboxes, `HOME/auth/passwords` has what is kept of passwords.
 * Both are replaced as a whole; a crash leaves the old or the new of each.
 *
 * The passwords go first: a name that is not in the users file yet or any more
 * may log in for that moment, and no password is ever lost.
 */
import {
  adoptHashes,
  removePasswords,
  setPassword,
  withSaltKey,
} from "../login/change_passwords.ts";
import {
  formatPasswords,
  parsePasswords,
  type PasswordFile,
  passwordsIn,
} from "../login/password_file.ts";
import { nameOf } from "../login/mailbox_name.ts";
import type { Mailbox } from "../core/shapes.ts";
import { type Accounts, groupOf } from "./accounts.ts";
import type { Paths } from "./plan.ts";
import { replaceFile } from "./replace_file.ts";
import {
  addUser,
  formatUsers,
  mailboxesOf,
  parseUsers,
  removeUser,
  type UsersFile,
} from "./users.ts";

/** Both files, read. */
export interface LoginFiles {
  readonly users: UsersFile;
  readonly passwords: PasswordFile;
}

/** What became of reading them. */
export type ReadLogins =
  | { readonly ok: true } & LoginFiles
  | { readonly ok: false; readonly faults: readonly string[] };

/** Changed files, or why they cannot be changed. */
export type ChangedLogins =
  | { readonly ok: true } & LoginFiles
  | { readonly ok: false; readonly fault: string };

/**
 * Reads both; a file that is not there is empty.
 *
 * @throws {Error} If one cannot be read
 */
export function readLogins(
  paths: Pick<Paths, "usersFile" | "passwordsFile">,
): ReadLogins {
  const users = parseUsers(readText(paths.usersFile));
  const passwords = parsePasswords(readText(paths.passwordsFile));
  if (users.ok && passwords.ok) return { ok: true, users, passwords };
  const told = (path: string, read: typeof users | typeof passwords) =>
    read.ok
      ? []
      : read.faults.map((one) => `${path}:${one.line}: ${one.message}`);
  return {
    ok: false,
    faults: [
      ...told(paths.usersFile, users),
      ...told(paths.passwordsFile, passwords),
    ],
  };
}

/** Adds a user with a password. Refuses one that is there. */
export function addLogin(
  files: LoginFiles,
  user: Mailbox,
  password: string,
): ChangedLogins {
  const users = addUser(files.users, user);
  if (!users.ok) return users;
  // What an earlier user of that name, or a crash, may have left.
  const clean = removePasswords(files.passwords, user);
  const passwords = setPassword(clean, user, password);
  return passwords.ok ? { ok: true, users, passwords } : passwords;
}

/** Removes a user with all passwords. The mailbox's directory stays. */
export function removeLogin(files: LoginFiles, user: Mailbox): ChangedLogins {
  const users = removeUser(files.users, user);
  if (!users.ok) return users;
  const passwords = removePasswords(files.passwords, user);
  return { ok: true, users, passwords };
}

/**
 * Replaces both files, where they changed.
 *
 * @throws {Error} If the disk or the permissions will not have it, or another
 * command changed one since it was read
 */
export function writeLogins(
  paths: Pick<Paths, "usersFile" | "passwordsFile">,
  files: LoginFiles,
  accounts: Accounts | null,
): void {
  // A file of its own: a lock on the users file would be renamed away.
  using lock = Deno.openSync(`${paths.usersFile}.lock`, {
    write: true,
    create: true,
    mode: 0o600,
  });
  lock.lockSync(true);
  const { users, passwords } = moved(files);
  for (
    const [path, { was }] of [
      [paths.usersFile, users],
      [paths.passwordsFile, passwords],
    ] as const
  ) {
    if (readText(path) !== was) {
      throw new Error(`${path} was changed by another command: try again`);
    }
  }
  const passwordText = formatPasswords(withSaltKey(passwords).lines);
  if (passwordText !== passwords.was) {
    const group = groupOf(accounts, "auth");
    replaceFile(paths.passwordsFile, passwordText, 0o640, group);
  }
  const userText = formatUsers(users.users);
  if (userText !== users.was) replaceFile(paths.usersFile, userText, 0o600);
}

/** True if the users file is an older program's, with hashes in it. */
export function hasOldHashes({ users }: UsersFile): boolean {
  return users.some((line) => line.kind === "user" && line.hash !== null);
}

/** What is odd about the two, in plain words. */
export function loginDoubts(
  { users, passwords }: LoginFiles,
  paths: Pick<Paths, "usersFile" | "passwordsFile">,
): string[] {
  const all = passwordsIn(passwords.lines);
  const mailboxes = mailboxesOf(users.users).map(nameOf);
  const known = new Set(mailboxes);
  const own = all.filter(({ app }) => app === "");
  const withPassword = new Set(own.map(({ mailbox }) => nameOf(mailbox)));
  const hashed = hashedNames(users);
  const strays = own.map(({ mailbox }) => nameOf(mailbox))
    .filter((name) => !known.has(name));
  const without = mailboxes.filter((name) =>
    !withPassword.has(name) && !hashed.has(name)
  );
  const plainOnly = own.filter(({ scram }) => scram === null)
    .map(({ mailbox }) => nameOf(mailbox));
  return [
    told(
      strays,
      (names) =>
        `${paths.passwordsFile} has passwords of ${names}, who are not in ` +
        `${paths.usersFile}: remove their lines, or add the users`,
    ),
    told(
      without,
      (names) =>
        `${names} have no password and cannot log in: bulkhead user passwd`,
    ),
    told(
      plainOnly,
      (names) =>
        `${names} can log in with PLAIN and LOGIN and not with SCRAM, until ` +
        "their passwords are set again: bulkhead user passwd",
    ),
  ].flat();
}

function told(
  names: readonly string[],
  say: (names: string) => string,
): string[] {
  if (names.length === 0) return [];
  const first = names.slice(0, 5).join(", ");
  const more = names.length - 5;
  return [say(more > 0 ? `${first} and ${more} more` : first)];
}

function hashedNames({ users }: UsersFile): Set<string> {
  return new Set(
    users.flatMap((line) =>
      line.kind === "user" && line.hash !== null ? [nameOf(line.mailbox)] : []
    ),
  );
}

/** With an older program's hashes among the passwords. */
function moved({ users, passwords }: LoginFiles): LoginFiles {
  const hashes = users.users.flatMap((line) =>
    line.kind === "user" && line.hash !== null
      ? [{ mailbox: line.mailbox, scrypt: line.hash }]
      : []
  );
  return { users, passwords: adoptHashes(passwords, hashes) };
}

function readText(path: string): string {
  try {
    return Deno.readTextFileSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return "";
    throw error;
  }
}
