/**
 * `bulkhead shred FILE`: one file, from the first look to its removal. The
 * engine is the role's, `mod/shred/overwrite.ts`; here is what a stranger's
 * file needs beside it: what may be erased at all, holes, other names, whether
 * the octets went where the old ones lay, and the end of the name.
 */
import fs from "node:fs";
import { type InPlace, worthOf } from "../shred/file_system.ts";
import { factsOf } from "../shred/file_system_io.ts";
import type { Files, ReadBack } from "../shred/files.ts";
import { realFiles } from "../shred/files_io.ts";
import {
  overwrite,
  type OverwriteProgress,
  ShredError,
} from "../shred/overwrite.ts";
import type { Libc } from "../walls/libc.ts";
import { DataSteps } from "./data_steps.ts";
import { placeAttributes } from "./erased_places.ts";
import {
  type Extent,
  extentsOf,
  isOpenElsewhere,
  isSamePlace,
} from "./file_attributes.ts";
import { type Removal, removeFile } from "./remove_file.ts";

/** How to go about it. */
export interface ShredFileOptions {
  readonly libc: Libc;
  readonly passes: number;
  /** The file stays, overwritten. */
  readonly keep: boolean;
  /** A file with several names is erased under all of them. */
  readonly links: boolean;
  readonly onProgress?: (progress: OverwriteProgress) => void;
  readonly isStopped?: () => boolean;
  /** @default {realFiles} */
  readonly files?: Files;
}

/** What is known of a file's place. */
export interface FilePlace {
  readonly kind: string;
  readonly mountPoint: string;
  readonly overwritesInPlace: InPlace;
  readonly journalKeepsCopies: boolean;
  readonly sentence: string;
}

/** A file that was erased as far as the file system lets it. */
export interface FileShredded {
  readonly path: string;
  readonly ok: true;
  readonly bytes: number;
  /** Holes, left alone. */
  readonly skippedBytes: number;
  readonly passes: number;
  readonly readBack: ReadBack;
  /** True: the new octets lie where the old ones lay. Null: nobody says. */
  readonly isSamePlace: boolean | null;
  readonly isRemoved: boolean;
  /** Names that the file had besides. */
  readonly otherNames: number;
  /** Another process had it open when we began. Null: not known. */
  readonly wasOpenElsewhere: boolean | null;
  readonly fileSystem: FilePlace;
}

/** Why a file is not erased. */
export type FileFault =
  | "missing"
  | "denied"
  | "unfit"
  | "copied"
  | "failed"
  | "differs"
  | "changed"
  | "stopped"
  | "not-removed";

/** A file that is still there. */
export interface FileKept {
  readonly path: string;
  readonly ok: false;
  readonly fault: FileFault;
  /** What it is and what to do, in words. */
  readonly why: string;
  /** What is in it now. */
  readonly content: "untouched" | "partly overwritten" | "overwritten";
  readonly fileSystem: FilePlace | null;
}

/** See {@link FileShredded} and {@link FileKept}. */
export type FileResult = FileShredded | FileKept;

/** What is known so far, for the report should it end early. */
interface Run {
  readonly path: string;
  fileSystem: FilePlace | null;
  hasWritten: boolean;
}

/** Erases one file; expected trouble is a value. */
export async function shredFile(
  path: string,
  options: ShredFileOptions,
): Promise<FileResult> {
  const look = lookAt(path, options.links);
  if (!look.ok) return look.kept;
  const run: Run = { path, fileSystem: null, hasWritten: false };
  try {
    return await erase(run, look.info, options);
  } catch (error) {
    return keptBy(error, run);
  }
}

async function erase(
  run: Run,
  info: Deno.FileInfo,
  options: ShredFileOptions,
): Promise<FileResult> {
  const { path } = run;
  const { fileSystem, extents, wasOpenElsewhere } = placeOf(path, options.libc);
  run.fileSystem = fileSystem;
  if (fileSystem.overwritesInPlace === "no") {
    const why = "an overwrite would erase nothing here, so nothing was " +
      "written; `rm` removes the name and leaves the octets";
    return kept(run, { fault: "copied", why, content: "untouched" });
  }
  const base = options.files ?? realFiles;
  const { identity } = base.look(path);
  const isSparse = (info.blocks ?? 0) * 512 < info.size;
  const data = isSparse ? DataSteps.find(base, path, info.size) : undefined;
  const done = await overwrite(path, {
    passes: options.passes,
    files: data?.files ?? base,
    onProgress: (progress) => {
      run.hasWritten = true;
      options.onProgress?.(progress);
    },
    ...(options.isStopped ? { isStopped: options.isStopped } : {}),
  });
  if (data?.areHolesStillEmpty(path) === false) {
    const why = "somebody wrote into one of its holes meanwhile; see that " +
      "nobody uses it, and begin again";
    return kept(run, { fault: "changed", why, content: "partly overwritten" });
  }
  const isSame = isStillThere(path, options.libc, extents);
  if (isSame === false) {
    const why = "the new octets went to other blocks of the device, so the " +
      "old ones are not erased; `rm` removes the name and leaves them";
    return kept(run, { fault: "copied", why, content: "overwritten" });
  }
  const removal = options.keep ? undefined : removeFile(path, identity);
  if (removal?.ok === false) return notRemoved(run, removal);
  return {
    path,
    ok: true,
    bytes: done.bytes,
    skippedBytes: data?.skippedBytes ?? 0,
    passes: done.passes,
    readBack: done.readBack,
    isSamePlace: isSame,
    isRemoved: !options.keep,
    otherNames: (info.nlink ?? 1) - 1,
    wasOpenElsewhere,
    fileSystem,
  };
}

