/**
 * What the spool needs of a file system, and nothing more: the seam at which
 * tests make disks fail. `disk_io.ts` is the real one.
 *
 * Every operation may throw what the runtime throws; {@link attempt} in
 * `disk_io.ts` is the one place where that becomes a value.
 */

/**
 * Why the disk did not do it.
 *
 * - `full`: no room, no inode, no quota, no descriptor. Nothing is broken
 * - `failed`: anything else; what was to be written may be gone
 */
export type Fault = "full" | "failed";

/** A listed name's beginning in the directory of spent files. */
export const SPENT = "spent/";

/** One open file of the spool's directory. */
export interface DiskFile {
  /** pwrite(2): returns how many octets were written, which may be too few. */
  writeAt(octets: Uint8Array, offset: number): number;
  /** pread(2): returns how many octets were read; 0 at the end. */
  readAt(into: Uint8Array, offset: number): number;
  /** fdatasync(2), while the event loop goes on. */
  syncData(): Promise<void>;
  /** The same, while everything else waits. */
  syncDataHere(): void;
  close(): void;
}

/** What a directory listing says of one name. */
export interface DiskEntry {
  readonly name: string;
  /** True for a regular file that has no other name. */
  readonly isPlain: boolean;
  readonly sizeBytes: number;
  /** Last change of its octets, since the epoch; 0 is {@link Disk.markUnwritten}. */
  readonly writtenMs: number;
}

/**
 * The spool's directory and, for names that begin with {@link SPENT}, that of
 * spent files. What follows is a plain file name.
 */
export interface Disk {
  /** All names of both. */
  list(): DiskEntry[];
  /**
   * Creates a file that must not exist. Its group may read it, and all others
   * write to it: that is shred, which can only enter the directory of spent
   * files, and nobody else can enter either.
   */
  openNew(name: string): DiskFile;
  /** Opens an existing file for reading and writing, never truncating it. */
  openExisting(name: string): DiskFile;
  /** Sets the file's time to the epoch: "no record was ever written here". */
  markUnwritten(name: string): void;
  rename(from: string, to: string): void;
  remove(name: string): void;
  /** fsync(2) of the spool's directory. */
  syncDir(): Promise<void>;
  /** fsync(2) of both. */
  syncDirs(): Promise<void>;
  /** Octets that we may still allocate; undefined if the system won't say. */
  freeBytes(): number | undefined;
}
