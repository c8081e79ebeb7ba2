/**
 * What overwriting needs of a file system, and nothing more: the seam at which
 * tests put wrong shredders and failing disks. `files_io.ts` is the real one.
 *
 * Every operation may throw what the runtime throws.
 */

/** What the system says of one file. */
export interface FileFacts {
  /** True for a regular file: no link, directory, device or pipe. */
  readonly isRegular: boolean;
  /** Device and inode number: the file itself, whatever its name. */
  readonly identity: string;
  readonly sizeBytes: number;
}

/** One file, open for writing in place. */
export interface OverwriteFile {
  facts(): FileFacts;
  /** pwrite(2): returns how many octets were written, which may be too few. */
  writeAt(octets: Uint8Array, offset: number): number;
  /** fdatasync(2), while the event loop goes on. */
  syncData(): Promise<void>;
  close(): void;
}

/** The same file, open for reading back. */
export interface ReadBackFile {
  facts(): FileFacts;
  /** `page-cache`: the kernel may answer from memory; it says little. */
  readonly from: ReadBack;
  /**
   * Reads at `offset`, a multiple of {@link STEP_OCTETS}, at most as much.
   * The octets are valid until the next read; none at the file's end.
   */
  readAt(offset: number): Uint8Array;
  close(): void;
}

/** Where octets that were read back came from. */
export type ReadBack = "disk" | "page-cache";

/** Files are written and read in steps of so many octets. */
export const STEP_OCTETS = 1_048_576;

/** The file system. */
export interface Files {
  /** lstat(2): a link is not followed. */
  look(path: string): FileFacts;
  /** Opens for writing; never creates, truncates, or follows a link. */
  open(path: string): OverwriteFile;
  /** Opens for reading, past the page cache where the system allows it. */
  openBack(path: string): ReadBackFile;
}
