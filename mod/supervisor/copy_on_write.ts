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
import { factsOf } from "../shred/file_system_io.ts";
import { type Libc, SystemCallError } from "../walls/libc.ts";
import { setNoCow } from "./file_attributes.ts";
import { lookThrough, placeAttributes } from "./erased_places.ts";

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

/**
 * Switches copy-on-write off in each directory, where the file system has it.
 * Nothing to tell where it has not, or where it was off for all.
 */
export function switchOffCopyOnWrite(
  libc: Libc,
  dirs: readonly { readonly dir: string }[],
): CopyOnWriteReport[] {
  return dirs.filter(({ dir }) => factsOf(dir).kind === "btrfs").flatMap((
    { dir },
  ) => switchOffOne(libc, dir));
}

function switchOffOne(libc: Libc, dir: string): CopyOnWriteReport[] {
  try {
    const wasOff = placeAttributes(libc, dir).isNoCow === true;
    if (!wasOff) setNoCow(libc, dir);
    const { copied: files, example } = lookThrough(libc, dir);
    return [
      ...wasOff ? [] : [{ dir, did: "switched-off" } as const],
      ...files === 0
        ? []
        : [{ dir, did: "left-files", files, example } as const],
    ];
  } catch (error) {
    if (!(error instanceof SystemCallError)) throw error;
    return [{ dir, did: "failed", why: error.message }];
  }
}
