/**
 * Files as Deno gives them. Reading past the page cache is open(2) with
 * O_DIRECT, which `Deno.open` has no word for but node:fs has.
 */
import fs from "node:fs";
import {
  type FileFacts,
  type Files,
  type OverwriteFile,
  type ReadBack,
  type ReadBackFile,
  STEP_OCTETS,
} from "./files.ts";

const { O_RDONLY, O_RDWR, O_NOFOLLOW } = fs.constants;

// Not in node's constants on every system; the number is the architecture's.
const O_DIRECT = Deno.build.arch === "aarch64" ? 0o200000 : 0o40000;

const PAGE = 4_096;

/** The real file system. */
export const realFiles: Files = {
  look: (path) => factsOf(fs.lstatSync(path, { bigint: true })),

  open: (path): OverwriteFile => {
    // No O_CREAT and no O_TRUNC: other blocks would be written, and the old
    // ones be free and readable.
    const fd = fs.openSync(path, O_RDWR | O_NOFOLLOW);
    return {
      facts: () => factsOf(fs.fstatSync(fd, { bigint: true })),
      writeAt: (octets, offset) =>
        fs.writeSync(fd, octets, 0, octets.length, offset),
      syncData: () =>
        new Promise((resolve, reject) =>
          fs.fdatasync(fd, (error) => error ? reject(error) : resolve())
        ),
      close: () => fs.closeSync(fd),
    };
  },

  openBack: (path): ReadBackFile => {
    const buffer = new Uint8Array(STEP_OCTETS + PAGE);
    const direct = openDirect(path, buffer);
    const { fd, at } = direct ??
      { fd: fs.openSync(path, O_RDONLY | O_NOFOLLOW), at: 0 };
    const from: ReadBack = direct === undefined ? "page-cache" : "disk";
    return {
      facts: () => factsOf(fs.fstatSync(fd, { bigint: true })),
      from,
      readAt: (offset) => {
        const got = fs.readSync(fd, buffer, at, STEP_OCTETS, offset);
        return buffer.subarray(at, at + got);
      },
      close: () => fs.closeSync(fd),
    };
  },
};

function factsOf(info: fs.BigIntStats): FileFacts {
  return {
    isRegular: info.isFile(),
    identity: `${info.dev}:${info.ino}`,
    sizeBytes: Number(info.size),
  };
}

/**
 * Opens with O_DIRECT and finds where in the buffer the device takes it, for
 * it wants an aligned address and nobody tells us the buffer's.
 *
 * @returns undefined where the system has no such reading, or only says so
 */
function openDirect(
  path: string,
  buffer: Uint8Array,
): { fd: number; at: number } | undefined {
  const fd = attempt(() => fs.openSync(path, O_RDONLY | O_NOFOLLOW | O_DIRECT));
  if (fd === undefined) return undefined;
  // tmpfs, btrfs with checksums and ext4 with data=journal take the flag and
  // read through the page cache all the same. They are known by not minding
  // a position that no device could read from.
  const isReal = attempt(() => fs.readSync(fd, buffer, 0, 1, 1)) === undefined;
  for (let at = 0; isReal && at <= PAGE; at += 8) {
    const got = attempt(() => fs.readSync(fd, buffer, at, STEP_OCTETS, 0));
    if (got !== undefined) return { fd, at };
  }
  fs.closeSync(fd);
  return undefined;
}

/** undefined if the system says EINVAL: it will not do this, but is sound. */
function attempt<T>(operation: () => T): T | undefined {
  try {
    return operation();
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "EINVAL") {
      return undefined;
    }
    throw error;
  }
}
