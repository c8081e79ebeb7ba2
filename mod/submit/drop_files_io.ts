/**
 * The drop directory on the disk.
 *
 * Deno 2.9.6 honours O_NONBLOCK, so a FIFO holds nobody up, and drops
 * O_NOFOLLOW: a link is followed as far as Landlock lets it, which is to
 * nothing outside of this directory. So who opens compares with what lstat(2)
 * said before: a link has another inode than the file behind it.
 */
import fs from "node:fs";
import type { DropFile, DropFiles, FileFacts } from "./drop_files.ts";

const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK, O_NOCTTY } = fs.constants;

/** The files in `dir`. */
export function dropFiles(dir: string): DropFiles {
  return {
    changedMs: () => fs.statSync(dir).mtimeMs,
    list: async () => {
      const names: string[] = [];
      for await (const { name } of Deno.readDir(dir)) names.push(name);
      return names;
    },
    look: (name) => {
      try {
        return factsOf(fs.lstatSync(`${dir}/${name}`));
      } catch (error) {
        if (isGone(error)) return undefined;
        throw error;
      }
    },
    open: (name) => open(`${dir}/${name}`),
    remove: (name, isDirectory) => remove(`${dir}/${name}`, isDirectory),
  };
}

function open(path: string): DropFile | "gone" | "denied" {
  let fd: number;
  try {
    fd = fs.openSync(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
  } catch (error) {
    if (isGone(error)) return "gone";
    if (DENIALS.includes(codeOf(error))) return "denied";
    throw error;
  }
  return {
    facts: () => factsOf(fs.fstatSync(fd)),
    read: (into, at) => fs.readSync(fd, into, 0, into.length, at),
    close: () => fs.closeSync(fd),
  };
}

/** A mode that keeps us out, a loop of links, a socket. */
const DENIALS: readonly unknown[] = ["EACCES", "EPERM", "ELOOP", "ENXIO"];
/** A directory that is not empty, or that was no directory a moment ago. */
const STAYS: readonly unknown[] = [
  "ENOTEMPTY",
  "EEXIST",
  "ENOTDIR",
  "EISDIR",
  "EACCES",
  "EPERM",
  "EBUSY",
];

function remove(path: string, isDirectory: boolean): boolean {
  try {
    if (isDirectory) fs.rmdirSync(path);
    else fs.unlinkSync(path);
    return true;
  } catch (error) {
    if (isGone(error)) return true;
    if (STAYS.includes(codeOf(error))) return false;
    throw error;
  }
}

function factsOf(stats: fs.Stats): FileFacts {
  return {
    isFile: stats.isFile(),
    isDirectory: stats.isDirectory(),
    uid: stats.uid,
    gid: stats.gid,
    links: stats.nlink,
    sizeBytes: stats.size,
    changedMs: stats.mtimeMs,
    touchedMs: stats.ctimeMs,
    identity: `${stats.dev} ${stats.ino}`,
  };
}

function codeOf(error: unknown): unknown {
  return (error as { code?: unknown }).code;
}

function isGone(error: unknown): boolean {
  return codeOf(error) === "ENOENT";
}
