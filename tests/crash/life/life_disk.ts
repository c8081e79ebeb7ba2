/**
 * The spool's disk in a life that may end at any step: {@link MemoryDisk}
 * knows what a power cut leaves, and a real directory beside it holds what
 * the processes see, because whoever reads contents reads files. Spent files
 * are in the model only: nobody reads them.
 */
import { DenoDisk } from "../../../mod/spool/disk_io.ts";
import {
  type Disk,
  type DiskEntry,
  type DiskFile,
  SPENT,
} from "../../../mod/spool/disk.ts";
import { MemoryDisk } from "../../../mod/spool/memory_disk.ts";

/** See the file's head. */
export class LifeDisk implements Disk {
  readonly dir: string;
  readonly memory: MemoryDisk;
  readonly #files: DenoDisk;
  readonly #at: (step: string) => void;

  /**
   * @param at Told of each step after it was done, as `write pool`
   */
  constructor(memory: MemoryDisk, dir: string, at: (step: string) => void) {
    this.memory = memory;
    this.dir = dir;
    this.#files = new DenoDisk(dir, dir);
    this.#at = at;
    memory.dump(dir);
  }

  list(): DiskEntry[] {
    return this.memory.list();
  }

  openNew(name: string): DiskFile {
    const model = this.memory.openNew(name);
    const file = this.#both(name, model, this.#files.openNew(name));
    this.#at(`create ${familyOf(name)}`);
    return file;
  }

  openExisting(name: string): DiskFile {
    const model = this.memory.openExisting(name);
    if (name.startsWith(SPENT)) return model;
    return this.#both(name, model, this.#files.openExisting(name));
  }

  markUnwritten(name: string): void {
    this.memory.markUnwritten(name);
    this.#at(`mark ${familyOf(name)}`);
  }

  rename(from: string, to: string): void {
    this.memory.rename(from, to);
    if (to.startsWith(SPENT)) this.#files.remove(from);
    else if (from.startsWith(SPENT)) this.#showAgain(to);
    else this.#files.rename(from, to);
    this.#at(`rename ${familyOf(from)}`);
  }

  remove(name: string): void {
    this.memory.remove(name);
    if (!name.startsWith(SPENT)) this.#files.remove(name);
    this.#at(`remove ${familyOf(name)}`);
  }

  async syncDir(): Promise<void> {
    await this.memory.syncDir();
    this.#at("sync names");
  }

  async syncDirs(): Promise<void> {
    await this.memory.syncDirs();
    this.#at("sync names");
  }

  freeBytes(): number | undefined {
    return this.memory.freeBytes();
  }

  #showAgain(name: string): void {
    const entry = this.list().find((one) => one.name === name)!;
    const octets = new Uint8Array(entry.sizeBytes);
    const model = this.memory.openExisting(name);
    model.readAt(octets, 0);
    model.close();
    const real = this.#files.openNew(name);
    real.writeAt(octets, 0);
    real.close();
  }

  #both(name: string, model: DiskFile, real: DiskFile): DiskFile {
    const family = familyOf(name);
    return {
      writeAt: (octets, offset) => {
        const wrote = model.writeAt(octets, offset);
        real.writeAt(octets.subarray(0, wrote), offset);
        this.#at(`write ${family}`);
        return wrote;
      },
      readAt: (into, offset) => model.readAt(into, offset),
      syncData: async () => {
        await model.syncData();
        this.#at(`sync ${family}`);
      },
      syncDataHere: () => {
        model.syncDataHere();
        this.#at(`sync ${family}`);
      },
      close: () => {
        model.close();
        real.close();
      },
    };
  }
}

/** `pool`, `big`, `probe`, `spent`; a segment in the making is `new`. */
function familyOf(name: string): string {
  if (name.startsWith(SPENT)) return "spent";
  if (name.endsWith(".new")) return "new";
  if (name.endsWith(".retired")) return "retired";
  return name.slice(0, name.indexOf("-"));
}
