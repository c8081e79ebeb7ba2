/**
 * What an older home has in another place, moved there and, as long as an
 * upgrade may be undone, back: the segments of the first program, which lay in
 * `spool/` itself, and passwords, which stood in the users file. Each of them
 * may be done again after a crash, from any point.
 */
import { randomFillSync } from "node:crypto";
import type { Accounts } from "../accounts.ts";
import { makePlaces, moveOldSegments, type Place, placesOf } from "../home.ts";
import { hasOldHashes, readLogins, writeLogins } from "../logins.ts";
import type { Paths } from "../plan.ts";
import { isThere, replaceFile, syncPath, writeAll } from "../replace_file.ts";
import { keptDir, type UpgradeJournal } from "./upgrade_journal.ts";

/** What the directory `spool` is like before anything is moved. */
export function spoolFacts(
  { home }: Paths,
): NonNullable<UpgradeJournal["spool"]> {
  const { uid, gid, mode } = Deno.statSync(`${home}/spool`);
  return {
    uid: uid ?? 0,
    gid: gid ?? 0,
    mode: (mode ?? 0) & 0o7777,
    files: [...Deno.readDirSync(`${home}/spool`)]
      .filter(({ isFile }) => isFile).map(({ name }) => name),
  };
}

/** Gives the spool its directories, and moves the segments into them. */
export function moveSpool(paths: Paths, accounts: Accounts | null): void {
  const top = `${paths.home}/spool`;
  const ours = [top, paths.spoolDir, paths.spentDir];
  makePlaces(
    placesOf(paths).filter(({ path }) => ours.includes(path)),
    accounts,
  );
  moveOldSegments(paths);
  syncPath(top);
}

/** Puts the segments back that are still there. */
export function moveSpoolBack(
  paths: Paths,
  was: NonNullable<UpgradeJournal["spool"]>,
): void {
  const top = `${paths.home}/spool`;
  for (const name of was.files) {
    if (name.includes("/") || !isThere(`${paths.spoolDir}/${name}`)) continue;
    Deno.renameSync(`${paths.spoolDir}/${name}`, `${top}/${name}`);
  }
  if (Deno.uid() === 0) Deno.chownSync(top, was.uid, was.gid);
  Deno.chmodSync(top, was.mode);
  syncPath(top);
}

/** Keeps the users file, and moves the passwords out of it. */
export function movePasswords(
  paths: Paths,
  accounts: Accounts | null,
): void {
  const read = readLogins(paths);
  if (!read.ok || !hasOldHashes(read.users)) return;
  const dir = keptDir(paths.home);
  Deno.mkdirSync(dir, { recursive: true, mode: 0o700 });
  syncPath(paths.home);
  replaceFile(`${dir}/users`, Deno.readFileSync(paths.usersFile), 0o600);
  writeLogins(paths, read, accounts);
}

/** Puts the users file back; the other one is not read by who needs it. */
export function movePasswordsBack(paths: Paths): void {
  const kept = `${keptDir(paths.home)}/users`;
  if (!isThere(kept)) return;
  replaceFile(paths.usersFile, Deno.readFileSync(kept), 0o600);
}

/** Overwrites and removes root's own files that were kept. */
export function forgetKept({ home }: Paths): void {
  const dir = keptDir(home);
  if (!isThere(dir)) return;
  for (const { name } of Deno.readDirSync(dir)) {
    overwriteAndRemove(`${dir}/${name}`);
  }
  Deno.removeSync(dir);
  syncPath(home);
}

/** Once, with random octets: for a small file of root's own. */
export function overwriteAndRemove(path: string): void {
  {
    using file = Deno.openSync(path, { read: true, write: true });
    const octets = new Uint8Array(file.statSync().size);
    randomFillSync(octets);
    writeAll(file, octets);
    file.syncSync();
  }
  Deno.removeSync(path);
}

/** The places of the tree that are not there. */
export function missingPlaces(paths: Paths): Place[] {
  return placesOf(paths).filter(({ path }) => !isThere(path));
}
