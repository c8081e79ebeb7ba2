/**
 * The key file: one fixed slot of 64 octets a message, written and destroyed
 * in place.
 *
 *     OFFSET  SIZE  MEANING
 *          0     1  0x4B: a key lives here; anything else: none
 *          1     3  zero
 *          4    16  first octets of SHA-256 of the queue id
 *         20    32  the key
 *         52    12  first octets of SHA-256 of the 52 before
 *
 * A free slot is 64 zero octets. Slots never straddle a disk sector, so a
 * power cut leaves the old or the new one. The file only grows, by whole
 * written and synced stretches, so that writing a slot allocates nothing. The
 * key is never in SQLite, whose log and free pages keep copies, and never in
 * a log line or an error text.
 */
import { createHash } from "node:crypto";
import fs from "node:fs";
import { faultOf } from "./fault_io.ts";
import { syncData } from "./sync_data_io.ts";

/** Octets of a slot. */
export const SLOT_BYTES = 64;
/** Octets of a key. */
export const KEY_BYTES = 32;
const GROW_SLOTS = 1_024;
const LIVE = 0x4b;
const BLANK = new Uint8Array(SLOT_BYTES);

/** The key slots. One instance a file, one process: the only writer. */
export class KeyFile {
  readonly #fd: number;
  readonly #free: number[] = [];
  #slots: number;

