/** How much the spool may still allocate: by its own limit and by the disk. */
import type { Disk } from "./disk.ts";
import { attempt } from "./disk_io.ts";

/** How long one answer of statfs(2) is believed. */
const BELIEVE_MS = 250;

/** The spool's budget of disk space, in octets. */
export class Room {
  readonly #disk: Disk;
  readonly #maxBytes: number;
  readonly #minFreeBytes: number;
  readonly #nowMs: () => number;
  #used = 0;
  #free = Infinity;
  #askedMs = -Infinity;

  constructor(options: {
    disk: Disk;
    /** All files together never take more. */
    maxBytes: number;
    /** What must stay free on the file system. */
    minFreeBytes: number;
    nowMs: () => number;
  }) {
    this.#disk = options.disk;
    this.#maxBytes = options.maxBytes;
    this.#minFreeBytes = options.minFreeBytes;
    this.#nowMs = options.nowMs;
  }

  /** Octets taken: segments, ready or not, and large messages. */
  get usedBytes(): number {
    return this.#used;
  }

  /** True if the file system has `octets` to spare above the minimum. */
  isFree(octets: number): boolean {
    if (this.#nowMs() - this.#askedMs >= BELIEVE_MS) {
      this.#askedMs = this.#nowMs();
      const asked = attempt(() => this.#disk.freeBytes());
      // A disk that does not say is not refused for it: ENOSPC will say.
      this.#free = asked.ok ? asked.value ?? Infinity : Infinity;
    }
    return this.#free - octets >= this.#minFreeBytes;
  }

  /** True if so much may be taken. */
  fits(octets: number): boolean {
    return this.#used + octets <= this.#maxBytes && this.isFree(octets);
  }

  /** Takes so much, or nothing: false. */
  take(octets: number): boolean {
    if (!this.fits(octets)) return false;
    this.#used += octets;
    this.#free -= octets;
    return true;
  }

  /** Counts what was there at the start, whatever the limits say. */
  count(octets: number): void {
    this.#used += octets;
  }

  give(octets: number): void {
    this.#used -= octets;
  }
}
