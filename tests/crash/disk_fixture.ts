/**
 * Small disks in files, mounted through loop devices, so that a test can fill
 * them, cut their power or look at their raw octets.
 */
import { delay, IS_CI, IS_ROOT, run } from "../system/server_fixture.ts";

/** Programs besides mount(8), and Debian's packages of them. */
const PROGRAMS = new Map([
  ["mkfs.ext4", "e2fsprogs"],
  ["mkfs.xfs", "xfsprogs"],
  ["xfs_io", "xfsprogs"],
  ["nbdfuse", "libnbd-bin"],
  ["fusermount3", "fuse3"],
]);
const UMOUNT_WITHIN_MS = 10_000;

/** A file system that a disk can be made with. */
export type FileSystem = "ext4" | "xfs";

/**
 * True if disks can be made here; says why not. On CI they must: there a
 * test that cannot make one fails.
 */
export function canMakeDisks(test: string): boolean {
  if (IS_CI) return true;
  const missing = [...PROGRAMS].filter(([name]) => !isInstalled(name))
    .map(([name, where]) => `no ${name} (package ${where})`);
  if (!IS_ROOT) missing.push("not root");
  else if (!exists("/dev/loop-control")) missing.push("no loop devices");
  if (missing.length === 0) return true;
  console.log(`${test}: skipped, ${missing.join(", ")}`);
  return false;
}

/** A directory in memory for images, so that their syncs cost nothing. */
export class MemoryDir implements AsyncDisposable {
  readonly path: string;

  private constructor(path: string) {
    this.path = path;
  }

  /** Mounts one; `bytes` is its limit, not what it takes. */
  static async make(bytes: number): Promise<MemoryDir> {
    const path = await tempDir();
    try {
      const options = `size=${bytes},mode=755`;
      await must("mount", "-t", "tmpfs", "-o", options, "none", path);
    } catch (error) {
      await Deno.remove(path);
      throw error;
    }
    return new MemoryDir(path);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await unmount(this.path);
    await Deno.remove(this.path);
  }
}

/** A directory that appears in a second place. */
export class Bind implements AsyncDisposable {
  readonly #to: string;
  #isMounted = true;

  private constructor(to: string) {
    this.#to = to;
  }

  /** Makes `from` appear at `to`, which is made if it is missing. */
  static async mount(from: string, to: string): Promise<Bind> {
    await Deno.mkdir(to, { recursive: true });
    await must("mount", "--bind", from, to);
    return new Bind(to);
  }

  /** Makes it disappear there again. */
  async umount(): Promise<void> {
    if (!this.#isMounted) return;
    await unmount(this.#to);
    this.#isMounted = false;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.umount();
  }
}

/** One file with a file system, and the directory where it is mounted. */
export class Disk implements AsyncDisposable {
  readonly image: string;
  readonly mountPoint: string;
  readonly fileSystem: FileSystem;
  readonly #dir: string;
  #isMounted = false;

  private constructor(dir: string, fileSystem: FileSystem) {
    this.#dir = dir;
    this.image = `${dir}/disk.img`;
    this.mountPoint = `${dir}/disk`;
    this.fileSystem = fileSystem;
  }

  /** An empty file and an empty directory below `within`. */
  static async blank(options: {
    fileSystem: FileSystem;
    bytes: number;
    within?: string;
  }): Promise<Disk> {
    const dir = await tempDir(options.within);
    const disk = new Disk(dir, options.fileSystem);
    await Deno.mkdir(disk.mountPoint);
    await Deno.writeFile(disk.image, new Uint8Array());
    await Deno.truncate(disk.image, options.bytes);
    return disk;
  }

  /** A new file system; `more` goes to mkfs. */
  static async make(
    options: Parameters<typeof Disk.blank>[0] & { more?: readonly string[] },
  ): Promise<Disk> {
    const disk = await Disk.blank(options);
    try {
      await makeFileSystem(disk, options.more ?? []);
    } catch (error) {
      await disk[Symbol.asyncDispose]();
      throw error;
    }
    return disk;
  }

  /** Mounts it; a journal is replayed by that. */
  async mount(options = ""): Promise<void> {
    const comma = options === "" ? "" : `,${options}`;
    await must("mount", "-o", `loop${comma}`, this.image, this.mountPoint);
    this.#isMounted = true;
  }

  /** Unmounts it, which frees its loop device. */
  async umount(): Promise<void> {
    if (!this.#isMounted) return;
    await unmount(this.mountPoint);
    this.#isMounted = false;
  }

  /**
   * Cuts the power: nothing that is written from now on reaches the image.
   *
   * @param how `now` loses the journal's unwritten part too; `journal` writes
   * that, but no file's octets
   */
  async cutPower(how: "now" | "journal"): Promise<void> {
    const command = how === "now" ? "shutdown" : "shutdown -f";
    await must("xfs_io", "-x", "-c", command, this.mountPoint);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.umount();
    await Deno.remove(this.#dir, { recursive: true });
  }
}

/** Runs a program of the system. @throws {Error} If it fails */
export async function must(
  command: string,
  ...args: readonly string[]
): Promise<string> {
  const { code, out, errors } = await run(command, args);
  if (code === 0) return out;
  throw new Error(`${command} ${args.join(" ")}: ${code} ${out}${errors}`);
}

/** Unmounts, waiting for those who just close their last file. */
export async function unmount(path: string): Promise<void> {
  const late = performance.now() + UMOUNT_WITHIN_MS;
  for (;;) {
    const { code, errors } = await run("umount", [path]);
    if (code === 0) return;
    if (performance.now() > late) throw new Error(`umount ${path}: ${errors}`);
    await delay(50);
  }
}

async function makeFileSystem(
  { fileSystem, image }: Disk,
  more: readonly string[],
): Promise<void> {
  const quiet = fileSystem === "ext4" ? ["-q", "-F"] : ["-q"];
  await must(`mkfs.${fileSystem}`, ...quiet, ...more, image);
}

// Everybody may search it: roles have users of their own.
async function tempDir(within = "/tmp"): Promise<string> {
  const dir = await Deno.makeTempDir({ dir: within, prefix: "bulkhead-disk-" });
  await Deno.chmod(dir, 0o755);
  return dir;
}

function isInstalled(program: string): boolean {
  const path = (Deno.env.get("PATH") ?? "").split(":");
  return [...path, "/usr/sbin", "/sbin"].some((dir) =>
    exists(`${dir}/${program}`)
  );
}

function exists(path: string): boolean {
  try {
    Deno.statSync(path);
    return true;
  } catch {
    return false;
  }
}
