/**
 * Writes one message into the drop directory, as its submitter. Complete and
 * on the disk, or not there: the name is given last.
 *
 * The mode is the same whatever umask the caller has: the owner may do
 * anything, pickup's group may read, nobody else may do anything.
 */
import fs from "node:fs";
import {
  type DropEnvelope,
  newDropName,
  PART,
  writeTrailer,
} from "./drop_file.ts";

const MODE = 0o640;

/** One message on its way into the directory. */
export class DropWriter {
  readonly name: string;
  readonly #path: string;
  readonly #fd: number;
  #isOpen = true;
  /** Octets written. */
  sizeBytes = 0;

  /** @throws {Error} What the file system says */
  constructor(dir: string, nowMs: number) {
    this.name = newDropName(nowMs);
    this.#path = `${dir}/${this.name}`;
    // `wx`: made anew, or not at all, so no link is followed.
    this.#fd = fs.openSync(this.#path + PART, "wx", MODE);
    fs.fchmodSync(this.#fd, MODE);
  }

  /** Appends octets. */
  write(octets: Uint8Array): void {
    for (let at = 0; at < octets.length;) {
      at += fs.writeSync(this.#fd, octets, at, octets.length - at);
    }
    this.sizeBytes += octets.length;
  }

  /** Completes it; when this returns, the message survives a crash. */
  commit(envelope: DropEnvelope): void {
    this.write(writeTrailer(envelope));
    fs.fsyncSync(this.#fd);
    fs.renameSync(this.#path + PART, this.#path);
    // The directory is closed to us, so its name is synced by its file.
    fs.fsyncSync(this.#fd);
    this.#close();
  }

  /** Gives it up. */
  abort(): void {
    if (!this.#isOpen) return;
    this.#close();
    try {
      fs.unlinkSync(this.#path + PART);
    } catch {
      // pickup clears it away.
    }
  }

  #close(): void {
    this.#isOpen = false;
    fs.closeSync(this.#fd);
  }
}
