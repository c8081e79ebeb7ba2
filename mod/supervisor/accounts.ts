/**
 * Users and groups of the roles. One UID a role: two roles under one UID are
 * one compartment, because they may ptrace one another.
 */
import { ROLE_NAMES, type RoleName } from "../ipc/call.ts";
import type { SharedGroup } from "../walls/manifest.ts";
import type { Account } from "../walls/render.ts";

/** Accounts of all roles and shared groups. */
export interface Accounts {
  readonly roles: ReadonlyMap<RoleName, Account>;
  readonly groups: ReadonlyMap<SharedGroup, number>;
  /** Where they come from, for people. */
  readonly source: "user table" | "uid range";
}

/** First UID of the range where the user table cannot be written. */
export const DEFAULT_UID_BASE = 62_400;

/** Groups of several roles. */
export const SHARED_GROUPS: readonly SharedGroup[] = ["content"];

/** Reads `name -> [id, id]` from a passwd(5) or group(5) file. */
function readTable(path: string): Map<string, string[]> {
  const table = new Map<string, string[]>();
  for (const line of Deno.readTextFileSync(path).split("\n")) {
    const fields = line.split(":");
    if (fields.length >= 4) table.set(fields[0]!, fields);
  }
  return table;
}

/** A role's group; undefined where there are no accounts. */
export function groupOf(
  accounts: Accounts | null,
  role: RoleName,
): number | undefined {
  return accounts?.roles.get(role)?.gid;
}

/** Accounts by number alone: role n gets `base + n` as user and group. */
export function accountsFromRange(base: number): Accounts {
  const roles = new Map<RoleName, Account>();
  ROLE_NAMES.forEach((name, n) =>
    roles.set(name, { uid: base + n, gid: base + n })
  );
  const groups = new Map<SharedGroup, number>();
  SHARED_GROUPS.forEach((name, n) => groups.set(name, base + 50 + n));
  return { roles, groups, source: "uid range" };
}

/**
 * Looks the roles' accounts up in the user table.
 *
 * @param stand Who stands in for those that are not there
 * @returns The accounts, or the names that are missing
 */
export function accountsFromTable(
  prefix: string,
  stand?: Accounts,
): { ok: true; accounts: Accounts } | { ok: false; missing: string[] } {
  const users = readTable("/etc/passwd");
  const groupTable = readTable("/etc/group");
  const missing: string[] = [];
  const roles = new Map<RoleName, Account>();
  for (const name of ROLE_NAMES) {
    const row = users.get(prefix + name);
    const standIn = stand?.roles.get(name);
    if (row === undefined && standIn !== undefined) roles.set(name, standIn);
    else if (row === undefined) missing.push(prefix + name);
    else roles.set(name, { uid: Number(row[2]), gid: Number(row[3]) });
  }
  const groups = new Map<SharedGroup, number>();
  for (const name of SHARED_GROUPS) {
    const row = groupTable.get(prefix + name);
    const standIn = stand?.groups.get(name);
    if (row === undefined && standIn !== undefined) groups.set(name, standIn);
    else if (row === undefined) missing.push(prefix + name);
    else groups.set(name, Number(row[2]));
  }
  return missing.length > 0
    ? { ok: false, missing }
    : { ok: true, accounts: { roles, groups, source: "user table" } };
}

/**
 * Makes the missing accounts with useradd(8) and groupadd(8).
 *
 * @returns undefined, or why it could not be done
 */
export function makeAccounts(missing: readonly string[]): string | undefined {
  const groups = new Set<string>(SHARED_GROUPS);
  for (const name of missing) {
    const isGroup = [...groups].some((group) => name.endsWith(`-${group}`));
    const [command, args] = isGroup ? ["groupadd", ["-r", name]] : ["useradd", [
      "-r",
      "-U",
      "-M",
      "-d",
      "/nonexistent",
      "-s",
      "/usr/sbin/nologin",
      "-c",
      "Bulkhead mail server",
      name,
    ]];
    try {
      const run = new Deno.Command(command as string, {
        args: args as string[],
        stdout: "null",
        stderr: "piped",
      }).outputSync();
      if (!run.success) {
        return new TextDecoder().decode(run.stderr).trim() ||
          `${command} ended with code ${run.code}`;
      }
    } catch (error) {
      return `${command}: ${error instanceof Error ? error.message : error}`;
    }
  }
  return undefined;
}
