/**
 * The few things that delivery does to the file system, as an interface: so
 * that a test can let each single one of them fail.
 */
import type { Failure, Result } from "./failure.ts";

/** A new file, open for writing. */
export interface MailFile {
  /** Writes all of it, or says why not. */
  write(octets: Uint8Array): Failure | undefined;
  /**
   * fdatasync(2). After a failure the file must go: Linux may have thrown the
   * octets away, and a second call would say that all is well.
   */
  sync(): Promise<Failure | undefined>;
  /** The same, while everything else waits. */
  syncHere(): Failure | undefined;
  close(): void;
}

/** One name in a directory. */
export interface Entry {
  readonly name: string;
  readonly isFile: boolean;
}

/** Delivery's view of the file system. */
export interface MailFiles {
  /** Makes a file, mode 0600, that was not there before (O_EXCL). */
  create(path: string): Result<MailFile>;
  /** What is at `path`, not following a symbolic link. */
  kind(path: string): Result<"directory" | "missing" | "other">;
  /** mkdir(2), mode 0700. */
  makeDirectory(path: string): Failure | undefined;
  rename(from: string, to: string): Failure | undefined;
  remove(path: string): Failure | undefined;
  /** fsync(2) of a directory: the names in it survive a crash. */
  syncDirectory(path: string): Promise<Failure | undefined>;
  /** The same, while everything else waits. */
  syncDirectoryHere(path: string): Failure | undefined;
  /** Tells every name in a directory, one by one: there may be a million. */
  list(
    path: string,
    each: (entry: Entry) => void,
  ): Promise<Failure | undefined>;
  /** Milliseconds since the epoch. */
  modifiedMs(path: string): Result<number>;
}
