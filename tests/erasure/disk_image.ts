/**
 * A file system on a loop device: made, mounted, taken away again, and read
 * as it lies on the "platter", past the file system.
 */
import assert from "node:assert/strict";
import { run } from "../system/server_fixture.ts";

/** File systems that the proof is about. */
export const FILE_SYSTEMS = [
  "ext4-ordered",
  "ext4-journal",
  "xfs",
  "btrfs",
] as const;
/** One of them. */
export type FileSystem = (typeof FILE_SYSTEMS)[number];

interface Recipe {
  readonly make: readonly string[];
  readonly options: string;
}

// Without discard: it would erase what the server did not. Without lazy
// initialisation: nothing but the server's doing shall change the image.
const EXT4 = [
  ...["mkfs.ext4", "-q", "-F", "-b", "4096", "-E"],
  "nodiscard,lazy_itable_init=0,lazy_journal_init=0",
];
const RECIPES: Readonly<Record<FileSystem, Recipe>> = {
  "ext4-ordered": { make: EXT4, options: "data=ordered,nodiscard" },
  "ext4-journal": { make: EXT4, options: "data=journal,nodiscard" },
  "xfs": { make: ["mkfs.xfs", "-q", "-f", "-K"], options: "nodiscard" },
  "btrfs": { make: ["mkfs.btrfs", "-q", "-f", "-K"], options: "nodiscard" },
};

/** True if this machine can make and mount such an image. */
export async function canMount(kind: FileSystem): Promise<boolean> {
  if (Deno.uid() !== 0) return false;
  try {
    Deno.statSync("/dev/loop-control");
    const tool = RECIPES[kind].make[0]!;
    return (await run("sh", ["-c", `command -v ${tool}`])).code === 0;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

/** An image file and where it is mounted. */
export class DiskImage implements AsyncDisposable {
  readonly kind: FileSystem;
  /** The file: what a thief of the disk would read. */
  readonly file: string;
  /** Where it is mounted, if it is. */
  readonly mountPoint: string;
  readonly #dir: string;
  /** What is mounted over directories of the image, first to last. */
  readonly #covers: string[] = [];
  readonly #memories: string[] = [];
  #isMounted = false;

  private constructor(kind: FileSystem, dir: string) {
    this.kind = kind;
    this.#dir = dir;
    this.file = `${dir}/image`;
    this.mountPoint = `${dir}/disk`;
  }

  /** Makes one and mounts it. */
  static async make(kind: FileSystem, megabytes: number): Promise<DiskImage> {
    const prefix = "bulkhead-erasure-";
    const dir = Deno.makeTempDirSync({ dir: "/var/tmp", prefix });
    Deno.chmodSync(dir, 0o755);
    const image = new DiskImage(kind, dir);
    try {
      Deno.mkdirSync(image.mountPoint);
      Deno.writeFileSync(image.file, new Uint8Array());
      Deno.truncateSync(image.file, megabytes * 1_048_576);
      await must(...RECIPES[kind].make, image.file);
      await image.mount();
    } catch (error) {
      await image[Symbol.asyncDispose]();
      throw error;
    }
    return image;
  }

  /** Mounts it (again). */
  async mount(): Promise<void> {
    const options = `loop,${RECIPES[this.kind].options}`;
    await must("mount", "-o", options, this.file, this.mountPoint);
    this.#isMounted = true;
  }

  /** A directory beside the image, on the machine's own disk. */
  beside(name: string): string {
    const dir = `${this.#dir}/${name}`;
    Deno.mkdirSync(dir, { recursive: true });
    return dir;
  }

  /** Puts a directory from elsewhere over one of the image. */
  async cover(path: string, dir: string): Promise<void> {
    Deno.mkdirSync(path, { recursive: true });
    await must("mount", "--bind", dir, path);
    this.#covers.push(path);
  }

  /** A tmpfs beside the image; it outlives an unmounting of the image. */
  async memory(name: string): Promise<string> {
    const dir = this.beside(name);
    await must("mount", "-t", "tmpfs", "tmpfs", dir);
    this.#memories.push(dir);
    return dir;
  }

  /** Everything that was written is on the device. */
  async sync(): Promise<void> {
    await must("sync", "-f", this.mountPoint);
  }

  /** Unmounts all of it. */
  async unmount(): Promise<void> {
    for (let path; (path = this.#covers.at(-1)) !== undefined;) {
      await must("umount", path);
      this.#covers.pop();
    }
    if (!this.#isMounted) return;
    await must("umount", this.mountPoint);
    this.#isMounted = false;
  }

  /** Unmounts and removes it. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.unmount();
    for (const dir of this.#memories) await must("umount", dir);
    await Deno.remove(this.#dir, { recursive: true });
  }
}

/** Runs a command that has to succeed; returns what it printed. */
export async function must(...command: readonly string[]): Promise<string> {
  const [program, ...args] = command;
  const { code, out, errors } = await run(program!, args);
  assert.equal(code, 0, `${command.join(" ")}: ${errors}`);
  return out;
}
