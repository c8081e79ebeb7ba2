/**
 * btrfs writes new octets to other blocks, so that overwriting erases nothing,
 * unless copying on write is switched off. Here it is, for the directories
 * whose files are overwritten to erase them; what is made in them later has
 * the attribute from its directory.
 *
 * The price is that btrfs keeps no checksums of such files and does not
 * compress them. The spool's records and the database's pages are checked by
 * their own means.
 */
import fs from "node:fs";
import { factsOf, type FileAttributes } from "../shred/file_system_io.ts";
import { type Libc, SystemCallError } from "../walls/libc.ts";
import {
  attributesOf,
  extentsOf,
  hasSharedBlocks,
  setNoCow,
} from "./file_attributes.ts";
import type { Paths } from "./plan.ts";

/** Files looked at in one directory; enough to know that there are some. */
const MOST_FILES = 100_000;

/** What was found in one directory on a file system that copies on write. */
export type CopyOnWriteReport =
  | { readonly dir: string; readonly did: "switched-off" }
  /** Files of before keep the old way; overwriting them erases nothing. */
  | {
    readonly dir: string;
    readonly did: "left-files";
    readonly files: number;
    readonly example: string;
  }
  | { readonly dir: string; readonly did: "failed"; readonly why: string };

/** Directories whose files are overwritten in place, if they are there. */
export function erasedDirs(paths: Paths): string[] {
  return [
    paths.spoolDir,
    paths.spentDir,
    paths.queueDir,
    `${paths.home}/events`,
  ].filter(isDirectory);
}

/**
 * Switches copy-on-write off in each directory, where the file system has it.
 * Nothing to tell where it has not, or where it was off for all.
 */
export function switchOffCopyOnWrite(
  libc: Libc,
  dirs: readonly string[],
): CopyOnWriteReport[] {
  return dirs.filter((dir) => factsOf(dir).kind === "btrfs").flatMap((dir) =>
    switchOffOne(libc, dir)
  );
}

function switchOffOne(libc: Libc, dir: string): CopyOnWriteReport[] {
  try {
    const wasOff = placeAttributes(libc, dir).isNoCow === true;
    if (!wasOff) setNoCow(libc, dir);
    const left = copiedFiles(libc, dir);
    return [
      ...wasOff ? [] : [{ dir, did: "switched-off" } as const],
      ...left.files === 0 ? [] : [{ dir, did: "left-files", ...left } as const],
    ];
  } catch (error) {
    if (!(error instanceof SystemCallError)) throw error;
    return [{ dir, did: "failed", why: error.message }];
  }
}

/** Files that hold something and are copied when written. */
function copiedFiles(
  libc: Libc,
  dir: string,
): { files: number; example: string } {
  let files = 0;
  let example = "";
  let seen = 0;
  for (const { name, isFile } of Deno.readDirSync(dir)) {
    if (++seen > MOST_FILES) break;
    if (!isFile) continue;
    const path = `${dir}/${name}`;
    if (isGoneOrEmpty(path)) continue;
    if (!isCopied(libc, path)) continue;
    files++;
    example ||= name;
  }
  return { files, example };
}

function isCopied(libc: Libc, path: string): boolean {
  return withFile(path, (fd) => attributesOf(libc, fd)?.isNoCow === false);
}

/**
 * The attributes of a file or directory, as `file_system_io.ts` wants them.
 * Follows no link, and waits for no pipe.
 */
export function placeAttributes(libc: Libc, path: string): FileAttributes {
  return withFile(path, (fd) => {
    const attributes = attributesOf(libc, fd);
    const extents = fs.fstatSync(fd).isFile() ? extentsOf(libc, fd) : null;
    return {
      isNoCow: attributes?.isNoCow ?? null,
      isShared: extents === null ? null : hasSharedBlocks(extents),
      isJournalled: attributes?.isJournalled ?? false,
    };
  });
}

function withFile<T>(path: string, ask: (fd: number) => T): T {
  const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK } = fs.constants;
  const fd = fs.openSync(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
  try {
    return ask(fd);
  } finally {
    fs.closeSync(fd);
  }
}

function isDirectory(path: string): boolean {
  try {
    return Deno.lstatSync(path).isDirectory;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

function isGoneOrEmpty(path: string): boolean {
  try {
    return Deno.lstatSync(path).size === 0;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return true;
    throw error;
  }
}
