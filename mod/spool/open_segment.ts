/**
 * A segment that records are written to, or that still waits for its last
 * sync.
 */
import type { DiskFile, Fault } from "./disk.ts";
import { attempt, attemptAsync, writeFully } from "./disk_io.ts";
import { type Durability, SyncGroup } from "./sync_group.ts";

// Records that share a sync share their fate and are packed closely. The first
// one after a sync began starts on a page of its own: the kernel and the drive
// write whole pages, and a write that tears must not touch a record that was
// already acknowledged. (A page of its own for every record would cost 2 KiB
// messages half of the space, and shredding half of its speed.)
const WITHIN_SYNC = 512;
const BETWEEN_SYNCS = 4_096;

/** Where a record went, and when it will be safe. */
export interface Written {
  readonly offset: number;
  readonly durable: Promise<Durability>;
}

/** One segment, from its first record to its last sync. */
export class OpenSegment {
  readonly name: string;
  readonly #file: DiskFile;
  readonly #bytes: number;
  readonly #syncs: SyncGroup;
  #cursor = 0;

  constructor(options: {
    name: string;
    file: DiskFile;
    bytes: number;
    /** True if only one message is on its way. */
    isAlone: () => boolean;
    /** A sync failed: the segment must never be written to again. */
    onFault: (fault: Fault) => void;
    /** No sync runs or waits. */
    onIdle: () => void;
  }) {
    this.name = options.name;
    this.#file = options.file;
    this.#bytes = options.bytes;
    this.#syncs = new SyncGroup({
      sync: async () => {
        const synced = await attemptAsync(() => this.#file.syncData());
        return synced.ok ? undefined : synced.fault;
      },
      syncHere: () => {
        const synced = attempt(() => this.#file.syncDataHere());
        return synced.ok ? undefined : synced.fault;
      },
      isAlone: options.isAlone,
      onStart: () => this.#cursor = roundUp(this.#cursor, BETWEEN_SYNCS),
      onFault: options.onFault,
      onIdle: options.onIdle,
    });
  }

  /** True while a sync runs or is about to. */
  get isBusy(): boolean {
    return this.#syncs.isBusy;
  }

  /** True if a record of so many octets still goes in. */
  fits(octets: number): boolean {
    return this.#cursor + octets <= this.#bytes;
  }

  /** Writes a record in place, and has it synced. */
  write(record: Uint8Array): Written | Fault {
    const offset = this.#cursor;
    const fault = writeFully(this.#file, record, offset);
    if (fault !== undefined) return fault;
    this.#cursor = roundUp(offset + record.length, WITHIN_SYNC);
    return { offset, durable: this.#syncs.written() };
  }

  /** A write failed: gives up what no sync has begun to cover. */
  fail(): void {
    this.#syncs.fail();
  }

  close(): void {
    this.#file.close();
  }
}

function roundUp(octets: number, to: number): number {
  return Math.ceil(octets / to) * to;
}
