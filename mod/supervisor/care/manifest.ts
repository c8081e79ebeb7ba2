/**
 * What a backup says of itself: a first line with what it is of, a line for
 * each file and directory, a last line with how many there were. JSON, a value
 * a line, so that a million files take no more memory than one.
 *
 * A path is relative and of plain steps; owners are roles' names where they
 * are roles, because another machine has other numbers for them.
 */
import { createHash } from "node:crypto";
import { SHARED_GROUPS } from "../accounts.ts";
import { ROLE_NAMES, type RoleName } from "../../ipc/call.ts";
import { int, object, text, z } from "../../ipc/schema.ts";
import type { Accounts } from "../accounts.ts";

/** Form of the backup itself. */
export const BACKUP_VERSION = 1;

/** Name of the manifest in a backup. */
export const MANIFEST = "manifest";

const number = int({ min: 0, max: 2 ** 32 });
const size = int({ min: 0, max: 2 ** 52 });
const owner = z.union([number, text({ min: 1, max: 64 })]);

const header = object({
  backup: int({ min: 1, max: 1_000 }),
  program: text({ max: 64 }),
  atMs: int({ min: 0, max: 2 ** 50 }),
  hostname: text({ max: 255 }),
  home: text({ max: 4_096 }),
  /** Where the configuration lay. */
  config: text({ max: 4_096 }),
  /** The home's format, see `format_file.ts`. */
  format: z.unknown(),
  hasMail: z.boolean(),
});

const entry = object({
  path: text({ min: 1, max: 4_096 }),
  kind: z.enum(["file", "directory"]),
  size,
  mode: int({ min: 0, max: 0o7777 }),
  owner,
  group: owner,
  /** Of a file, in hexadecimal. */
  sha256: text({ max: 64 }),
});

const footer = object({
  end: z.literal(true),
  entries: size,
  bytes: size,
  /** In the queue. */
  messages: size,
  /** Of all lines before, in hexadecimal. */
  sha256: text({ max: 64 }),
});

/** See the head. */
export type BackupHeader = z.infer<typeof header>;
/** See the head. */
export type BackupEntry = z.infer<typeof entry>;

/** A whole manifest. */
export interface Manifest {
  readonly header: BackupHeader;
  readonly entries: ReadonlyMap<string, BackupEntry>;
  readonly bytes: number;
  readonly messages: number;
}

/** A backup that is none, or not whole. */
export class BadBackup extends Error {
  override name = "BadBackup";
}

/** One line. */
export function line(value: unknown): string {
  return `${JSON.stringify(value)}\n`;
}

/**
 * Reads a manifest.
 *
 * @throws {BadBackup} If it is none, is cut short, or names what may not be
 */
export function parseManifest(written: string): Manifest {
  const lines = written.split("\n");
  if (lines.pop() !== "" || lines.length < 2) throw notWhole();
  const [first, ...rest] = lines.map(parsed);
  const head = header.safeParse(first);
  if (!head.success) throw new BadBackup("its manifest is none of a backup");
  if (head.data.backup > BACKUP_VERSION) {
    throw new BadBackup(
      `it was made by bulkhead ${head.data.program}, in a form that this ` +
        "program does not know: restore it with that one",
    );
  }
  const foot = footer.safeParse(rest.pop());
  if (!foot.success || foot.data.entries !== rest.length) throw notWhole();
  const before = written.slice(
    0,
    written.lastIndexOf("\n", written.length - 2),
  );
  if (sumOf(`${before}\n`) !== foot.data.sha256) {
    throw new BadBackup("its manifest is damaged");
  }
  const entries = new Map<string, BackupEntry>();
  for (const one of rest) {
    const read = entry.safeParse(one);
    if (!read.success || !isPlainPath(read.data.path)) {
      throw new BadBackup("its manifest names what no backup may");
    }
    if (entries.has(read.data.path)) {
      throw new BadBackup(`its manifest names ${read.data.path} twice`);
    }
    entries.set(read.data.path, read.data);
  }
  const { bytes, messages } = foot.data;
  return { header: head.data, entries, bytes, messages };
}

function sumOf(lines: string): string {
  return createHash("sha256").update(lines).digest("hex");
}

function notWhole(): BadBackup {
  return new BadBackup("it is not whole: its manifest is cut short");
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new BadBackup("its manifest is damaged");
  }
}

/** True for a relative path that leads nowhere else. */
export function isPlainPath(path: string): boolean {
  return !path.includes("\0") &&
    path.split("/").every((step) =>
      step !== "" && step !== "." && step !== ".."
    );
}

/** An owner's name, if it is a role's; root is 0 wherever it is. */
export function ownerName(
  uid: number,
  accounts: Accounts | null,
): string | number {
  if (accounts === null) return "self";
  const role = ROLE_NAMES.find((name) => accounts.roles.get(name)?.uid === uid);
  return role ?? uid;
}

/** The same for a group. */
export function groupName(
  gid: number,
  accounts: Accounts | null,
): string | number {
  if (accounts === null) return "self";
  const role = ROLE_NAMES.find((name) => accounts.roles.get(name)?.gid === gid);
  const shared = SHARED_GROUPS.find((name) =>
    accounts.groups.get(name) === gid
  );
  return role ?? shared ?? gid;
}

/** The user of a name on this machine; undefined if there is none. */
export function ownerId(
  name: string | number,
  accounts: Accounts | null,
): number | undefined {
  if (accounts === null) return Deno.uid()!;
  if (typeof name === "number") return name;
  return name === "self" ? 0 : accounts.roles.get(name as RoleName)?.uid;
}

/** The same for a group. */
export function groupId(
  name: string | number,
  accounts: Accounts | null,
): number | undefined {
  if (accounts === null) return Deno.gid()!;
  if (typeof name === "number") return name;
  if (name === "self") return 0;
  return accounts.roles.get(name as RoleName)?.gid ??
    accounts.groups.get(SHARED_GROUPS.find((one) => one === name)!);
}
