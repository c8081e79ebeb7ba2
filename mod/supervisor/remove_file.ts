/**
 * Removes a file that was overwritten: first its name, then itself, each
 * synced. For what was never synced may come back after a crash, and a file's
 * name says something, too.
 */
import fs from "node:fs";
import { dirname } from "node:path";
import { randomBytes } from "node:crypto";
import { syncPath } from "./replace_file.ts";

/** What removing needs of a file system: the seam for tests. */
export interface NameCalls {
  /** Device and inode number of what a name means; no link is followed. */
  identity(path: string): string;
  rename(from: string, to: string): void;
  unlink(path: string): void;
  syncDir(dir: string): void;
}

/** The real ones. */
export const nameCalls: NameCalls = {
  identity: (path) => {
    const { dev, ino } = fs.lstatSync(path, { bigint: true });
    return `${dev}:${ino}`;
  },
  rename: (from, to) => fs.renameSync(from, to),
  unlink: (path) => fs.unlinkSync(path),
  syncDir: syncPath,
};

/** What came of it. */
export type Removal =
  | { readonly ok: true }
  /** `at`: the name it has now. */
  | { readonly ok: false; readonly at: string; readonly why: string };

/**
 * Removes the file.
 *
 * @param identity Of the file that was overwritten: no other is removed
 */
export function removeFile(
  path: string,
  identity: string,
  calls: NameCalls = nameCalls,
): Removal {
  const dir = dirname(path);
  const hidden = `${dir}/${randomBytes(12).toString("hex")}`;
  let at = path;
  try {
    if (calls.identity(path) !== identity) return wrongFile(path);
    calls.rename(path, hidden);
    at = hidden;
    // Again: between the look and the renaming the name may have changed.
    if (calls.identity(hidden) !== identity) {
      calls.rename(hidden, path);
      return wrongFile(path);
    }
    calls.syncDir(dir);
    calls.unlink(hidden);
    at = "";
    calls.syncDir(dir);
    return { ok: true };
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    return { ok: false, at, why };
  }
}

function wrongFile(path: string): Removal {
  return { ok: false, at: path, why: "its name came to mean another file" };
}
