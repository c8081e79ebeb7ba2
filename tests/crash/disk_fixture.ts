/**
 * Small disks in files, mounted through loop devices, so that a test can fill
 * them, cut their power or look at their raw octets.
 */
import { delay, IS_CI, IS_ROOT, run, until } from "../system/server_fixture.ts";

/** Programs besides mount(8), and Debian's packages of them. */
const PROGRAMS = new Map([
  ["mkfs.ext4", "e2fsprogs"],
  ["mkfs.xfs", "xfsprogs"],
  ["mkfs.btrfs", "btrfs-progs"],
  ["xfs_io", "xfsprogs"],
  ["nbdfuse", "libnbd-bin"],
  ["fusermount3", "fuse3"],
]);
const UMOUNT_WITHIN_MS = 10_000;
const MAX_BALLAST_FILES = 10_000;

/** A file system that a disk can be made with. */
export type FileSystem = "ext4" | "xfs" | "btrfs";

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

  /** Mounts one; both are limits, not what it takes. */
  static async make(bytes: number, inodes = 100_000): Promise<MemoryDir> {
    const path = await tempDir();
    try {
      const options = `size=${bytes},nr_inodes=${inodes},mode=755`;
      await must("mount", "-t", "tmpfs", "-o", options, "none", path);
    } catch (error) {
      await Deno.remove(path);
      throw error;
    }
    return new MemoryDir(path);
  }

  /** Changes how it is mounted, such as `ro`. */
  async remount(option: string): Promise<void> {
    await must("mount", "-o", `remount,${option}`, this.path);
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

  /**
   * Unmounts it, and waits until its loop device has let go of the image:
   * mount(8) would use the same device again, with what that has cached.
   */
  async umount(): Promise<void> {
    if (!this.#isMounted) return;
    await unmount(this.mountPoint);
    this.#isMounted = false;
    await until("a free loop device", () => !isOnLoop(this.image));
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

  /**
   * What an ext4 that was mounted with `errors=remount-ro` does of itself
   * when it finds its metadata damaged: nothing can be written any more. Only
   * {@link Disk.repair} helps.
   */
  async breakFileSystem(): Promise<void> {
    const device = await must("findmnt", "-no", "SOURCE", this.mountPoint);
    const name = device.trim().replace("/dev/", "");
    Deno.writeTextFileSync(`/sys/fs/ext4/${name}/trigger_fs_error`, "1");
  }

  /** Checks and mends an unmounted ext4, as a boot would. */
  async repair(): Promise<void> {
    // 1: errors were corrected.
    const { code, out } = await run("e2fsck", ["-f", "-y", this.image]);
    if (code > 1) throw new Error(`e2fsck: ${code} ${out}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.umount();
    await Deno.remove(this.#dir, { recursive: true });
  }
}

/** Uses up all space of a file system, or all inodes. */
export class Ballast {
  readonly #dir: string;

  private constructor(dir: string) {
    this.#dir = dir;
  }

  /** Writes below `within` until that is refused. */
  static fill(within: string, what: "space" | "inodes"): Ballast {
    const ballast = new Ballast(`${within}/ballast`);
    Deno.mkdirSync(ballast.#dir);
    // Ever smaller, so that nothing is left.
    const steps = what === "space" ? [1_048_576, 65_536, 4_096, 1] : [0];
    for (const [kind, octets] of steps.entries()) {
      const content = new Uint8Array(octets);
      for (let n = 0; put(`${ballast.#dir}/${kind}-${n}`, content); n++) {
        if (n > MAX_BALLAST_FILES) throw new Error(`${within} is not small`);
      }
    }
    return ballast;
  }

  /** Gives it all back. */
  remove(): void {
    Deno.removeSync(this.#dir, { recursive: true });
  }
}

function put(path: string, content: Uint8Array): boolean {
  try {
    Deno.writeFileSync(path, content);
    return true;
  } catch (error) {
    const { code } = error as { code?: string };
    if (code === "ENOSPC") return false;
    throw error;
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

/**
 * A directory that everybody may search, for roles have users of their own.
 * Its name says whose it is, see {@link sweepLeftovers}.
 */
export async function tempDir(within = "/tmp"): Promise<string> {
  await sweepLeftovers();
  const prefix = `${PREFIX}${Deno.pid}-`;
  const dir = await Deno.makeTempDir({ dir: within, prefix });
  await Deno.chmod(dir, 0o755);
  return dir;
}

const PREFIX = "bulkhead-disk-";
let isSwept = false;

/**
 * Takes away what tests before this one left because they were killed: their
 * loop devices, their mounts, the last first, and their directories.
 */
async function sweepLeftovers(): Promise<void> {
  if (isSwept) return;
  isSwept = true;
  // A device that is still mounted goes with its mount.
  for (const { device, file } of loopDevices()) {
    if (isLeftOver(file)) await must("losetup", "-d", device);
  }
  const mounts = Deno.readTextFileSync("/proc/self/mounts").split("\n");
  for (const line of mounts.reverse()) {
    const path = line.split(" ")[1] ?? "";
    if (isLeftOver(path)) await unmount(path);
  }
  for (const within of ["/tmp", "/var/tmp"]) {
    for (const { name } of Deno.readDirSync(within)) {
      const path = `${within}/${name}`;
      if (isLeftOver(path)) await Deno.remove(path, { recursive: true });
    }
  }
}

/** True if the path is below a directory of a process that is gone. */
function isLeftOver(path: string): boolean {
  const [, pid] = /^\/(?:var\/)?tmp\/bulkhead-disk-(\d+)-/.exec(path) ?? [];
  return pid !== undefined && !exists(`/proc/${pid}`);
}

function isOnLoop(image: string): boolean {
  return loopDevices().some(({ file }) => file === image);
}

/** Loop devices in use. */
function loopDevices(): { device: string; file: string }[] {
  return [...Deno.readDirSync("/sys/block")].flatMap(({ name }) => {
    const path = `/sys/block/${name}/loop/backing_file`;
    try {
      const file = Deno.readTextFileSync(path).trimEnd();
      return [{ device: `/dev/${name}`, file }];
    } catch {
      // No loop device, or one that is just set free.
      return [];
    }
  });
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