function kept(
  { path, fileSystem }: Run,
  about: Pick<FileKept, "fault" | "why" | "content">,
): FileKept {
  return { path, ok: false, ...about, fileSystem };
}

function notRemoved(run: Run, { at, why }: Removal & { ok: false }): FileKept {
  return kept(run, {
    fault: "not-removed",
    why: `${why}; ` +
      (at === ""
        ? "whether it comes back after a crash is not known"
        : `its name is ${at} now`),
    content: "overwritten",
  });
}

function keptBy(error: unknown, run: Run): FileKept {
  if (error instanceof ShredError) {
    const { kind, message } = error;
    return kept(run, {
      fault: isDenied(error.cause) ? "denied" : kind,
      why: message,
      content: run.hasWritten || kind === "failed"
        ? "partly overwritten"
        : "untouched",
    });
  }
  const fault = faultOf(error);
  if (fault === undefined) throw error;
  return kept(run, {
    fault,
    why: (error as Error).message,
    content: run.hasWritten ? "partly overwritten" : "untouched",
  });
}

function lookAt(
  path: string,
  links: boolean,
): { ok: true; info: Deno.FileInfo } | { ok: false; kept: FileKept } {
  const run: Run = { path, fileSystem: null, hasWritten: false };
  const refuse = (fault: FileFault, why: string) => ({
    ok: false as const,
    kept: kept(run, { fault, why, content: "untouched" }),
  });
  let info: Deno.FileInfo;
  try {
    info = Deno.lstatSync(path);
  } catch (error) {
    const fault = faultOf(error);
    if (fault === undefined) throw error;
    return refuse(fault, fault === "missing" ? "it is not there" : "not ours");
  }
  if (info.isSymlink) {
    return refuse("unfit", "it is a symbolic link: name the file it means");
  }
  if (info.isDirectory) {
    return refuse("unfit", "it is a directory: name its files");
  }
  if (!info.isFile) {
    return refuse("unfit", "it is no regular file: a pipe, socket or device");
  }
  const others = (info.nlink ?? 1) - 1;
  if (others > 0 && !links) {
    return refuse(
      "unfit",
      `it has ${others} more name${others === 1 ? "" : "s"} (hard links): ` +
        "they would lose the content, too; --links says that they shall",
    );
  }
  return { ok: true, info };
}

function placeOf(path: string, libc: Libc): {
  readonly fileSystem: FilePlace;
  readonly extents: readonly Extent[] | null;
  readonly wasOpenElsewhere: boolean | null;
} {
  const facts = factsOf(path, placeAttributes(libc, path));
  const { O_RDWR, O_NOFOLLOW } = fs.constants;
  const fd = fs.openSync(path, O_RDWR | O_NOFOLLOW);
  try {
    return {
      fileSystem: {
        kind: facts.kind,
        mountPoint: facts.mountPoint,
        ...worthOf(facts),
      },
      extents: extentsOf(libc, fd),
      wasOpenElsewhere: isOpenElsewhere(libc, fd),
    };
  } finally {
    fs.closeSync(fd);
  }
}

function isStillThere(
  path: string,
  libc: Libc,
  before: readonly Extent[] | null,
): boolean | null {
  if (before === null) return null;
  const fd = fs.openSync(path, fs.constants.O_RDONLY | fs.constants.O_NOFOLLOW);
  try {
    const after = extentsOf(libc, fd);
    return after === null ? null : isSamePlace(before, after);
  } finally {
    fs.closeSync(fd);
  }
}

/** Undefined for what is no matter of the file system: a bug of ours. */
function faultOf(error: unknown): FileFault | undefined {
  if (error instanceof Deno.errors.NotFound) return "missing";
  if (isDenied(error)) return "denied";
  if (!(error instanceof Error && "code" in error)) return undefined;
  return error.code === "ENOENT" ? "missing" : "failed";
}

function isDenied(error: unknown): boolean {
  return error instanceof Deno.errors.PermissionDenied ||
    error instanceof Error && "code" in error &&
      ["EACCES", "EPERM", "EROFS"].includes(String(error.code));
}
