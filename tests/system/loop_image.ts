/**
 * A file system on a loop device, and a search of what a thief of the disk
 * would read: the raw image, past the file system.
 */
import assert from "node:assert/strict";
import { Disk, must } from "../crash/disk_fixture.ts";
import { type DiskKind, RECIPES } from "../crash/disk_kinds.ts";
import { run } from "./server_fixture.ts";

const BYTES = 320 * 1_048_576;

/** An image, mounted. */
export class LoopImage implements AsyncDisposable {
  readonly #disk: Disk;

  private constructor(disk: Disk) {
    this.#disk = disk;
  }

  /** Makes one and mounts it. */
  static async make(kind: DiskKind): Promise<LoopImage> {
    const { fileSystem, make, mount } = RECIPES[kind];
    await using made = new AsyncDisposableStack();
    const disk = made.use(
      await Disk.make({
        fileSystem,
        bytes: BYTES,
        within: "/var/tmp",
        more: make,
      }),
    );
    await disk.mount(mount);
    made.move();
    return new LoopImage(disk);
  }

  /** Where it is mounted. */
  get dir(): string {
    return this.#disk.mountPoint;
  }

  /** How often the text stands in the raw image now. Nothing is synced first. */
  async count(text: string): Promise<number> {
    const { code, out, errors } = await run("sh", [
      "-c",
      'grep -a -o -F -e "$1" "$2" | wc -l',
      "sh",
      text,
      this.#disk.image,
    ]);
    assert.equal(code, 0, errors);
    return Number(out.trim());
  }

  /** Everything that was written is on the device. */
  async sync(): Promise<void> {
    await must("sync", "-f", this.dir);
  }

  /** Unmounts it; what is not on the device then never comes. */
  unmount(): Promise<void> {
    return this.#disk.umount();
  }

  /** Unmounts and removes it. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#disk[Symbol.asyncDispose]();
  }
}
