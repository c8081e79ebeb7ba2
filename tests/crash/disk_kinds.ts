/**
 * The file systems that erasing is proved on, and how each is made and
 * mounted so that nothing but the server erases anything there.
 */
import type { FileSystem } from "./disk_fixture.ts";

/** Kinds of disks. */
export const DISK_KINDS = [
  "ext4-ordered",
  "ext4-journal",
  "xfs",
  "btrfs",
] as const;
/** One of them. */
export type DiskKind = (typeof DISK_KINDS)[number];

/** How a disk is made and mounted. */
export interface Recipe {
  readonly fileSystem: FileSystem;
  /** Further words for mkfs. */
  readonly make: readonly string[];
  /** Options for mount(8). */
  readonly mount: string;
}

// Without discard: it would erase what the server did not. Without lazy
// initialisation: nothing but the server's doing shall change the image.
const EXT4 = {
  fileSystem: "ext4",
  make: ["-b", "4096", "-E"]
    .concat("nodiscard,lazy_itable_init=0,lazy_journal_init=0"),
} as const;

/** See {@link Recipe}. */
export const RECIPES: Readonly<Record<DiskKind, Recipe>> = {
  "ext4-ordered": { ...EXT4, mount: "data=ordered,nodiscard" },
  "ext4-journal": { ...EXT4, mount: "data=journal,nodiscard" },
  "xfs": { fileSystem: "xfs", make: ["-K"], mount: "nodiscard" },
  "btrfs": { fileSystem: "btrfs", make: ["-K"], mount: "nodiscard" },
};
