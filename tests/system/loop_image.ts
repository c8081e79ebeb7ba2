/**
 * A file system on a loop device, and a search of what a thief of the disk
 * would read: the raw image, past the file system.
 */
import assert from "node:assert/strict";
import { run } from "./server_fixture.ts";

/** What to make, and how to mount it. */
export interface Recipe {
  readonly make: readonly string[];
  readonly options: string;
}

// Without discard: it would erase what the program did not.
const EXT4 = ["mkfs.ext4", "-q", "-F", "-b", "4096", "-E", "nodiscard"];

/** Kinds of images. */
export const RECIPES = {
  "ext4": { make: EXT4, options: "data=ordered,nodiscard" },
  "ext4-journal": { make: EXT4, options: "data=journal,nodiscard" },
  "xfs": { make: ["mkfs.xfs", "-q", "-f", "-K"], options: "nodiscard" },
  "btrfs": { make: ["mkfs.btrfs", "-q", "-f", "-K"], options: "nodiscard" },
} as const satisfies Readonly<Record<string, Recipe>>;
/** See {@link RECIPES}. */
export type ImageKind = keyof typeof RECIPES;

const BYTES = 320 * 1_048_576;

/** True if this machine can make and mount such an image. */
export function canMount(kind: ImageKind): boolean {
  if (Deno.uid() !== 0) return false;
  try {
    Deno.statSync("/dev/loop-control");
    return new Deno.Command("sh", {
      args: ["-c", `command -v ${RECIPES[kind].make[0]} >/dev/null`],
    }).outputSync().success;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

/** An image, mounted. */
export class LoopImage implements AsyncDisposable {
  /** The raw image. */
  readonly file: string;
  /** Where it is mounted. */
  readonly dir: string;
  readonly #base: string;
  #isMounted = false;

  private constructor(base: string) {
    this.#base = base;
    this.file = `${base}/image`;
    this.dir = `${base}/disk`;
  }

  /** Makes one and mounts it. */
  static async make(kind: ImageKind): Promise<LoopImage> {
    const base = Deno.makeTempDirSync({
      dir: "/var/tmp",
      prefix: "bulkhead-image-",
    });
    Deno.chmodSync(base, 0o755);
    const image = new LoopImage(base);
    try {
      Deno.mkdirSync(image.dir);
      Deno.writeFileSync(image.file, new Uint8Array());
      Deno.truncateSync(image.file, BYTES);
      await must(...RECIPES[kind].make, image.file);
      const options = `loop,${RECIPES[kind].options}`;
      await must("mount", "-o", options, image.file, image.dir);
      image.#isMounted = true;
    } catch (error) {
      await image[Symbol.asyncDispose]();
      throw error;
    }
    return image;
  }

  /** How often the text stands in the raw image now. Nothing is synced first. */
  async count(text: string): Promise<number> {
    const { code, out, errors } = await run("sh", [
      "-c",
      'grep -a -o -F -e "$1" "$2" | wc -l',
      "sh",
      text,
      this.file,
    ]);
    assert.equal(code, 0, errors);
    return Number(out.trim());
  }

  /** Everything that was written is on the device. */
  async sync(): Promise<void> {
    await must("sync", "-f", this.dir);
  }

  /** Unmounts it; what is not on the device then never comes. */
  async unmount(): Promise<void> {
    if (!this.#isMounted) return;
    await must("umount", this.dir);
    this.#isMounted = false;
  }

  /** Unmounts and removes it. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.unmount();
    await Deno.remove(this.#base, { recursive: true });
  }
}

/** Runs a command that has to succeed. */
export async function must(...command: readonly string[]): Promise<void> {
  const [program, ...args] = command;
  const { code, errors } = await run(program!, args);
  assert.equal(code, 0, `${command.join(" ")}: ${errors}`);
}
