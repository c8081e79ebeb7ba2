/**
 * The directories whose files are overwritten to erase them, and what that is
 * worth where they lie.
 */
import fs from "node:fs";
import {
  type FileSystemFacts,
  type Worth,
  worthOf,
} from "../shred/file_system.ts";
import { factsOf, type FileAttributes } from "../shred/file_system_io.ts";
import type { Libc } from "../walls/libc.ts";
import { attributesOf, extentsOf, hasSharedBlocks } from "./file_attributes.ts";
import type { Paths } from "./plan.ts";

/** One directory. */
export interface ErasedPlace extends Worth {
  readonly what: "contents" | "spent" | "keys" | "history";
  readonly dir: string;
  readonly kind: string;
  readonly mountPoint: string;
  /** Freed blocks are given back to the drive (mount option `discard`). */
  readonly discards: boolean;
}

/** Those that are there. */
export function erasedDirs(
  paths: Paths,
): { readonly what: ErasedPlace["what"]; readonly dir: string }[] {
  return ([
    { what: "contents", dir: paths.spoolDir },
    { what: "spent", dir: paths.spentDir },
    { what: "keys", dir: paths.queueDir },
    { what: "history", dir: paths.eventsDir },
  ] as const).filter(({ dir }) => isDirectory(dir));
}

/** What overwriting is worth in each. */
export function erasedPlaces(libc: Libc, paths: Paths): ErasedPlace[] {
  return erasedDirs(paths).map(({ what, dir }) => {
    const facts = placeFacts(libc, dir);
    return {
      what,
      dir,
      kind: facts.kind,
      mountPoint: facts.mountPoint,
      discards: facts.options.has("discard"),
      ...worthOf(facts),
    };
  });
}

function placeFacts(libc: Libc, dir: string): FileSystemFacts {
  const facts = factsOf(dir, placeAttributes(libc, dir));
  if (facts.kind !== "btrfs") return facts;
  // A directory's attribute says nothing of files that were there before it.
  const { copied, shared } = lookThrough(libc, dir);
  return {
    ...facts,
    isNoCow: facts.isNoCow === true && copied === 0,
    isShared: shared > 0,
  };
}

/** What {@link lookThrough} found. */
export interface FilesOnBtrfs {
  /** Files that hold something and are copied when written. */
  readonly copied: number;
  /** The first of them. */
  readonly example: string;
  /** Files that share blocks with a snapshot or a copy. */
  readonly shared: number;
}

/** Files looked at in one directory; enough to know that there are some. */
const MOST_FILES = 100_000;

/** Looks at the files of a directory on btrfs, one by one. */
export function lookThrough(libc: Libc, dir: string): FilesOnBtrfs {
  let copied = 0;
  let shared = 0;
  let example = "";
  let seen = 0;
  for (const { name, isFile } of Deno.readDirSync(dir)) {
    if (++seen > MOST_FILES) break;
    const found = isFile ? attributesIfThere(libc, `${dir}/${name}`) : null;
    if (found?.isShared === true) shared++;
    if (found?.isNoCow !== false) continue;
    copied++;
    example ||= name;
  }
  return { copied, example, shared };
}

/** Null of an empty file, and of one that went away or became another thing. */
function attributesIfThere(libc: Libc, path: string): FileAttributes | null {
  try {
    if (fs.lstatSync(path).size === 0) return null;
    return placeAttributes(libc, path);
  } catch (error) {
    const isGone = error instanceof Error && "code" in error &&
      (error.code === "ENOENT" || error.code === "ELOOP");
    if (isGone) return null;
    throw error;
  }
}

/** A sentence for each directory in which overwriting does not erase at once. */
export function doubtsAbout(places: readonly ErasedPlace[]): string[] {
  return places.filter((one) =>
    one.overwritesInPlace !== "yes" || one.journalKeepsCopies
  ).map(({ what, dir, sentence }) => `${what} in ${dir}: ${sentence}`);
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
