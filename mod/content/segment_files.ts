/**
 * Segments kept open between one record and the next: at thousands of messages
 * a second most of a record's reading is the opening of its file, whose path
 * the runtime looks up name by name.
 *
 * A segment has one name for one filling, so a file that is open under a name
 * is the right one for every reference that is still in use.
 */

/** Files kept open. */
export const MAX_OPEN = 4;
/** How long nobody must have read for all of them to be closed. */
export const KEEP_MS = 1_000;

/** Segment files, open for reading. */
export class SegmentFiles {
  readonly #open = new Map<string, Deno.FsFile>();
  #timer: ReturnType<typeof setTimeout> | undefined;
  #usedMs = 0;

  /** Files open now. */
  get size(): number {
    return this.#open.size;
  }

  /**
   * pread(2): reads what lies at `offset`.
   *
   * @returns How many octets were read, perhaps too few; 0 at the end
   * @throws {Error} What the runtime throws
   */
  readAt(path: string, into: Uint8Array, offset: number): number {
    const file = this.#file(path);
    file.seekSync(offset, Deno.SeekMode.Start);
    return file.readSync(into) ?? 0;
  }

  /** Nobody reads this file again soon: a large message's own. */
  forget(path: string): void {
    this.#open.get(path)?.close();
    this.#open.delete(path);
  }

  /** Closes all. */
  close(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    for (const path of [...this.#open.keys()]) this.forget(path);
  }

  #file(path: string): Deno.FsFile {
    this.#usedMs = performance.now();
    const open = this.#open.get(path);
    if (open !== undefined) return open;
    const file = Deno.openSync(path, { read: true });
    this.#open.set(path, file);
    if (this.#open.size > MAX_OPEN) {
      this.forget(this.#open.keys().next().value!);
    }
    this.#timer ??= setTimeout(() => this.#look(), KEEP_MS);
    return file;
  }

  #look(): void {
    this.#timer = undefined;
    const leftMs = this.#usedMs + KEEP_MS - performance.now();
    if (leftMs <= 0) return this.close();
    this.#timer = setTimeout(() => this.#look(), leftMs);
  }
}
