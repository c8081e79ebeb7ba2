/**
 * Changes of a password file, as values: the caller writes what comes out.
 * Hashing takes a quarter of a second and the calling thread.
 */
import { randomBytes } from "node:crypto";
import type { Mailbox } from "../core/shapes.ts";
import { nameOf } from "./mailbox_name.ts";
import {
  isAppName,
  MAX_APP_PASSWORDS,
  type Password,
  type PasswordFile,
  type PasswordLine,
  passwordsIn,
  saltKeyIn,
} from "./password_file.ts";
import { passwordFault, preparePassword } from "./prepare.ts";
import {
  ITERATIONS,
  makeScram,
  saltOf,
  type ScramParameters,
} from "./scram_keys.ts";
import { makeScrypt, type ScryptHash } from "./scrypt_hash.ts";

/** A changed file, or why it cannot be changed. */
export type ChangedPasswords =
  | { readonly ok: true } & PasswordFile
  | { readonly ok: false; readonly fault: string };

/** Letters that are not mistaken for one another; five bits each. */
const LETTERS = "abcdefghijkmnpqrstuvwxyz23456789";
const GROUPS = 6;
const GROUP_LETTERS = 4;

/** A new app password: 120 random bits, in groups to be typed. */
export function makeAppPassword(): string {
  return Array.from(
    { length: GROUPS },
    () =>
      [...randomBytes(GROUP_LETTERS)].map((octet) => LETTERS[octet % 32])
        .join(""),
  ).join("-");
}

/** Gives a file that has none the key of its salts. */
export function withSaltKey(file: PasswordFile): PasswordFile {
  if (saltKeyIn(file.lines) !== null) return file;
  const salts: PasswordLine = { kind: "salts", key: randomBytes(32) };
  return { ...file, lines: [salts, ...file.lines] };
}

/** Sets a mailbox's own password. */
export function setPassword(
  file: PasswordFile,
  mailbox: Mailbox,
  password: string,
): ChangedPasswords {
  const fault = passwordFault(password);
  if (fault !== undefined) return { ok: false, fault };
  return put(file, { mailbox, app: "", password, isOwn: true });
}

/** Adds an app password; `password` is one of {@link makeAppPassword}. */
export function addAppPassword(
  file: PasswordFile,
  { mailbox, app, password }: {
    mailbox: Mailbox;
    app: string;
    password: string;
  },
): ChangedPasswords {
  if (!isAppName(app)) {
    return {
      ok: false,
      fault: `${JSON.stringify(app)} can be no app password's name: use ` +
        "a-z, 0-9, dots, hyphens and underscores, at most 32",
    };
  }
  const there = appPasswordsOf(file, mailbox);
  if (there.some((one) => one.app === app)) {
    return {
      ok: false,
      fault: `${nameOf(mailbox)} has an app password ${app} already: remove ` +
        "it first, or take another name",
    };
  }
  if (there.length >= MAX_APP_PASSWORDS) {
    return {
      ok: false,
      fault: `${nameOf(mailbox)} has ${MAX_APP_PASSWORDS} app passwords: ` +
        "remove one first",
    };
  }
  return put(file, { mailbox, app, password, isOwn: false });
}

/** Removes an app password. */
export function removeAppPassword(
  file: PasswordFile,
  mailbox: Mailbox,
  app: string,
): ChangedPasswords {
  const lines = file.lines.filter((line) => !isOf(line, mailbox, app));
  return lines.length === file.lines.length
    ? {
      ok: false,
      fault: `${nameOf(mailbox)} has no app password ${JSON.stringify(app)}`,
    }
    : { ok: true, ...file, lines };
}

/** Removes all passwords of a mailbox, if it has any. */
export function removePasswords(
  file: PasswordFile,
  mailbox: Mailbox,
): PasswordFile {
  return { ...file, lines: file.lines.filter((line) => !isOf(line, mailbox)) };
}

/** Takes over hashes from a users file; what is there already stays. */
export function adoptHashes(
  file: PasswordFile,
  hashes: readonly { mailbox: Mailbox; scrypt: ScryptHash }[],
): PasswordFile {
  const there = new Set(
    passwordsIn(file.lines).filter(({ app }) => app === "")
      .map(({ mailbox }) => nameOf(mailbox)),
  );
  const lines = hashes.filter(({ mailbox }) => !there.has(nameOf(mailbox)))
    .map((one): PasswordLine => ({
      kind: "password",
      password: { ...one, app: "", scram: null, made: "" },
    }));
  return { ...file, lines: [...file.lines, ...lines] };
}

/** A mailbox's app passwords, in the order of the file. */
export function appPasswordsOf(
  file: PasswordFile,
  mailbox: Mailbox,
): Password[] {
  return passwordsIn(file.lines).filter((one) =>
    one.app !== "" && nameOf(one.mailbox) === nameOf(mailbox)
  );
}

function put(
  before: PasswordFile,
  { mailbox, app, password, isOwn }: {
    mailbox: Mailbox;
    app: string;
    password: string;
    isOwn: boolean;
  },
): ChangedPasswords {
  const file = withSaltKey(before);
  const prepared = preparePassword(password)!;
  return {
    ok: true,
    ...withLine(file, {
      mailbox,
      app,
      scrypt: isOwn ? makeScrypt(prepared) : null,
      scram: makeScram(prepared, parametersFor(file, mailbox)),
      made: new Date().toISOString().slice(0, 10),
    }),
  };
}

/**
 * One salt and one count for all passwords of a mailbox: SCRAM names them
 * before it is known which of the passwords the client has.
 */
function parametersFor(file: PasswordFile, mailbox: Mailbox): ScramParameters {
  const bound = appPasswordsOf(file, mailbox)[0]?.scram;
  return bound ?? {
    salt: saltOf(saltKeyIn(file.lines)!, nameOf(mailbox)),
    iterations: ITERATIONS,
  };
}

/** Replaces the line of the same mailbox and app, or appends it. */
function withLine(file: PasswordFile, password: Password): PasswordFile {
  const line: PasswordLine = { kind: "password", password };
  const at = file.lines.findIndex((one) =>
    isOf(one, password.mailbox, password.app)
  );
  return {
    ...file,
    lines: at < 0 ? [...file.lines, line] : file.lines.with(at, line),
  };
}

function isOf(line: PasswordLine, mailbox: Mailbox, app?: string): boolean {
  return line.kind === "password" &&
    nameOf(line.password.mailbox) === nameOf(mailbox) &&
    (app === undefined || line.password.app === app);
}
