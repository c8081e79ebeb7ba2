/** A large message's own segment file, while it is written. */
import type { Disk, DiskFile, Fault } from "./disk.ts";
import { type Attempt, attempt, attemptAsync, writeFully } from "./disk_io.ts";
import { newName, segmentFile } from "./names.ts";
import type { Room } from "./room.ts";
import type { Durability, SyncGroup } from "./sync_group.ts";

/** A file that grows by appending, within the spool's room. */
export class BigMessage {
  readonly segment: string;
  readonly #disk: Disk;
  readonly #room: Room;
  readonly #file: DiskFile;
  #length = 0;

  private constructor(
    segment: string,
    file: DiskFile,
    on: { disk: Disk; room: Room },
  ) {
    this.segment = segment;
    this.#file = file;
    this.#disk = on.disk;
    this.#room = on.room;
  }

  /** Creates the file. */
  static create(on: { disk: Disk; room: Room }): Attempt<BigMessage> {
    const segment = newName("big");
    const opened = attempt(() => on.disk.openNew(segmentFile(segment)));
    if (!opened.ok) return opened;
    return { ok: true, value: new BigMessage(segment, opened.value, on) };
  }

  /** Octets written. */
  get length(): number {
    return this.#length;
  }

  /** Appends the next piece. */
  append(piece: Uint8Array): Fault | undefined {
    if (!this.#room.take(piece.length)) return "full";
    const fault = writeFully(this.#file, piece, this.#length);
    // Counted even if it failed: `discard` gives it all back.
    this.#length += piece.length;
    return fault;
  }

  /** Gives it up: the file goes, and its room is free. */
  discard(): void {
    this.#file.close();
    // What cannot be removed now, the next start's sweep finds.
    attempt(() => this.#disk.remove(segmentFile(this.segment)));
    this.#room.give(this.#length);
  }

  /**
   * Complete: syncs the file and then its name.
   *
   * @param names The directory's syncs, shared with others
   */
  async sync(
    names: () => SyncGroup,
    onFault: (fault: Fault) => void,
  ): Promise<Durability> {
    const synced = await attemptAsync(() => this.#file.syncData());
    this.#file.close();
    if (synced.ok) return names().written();
    onFault(synced.fault);
    return "lost";
  }
}
