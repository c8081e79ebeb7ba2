/**
 * The disk that both servers work on.
 *
 * As root: an ext4 with a journal, as a distribution makes it, in an image
 * that is written whole and mounted with direct I/O, so that its syncs reach
 * the machine's disk. It is the same for every machine, and no leftover of
 * others slows one server down.
 */
import { attempt, run, until } from "./command.ts";

/** Where everything is made, and taken away again. */
const PLACE = "/var/tmp/bulkhead-bench";

/** A place to measure in. */
export interface Disk {
  readonly dir: string;
  /** File system, mount options and what lies below, in words. */
  readonly says: string;
}

/** Makes the disk; what it made is undone by `stack`. */
export async function openDisk(
  options: { dir: string | undefined; mib: number },
  stack: AsyncDisposableStack,
): Promise<Disk> {
  if (options.dir !== undefined || Deno.uid() !== 0) {
    const dir = makeDir(options.dir ?? PLACE, stack);
    return { dir, says: `${await fileSystem(dir)}, a directory` };
  }
  const place = makeDir(PLACE, stack);
  const [image, dir] = [`${place}/disk.img`, `${place}/disk`];
  Deno.mkdirSync(dir);
  await run(
    [
      "dd",
      "if=/dev/zero",
      `of=${image}`,
      "bs=1M",
      `count=${options.mib}`,
      "conv=fsync",
      "status=none",
    ],
    300_000,
  );
  const eager = "nodiscard,lazy_itable_init=0,lazy_journal_init=0";
  await run(["mkfs.ext4", "-q", "-F", "-E", eager, image]);
  const { device, isDirect } = await attach(image);
  stack.defer(async () => void await attempt(["losetup", "-d", device]));
  await run(["mount", "-t", "ext4", "-o", "relatime", device, dir]);
  stack.defer(() => unmount(dir));
  const under = isDirect ? "direct I/O" : "without direct I/O";
  return { dir, says: `${await fileSystem(dir)}, a loop device (${under})` };
}

/** Writes back what is dirty, so that no run pays for the one before. */
export async function flush({ dir }: Disk): Promise<void> {
  await run(["sync", "-f", dir], 120_000);
}

function makeDir(parent: string, stack: AsyncDisposableStack): string {
  const isNew = !exists(parent);
  Deno.mkdirSync(parent, { recursive: true });
  const dir = Deno.makeTempDirSync({ dir: parent, prefix: "run-" });
  Deno.chmodSync(dir, 0o755);
  stack.defer(() => {
    Deno.removeSync(dir, { recursive: true });
    if (isNew) Deno.removeSync(parent);
  });
  return dir;
}

function exists(path: string): boolean {
  try {
    Deno.lstatSync(path);
    return true;
  } catch {
    return false;
  }
}

async function attach(
  image: string,
): Promise<{ device: string; isDirect: boolean }> {
  const direct = await attempt([
    "losetup",
    "-f",
    "--show",
    "--direct-io=on",
    image,
  ]);
  if (direct.ok) return { device: direct.out, isDirect: true };
  const device = await run(["losetup", "-f", "--show", image]);
  return { device, isDirect: false };
}

async function unmount(dir: string): Promise<void> {
  const isDone = await until(
    async () => (await attempt(["umount", dir])).ok,
    { withinMs: 5_000, everyMs: 250 },
  );
  if (!isDone) await attempt(["umount", "-l", dir]);
}

async function fileSystem(dir: string): Promise<string> {
  const { ok, out } = await attempt([
    "findmnt",
    "-no",
    "FSTYPE,OPTIONS",
    "-T",
    dir,
  ]);
  const [type, options] = out.split(/\s+/);
  return ok ? `${type} (${options})` : "unknown file system";
}
