/**
 * Disk space set aside. On a full disk the queue must still note what it
 * delivered, or it would deliver it again after a crash: then the reserve is
 * given up, and mail is accepted again only when it could be set aside anew.
 */
import fs from "node:fs";
import { faultOf } from "./fault_io.ts";

/** Largest reserve in octets: outcomes are small, and writing it takes time. */
export const MAX_RESERVE_BYTES = 16 * 1_048_576;

/** The file `reserve` beside the database. */
export class Reserve {
  readonly #path: string;
  readonly #bytes: number;
  #isKept = false;

  constructor(path: string, bytes: number) {
    this.#path = path;
    this.#bytes = Math.min(bytes, MAX_RESERVE_BYTES);
    this.restore();
  }

  /** True if the space is set aside. */
  get isKept(): boolean {
    return this.#isKept;
  }

  /** Gives the space up, for SQLite to use. */
  giveUp(): void {
    if (!this.#isKept) return;
    this.#isKept = false;
    fs.truncateSync(this.#path, 0);
  }

  /** Tries to set the space aside again; true if it is. */
  restore(): boolean {
    if (this.#isKept) return true;
    let fd: number | undefined;
    try {
      fd = fs.openSync(this.#path, "a+", 0o600);
      // Written, not made sparse: only blocks that exist are room.
      const block = new Uint8Array(1_048_576);
      for (let size = fs.fstatSync(fd).size; size < this.#bytes;) {
        const want = Math.min(block.length, this.#bytes - size);
        const wrote = fs.writeSync(fd, block, 0, want);
        if (wrote < want) break;
        size += wrote;
      }
      this.#isKept = fs.fstatSync(fd).size >= this.#bytes;
    } catch (error) {
      faultOf(error);
    }
    if (fd !== undefined) {
      if (!this.#isKept) fs.ftruncateSync(fd, 0);
      fs.closeSync(fd);
    }
    return this.#isKept;
  }
}