  /**
   * Opens the file, making it if need be.
   *
   * @throws {Error} If it cannot be opened, or is no plain file of its own
   */
  constructor(path: string) {
    const exists = fs.existsSync(path);
    this.#fd = fs.openSync(path, exists ? "r+" : "wx+", 0o600);
    const facts = fs.fstatSync(this.#fd);
    if (!facts.isFile() || facts.nlink !== 1) {
      throw new Error(`Cannot use ${path}: not a plain file with one name`);
    }
    // An unfinished growth leaves a part of a stretch: it is grown over.
    this.#slots = Math.floor(facts.size / SLOT_BYTES / GROW_SLOTS) *
      GROW_SLOTS;
  }

  /** Slots in the file, free ones included. */
  get slots(): number {
    return this.#slots;
  }

  /**
   * Writes every slot again as it reads, and syncs the file. For the start: a
   * former process may have died of a sync that failed, and then a key is in
   * the page cache, which calls itself clean, and not on the disk; a sync of
   * ours alone would say that all is well.
   *
   * @throws {Error} With `code`, if the disk does not take it
   */
  renew(): void {
    const page = new Uint8Array(GROW_SLOTS * SLOT_BYTES);
    for (let slot = 0; slot < this.#slots; slot += GROW_SLOTS) {
      const at = slot * SLOT_BYTES;
      fs.readSync(this.#fd, page, 0, page.length, at);
      const wrote = fs.writeSync(this.#fd, page, 0, page.length, at);
      if (wrote !== page.length) throw new ShortWrite("Cannot renew the keys");
    }
    page.fill(0);
    fs.fsyncSync(this.#fd);
  }

  /**
   * All slots at once, for the start-up sweep, which then hands in the free
   * ones by {@link free}. A hundred thousand reads would take seconds.
   *
   * @throws {Error} If the file cannot be read
   */
  image(): KeyImage {
    const octets = new Uint8Array(this.#slots * SLOT_BYTES);
    for (let at = 0; at < octets.length;) {
      const got = fs.readSync(this.#fd, octets, at, octets.length - at, at);
      if (got === 0) throw new ShortRead("Cannot read the key file");
      at += got;
    }
    return new KeyImage(octets);
  }

  /**
   * Reserves a free slot, growing the file if there is none.
   *
   * @throws {Error} With `code` as of write(2), if it cannot grow
   */
  take(): number {
    if (this.#free.length === 0) this.#grow();
    return this.#free.pop()!;
  }

  /** Gives a slot back that holds nothing (any more), as far as the disk knows. */
  free(slot: number): void {
    this.#free.push(slot);
  }

  /** Writes a key in place. Not on disk before {@link sync}. */
  write(slot: number, id: string, key: Uint8Array): void {
    const octets = new Uint8Array(SLOT_BYTES);
    octets[0] = LIVE;
    octets.set(idHash(id), 4);
    octets.set(key, 20);
    octets.set(checksum(octets), 52);
    this.#put(slot, octets);
    octets.fill(0);
  }

  /** Overwrites a slot with zeros, in place. Not on disk before {@link sync}. */
  wipe(slot: number): void {
    this.#put(slot, BLANK);
  }

  /**
   * The key of a message; `missing` if the slot is not whole or another's,
   * `unreadable` if nobody can say.
   */
  read(slot: number, id: string): Uint8Array | "missing" | "unreadable" {
    if (slot < 0 || slot >= this.#slots) return "missing";
    const octets = new Uint8Array(SLOT_BYTES);
    try {
      fs.readSync(this.#fd, octets, 0, SLOT_BYTES, slot * SLOT_BYTES);
    } catch (error) {
      faultOf(error);
      return "unreadable";
    }
    const isWhole = isWholeSlot(octets, id);
    const key = isWhole ? octets.slice(20, 20 + KEY_BYTES) : "missing";
    octets.fill(0);
    return key;
  }

  /**
   * fdatasync(2), in a thread of its own: resolves true when all that was
   * written before the call is on disk, false if that failed. It must not be
   * asked again about the same slots then: the kernel forgets.
   */
  sync(): Promise<boolean> {
    return syncData(this.#fd);
  }

  /** Closes the file. */
  close(): void {
    fs.closeSync(this.#fd);
  }

  #put(slot: number, octets: Uint8Array): void {
    const wrote = fs.writeSync(
      this.#fd,
      octets,
      0,
      SLOT_BYTES,
      slot * SLOT_BYTES,
    );
    if (wrote !== SLOT_BYTES) throw new ShortWrite("Cannot write key slot");
  }

  #grow(): void {
    const stretch = new Uint8Array(GROW_SLOTS * SLOT_BYTES);
    const at = this.#slots * SLOT_BYTES;
    const wrote = fs.writeSync(this.#fd, stretch, 0, stretch.length, at);
    if (wrote !== stretch.length) {
      throw new ShortWrite("Cannot grow the key file");
    }
    fs.fsyncSync(this.#fd);
    // Downwards, so that `take` starts with the lowest.
    for (let i = GROW_SLOTS - 1; i >= 0; i--) this.#free.push(this.#slots + i);
    this.#slots += GROW_SLOTS;
  }
}

/** The key file as it was at one moment. Holds keys: {@link forget} it. */
export class KeyImage {
  readonly #octets: Uint8Array;
  /** Slots in it; what is behind the last whole one is left out. */
  readonly slots: number;

  constructor(octets: Uint8Array) {
    this.#octets = octets;
    this.slots = Math.floor(octets.length / SLOT_BYTES);
  }

  /** True if a slot says that it holds a key, whole or not. */
  isLive(slot: number): boolean {
    return this.#octets[slot * SLOT_BYTES] === LIVE;
  }

  /** True if a slot holds nothing. */
  isBlank(slot: number): boolean {
    const end = (slot + 1) * SLOT_BYTES;
    for (let at = slot * SLOT_BYTES; at < end; at++) {
      if (this.#octets[at] !== 0) return false;
    }
    return true;
  }

  /** True if the slot is whole and this message's. */
  holds(slot: number, id: string): boolean {
    const at = slot * SLOT_BYTES;
    if (slot < 0 || at + SLOT_BYTES > this.#octets.length) return false;
    return isWholeSlot(this.#octets.subarray(at, at + SLOT_BYTES), id);
  }

  /** Overwrites the keys in memory. */
  forget(): void {
    this.#octets.fill(0);
  }
}

/** The file is shorter than it was: somebody else's doing, or the disk's. */
class ShortRead extends Error {
  readonly code = "EIO";
}

/** write(2) took less than it was given: no room. */
class ShortWrite extends Error {
  readonly code = "ENOSPC";
}

/** The key in a slot's octets, if it is whole and this message's. */
export function keyIn(
  octets: Uint8Array,
  id: string,
): Uint8Array | undefined {
  return isWholeSlot(octets, id) ? octets.slice(20, 20 + KEY_BYTES) : undefined;
}

function isWholeSlot(octets: Uint8Array, id: string): boolean {
  return octets[0] === LIVE && equal(octets, 4, idHash(id)) &&
    equal(octets, 52, checksum(octets));
}

function idHash(id: string): Uint8Array {
  return createHash("sha256").update(id).digest().subarray(0, 16);
}

function checksum(octets: Uint8Array): Uint8Array {
  return createHash("sha256").update(octets.subarray(0, 52)).digest()
    .subarray(0, 12);
}

function equal(octets: Uint8Array, at: number, want: Uint8Array): boolean {
  let difference = 0;
  for (let i = 0; i < want.length; i++) {
    difference |= octets[at + i]! ^ want[i]!;
  }
  return difference === 0;
}
