/** The drop directory as pickup sees it: an interface, so that tests can lie. */

/** What fstat(2) and lstat(2) tell. */
export interface FileFacts {
  readonly isFile: boolean;
  readonly isDirectory: boolean;
  readonly uid: number;
  readonly gid: number;
  readonly links: number;
  readonly sizeBytes: number;
  /** When its octets changed, or what its owner says. */
  readonly changedMs: number;
  /** When anything about it changed. Deno tells the second alone. */
  readonly touchedMs: number;
  /** Device and inode. */
  readonly identity: string;
}

/** An open file. Each call throws what the file system says. */
export interface DropFile {
  facts(): FileFacts;
  /** Reads up to `into.length` octets; 0 at the end. */
  read(into: Uint8Array, at: number): number;
  close(): void;
}

/** The directory. No call follows a link out of it, or waits. */
export interface DropFiles {
  /** When a name appeared or went last, as the kernel's clock has it. */
  changedMs(): number;
  /** All names. */
  list(): Promise<readonly string[]>;
  /** undefined if nothing has that name. */
  look(name: string): FileFacts | undefined;
  /** Opens a file for reading; why not, if it cannot. */
  open(name: string): DropFile | "gone" | "denied";
  /** Removes it; false if it stays, as a directory that is not empty does. */
  remove(name: string, isDirectory: boolean): boolean;
}
