/**
 * The password file, `HOME/auth/passwords`: what is kept of passwords.
 *
 *     salts:<32 octets in base64>
 *     me@home.test::scrypt$...:scram-sha-256$...:2026-11-21
 *     me@home.test:phone::scram-sha-256$...:2026-11-21
 *
 * A line a password: mailbox, name of the app password (empty: the user's
 * own), hash for PLAIN, keys for SCRAM, the day it was set. Written by the
 * command line alone, as a whole; read by the role `auth` alone.
 *
 * An app password has no scrypt hash: it is made by us, of 120 random bits,
 * which no slow hash can protect better. A password that was moved here from
 * an old users file has no SCRAM keys until it is set again.
 */
import { Buffer } from "node:buffer";
import type { Mailbox } from "../core/shapes.ts";
import { nameOf, parseMailbox } from "./mailbox_name.ts";
import { formatScram, parseScram, type ScramKeys } from "./scram_keys.ts";
import { formatScrypt, parseScrypt, type ScryptHash } from "./scrypt_hash.ts";

/** Most app passwords of one mailbox: each is one more chance to guess. */
export const MAX_APP_PASSWORDS = 20;
/** Longest line, in characters. */
const MAX_LINE = 1_000;
const SALT_KEY_OCTETS = 32;

/** One password. */
export interface Password {
  readonly mailbox: Mailbox;
  /** Name of the app password; empty for the user's own. */
  readonly app: string;
  readonly scrypt: ScryptHash | null;
  readonly scram: ScramKeys | null;
  /** `YYYY-MM-DD`. */
  readonly made: string;
}

/** One line of the file. */
export type PasswordLine =
  | { readonly kind: "password"; readonly password: Password }
  | { readonly kind: "salts"; readonly key: Uint8Array }
  /** A comment or an empty line, as it was. */
  | { readonly kind: "other"; readonly text: string };

/** A password file, read. */
export interface PasswordFile {
  readonly lines: readonly PasswordLine[];
  /** The text that it was read from, to notice who changed it meanwhile. */
  readonly was: string;
}

/** One mistake in the file; never with a piece of the line in it. */
export interface PasswordFault {
  /** From 1. */
  readonly line: number;
  readonly message: string;
}

/** What became of a text. */
export type ParsedPasswords =
  | { readonly ok: true } & PasswordFile
  | { readonly ok: false; readonly faults: readonly PasswordFault[] };

/** Reads the file's text; all mistakes at once, each with its line. */
export function parsePasswords(text: string): ParsedPasswords {
  const faults: PasswordFault[] = [];
  const lines: PasswordLine[] = [];
  const seen = new Set<string>();
  const rows = text.split("\n");
  // What stands behind the last line's end is no line.
  if (rows.at(-1) === "") rows.pop();
  for (const [at, row] of rows.entries()) {
    const read = parseLine(row);
    if (typeof read === "string") {
      faults.push({ line: at + 1, message: read });
      continue;
    }
    lines.push(read);
    const key = keyOf(read);
    if (key === undefined) continue;
    if (seen.has(key)) {
      faults.push({ line: at + 1, message: `${key} is there twice` });
    }
    seen.add(key);
  }
  return faults.length > 0
    ? { ok: false, faults }
    : { ok: true, lines, was: text };
}

/** Writes the file's text; the opposite of {@link parsePasswords}. */
export function formatPasswords(lines: readonly PasswordLine[]): string {
  return lines.map((line) => `${formatLine(line)}\n`).join("");
}

/** The passwords, in the order of the file. */
export function passwordsIn(lines: readonly PasswordLine[]): Password[] {
  return lines.flatMap((line) =>
    line.kind === "password" ? [line.password] : []
  );
}

/** The key of {@link saltOf}; null in a file that has none. */
export function saltKeyIn(lines: readonly PasswordLine[]): Uint8Array | null {
  return lines.find((line) => line.kind === "salts")?.key ?? null;
}

/** True if an app password may have that name. */
export function isAppName(name: string): boolean {
  return /^[a-z0-9][a-z0-9._-]{0,31}$/.test(name);
}

/** What may be there only once; undefined for comments. */
function keyOf(line: PasswordLine): string | undefined {
  switch (line.kind) {
    case "password": {
      const { mailbox, app } = line.password;
      const name = nameOf(mailbox);
      return app === ""
        ? `the password of ${name}`
        : `the app password ${app} of ${name}`;
    }
    case "salts":
      return "the key of the salts";
    case "other":
      return undefined;
  }
}

function formatLine(line: PasswordLine): string {
  switch (line.kind) {
    case "password": {
      const { mailbox, app, scrypt, scram, made } = line.password;
      return [
        nameOf(mailbox),
        app,
        scrypt === null ? "" : formatScrypt(scrypt),
        scram === null ? "" : formatScram(scram),
        made,
      ].join(":");
    }
    case "salts":
      return `salts:${Buffer.from(line.key).toString("base64")}`;
    case "other":
      return line.text;
  }
}

/** The line, or what is wrong with it. */
function parseLine(row: string): PasswordLine | string {
  const text = row.trim();
  if (text === "" || text.startsWith("#")) return { kind: "other", text: row };
  if (text.length > MAX_LINE) return `is longer than ${MAX_LINE} characters`;
  const fields = text.split(":");
  if (fields[0] === "salts" && fields.length === 2) {
    const key = Buffer.from(fields[1]!, "base64");
    return key.length === SALT_KEY_OCTETS
      ? { kind: "salts", key }
      : "the key of the salts has not 32 octets";
  }
  if (fields.length !== 5) return `has ${fields.length} fields and not 5`;
  const [name, app, scryptText, scramText, made] = fields as [
    string,
    string,
    string,
    string,
    string,
  ];
  const mailbox = parseMailbox(name);
  if (mailbox === undefined) return "the first field can be no mailbox";
  if (app !== "" && !isAppName(app)) return "the app password's name is none";
  if (made !== "" && !/^\d{4}-\d{2}-\d{2}$/.test(made)) return "has no date";
  const scrypt = scryptText === "" ? null : parseScrypt(scryptText);
  const scram = scramText === "" ? null : parseScram(scramText);
  if (scrypt === undefined || scram === undefined) {
    return "a hash is none of ours: set it with `bulkhead user passwd`";
  }
  if (app === "" ? scrypt === null : scram === null) {
    return "the hash is missing: set it with `bulkhead user passwd`";
  }
  return { kind: "password", password: { mailbox, app, scrypt, scram, made } };
}
