/**
 * The files of `spent/` as shred sees them: those of the disk that the machine
 * has now. Each operation looks the file up by name, so that a shred that goes
 * on while a spool dies goes on with what the next spool will find; and a dead
 * shred's operations fail.
 */
import type {
  FileFacts,
  Files,
  OverwriteFile,
  ReadBackFile,
} from "../../../mod/shred/files.ts";
import { STEP_OCTETS } from "../../../mod/shred/files.ts";
import { type DiskFile, SPENT } from "../../../mod/spool/disk.ts";
import type { MemoryDisk } from "../../../mod/spool/memory_disk.ts";

/** So that a segment takes two writes, and a step lies between them. */
const WRITE_OCTETS = 32_768;

/** See the file's head. */
export class SpentFiles implements Files {
  /** The directory, as shred is told. */
  static readonly DIR = "/spent";
  readonly #disk: () => MemoryDisk | undefined;
  readonly #at: (step: string) => void;

  constructor(on: {
    /** The disk as of now; undefined once shred is dead. */
    disk: () => MemoryDisk | undefined;
    /** Told of each step after it was done. */
    at: (step: string) => void;
  }) {
    this.#disk = on.disk;
    this.#at = on.at;
  }

  look(path: string): FileFacts {
    const name = nameOf(path);
    const entry = this.#alive().list().find((one) => one.name === name);
    if (entry === undefined) throw failure("ENOENT");
    // A name serves one filling, so it tells files apart as an inode does.
    const { sizeBytes } = entry;
    return { isRegular: true, identity: name, sizeBytes };
  }

  open(path: string): OverwriteFile {
    this.look(path);
    return {
      facts: () => this.look(path),
      writeAt: (octets, offset) => {
        const part = octets.subarray(0, WRITE_OCTETS);
        const wrote = this.#with(path, (file) => file.writeAt(part, offset));
        this.#at("write spent");
        return wrote;
      },
      syncData: async () => {
        await this.#with(path, (file) => file.syncData());
        this.#at("sync spent");
      },
      close() {},
    };
  }

  openBack(path: string): ReadBackFile {
    const { sizeBytes } = this.look(path);
    return {
      facts: () => this.look(path),
      from: "disk",
      readAt: (offset) => {
        const octets = new Uint8Array(
          Math.min(STEP_OCTETS, sizeBytes - offset),
        );
        const got = this.#with(path, (file) => file.readAt(octets, offset));
        return octets.subarray(0, got);
      },
      close() {},
    };
  }

  #alive(): MemoryDisk {
    const disk = this.#disk();
    if (disk === undefined) throw failure("EIO");
    return disk;
  }

  #with<T>(path: string, use: (file: DiskFile) => T): T {
    return use(this.#alive().openExisting(nameOf(path)));
  }
}

function nameOf(path: string): string {
  return SPENT + path.slice(SpentFiles.DIR.length + 1);
}

function failure(code: string): Error {
  return Object.assign(new Error(code), { code });
}
