/**
 * Finds out what lies under a path: mount table, ext4's own words, and the
 * block device's queue in /sys. Reads nothing of the file itself.
 *
 * Runs in the supervisor and in the command line. What cannot be read (a
 * container without /sys, another user's mount) is null or `unknown`, and the
 * table in `file_system.ts` judges that as it should: not in our favour.
 */
import { statfsSync } from "node:fs";
import {
  type DataMode,
  type DeviceFacts,
  type FileSystemFacts,
  journalBytesOf,
} from "./file_system.ts";
import { type Mount, mountOf, parseMounts } from "./mount_table.ts";

/** What only ioctl(2) tells of a file; the caller asks, if it may. */
export interface FileAttributes {
  readonly isNoCow: boolean | null;
  readonly isShared: boolean | null;
  /** The attribute j of chattr(1): ext4 journals this file's contents. */
  readonly isJournalled: boolean;
}

const NOTHING_ASKED: FileAttributes = {
  isNoCow: null,
  isShared: null,
  isJournalled: false,
};

/** statfs(2)'s magic numbers, to see that the mount table was read right. */
const MAGIC = new Map([
  ["ext2", 0xef53],
  ["ext3", 0xef53],
  ["ext4", 0xef53],
  ["xfs", 0x58465342],
  ["btrfs", 0x9123683e],
  ["f2fs", 0xf2f52010],
  ["zfs", 0x2fc12fc1],
  ["tmpfs", 0x01021994],
  ["ramfs", 0x858458f6],
  ["overlay", 0x794c7630],
  ["nfs", 0x6969],
  ["nfs4", 0x6969],
]);

/**
 * The facts about a place.
 *
 * @param path A file or directory that is there
 * @throws {Deno.errors.NotFound} and the like, if it is not
 */
export function factsOf(
  path: string,
  attributes: FileAttributes = NOTHING_ASKED,
): FileSystemFacts {
  const real = Deno.realPathSync(path);
  const device = deviceText(Deno.statSync(real).dev);
  const mount = mountOf(
    parseMounts(read("/proc/self/mountinfo") ?? ""),
    real,
    device,
  );
  if (mount === undefined || !isAsMagicSays(real, mount.kind)) {
    return unknownPlace(attributes);
  }
  const block = blockDeviceOf(device, mount);
  const isExt = ["ext2", "ext3", "ext4"].includes(mount.kind);
  return {
    mountPoint: mount.mountPoint,
    kind: mount.kind,
    source: mount.source,
    options: mount.options,
    dataMode: !isExt
      ? null
      : attributes.isJournalled
      ? "journal"
      : dataModeOf(mount, block),
    isNoCow: attributes.isNoCow,
    isShared: attributes.isShared,
    device: deviceFacts(block),
  };
}

function unknownPlace(attributes: FileAttributes): FileSystemFacts {
  return {
    mountPoint: "/",
    kind: "an unknown file system",
    source: "none",
    options: new Map(),
    dataMode: null,
    ...attributes,
    device: deviceFacts(undefined),
  };
}

function isAsMagicSays(path: string, kind: string): boolean {
  const magic = MAGIC.get(kind);
  // As 32 bits: some platforms sign-extend.
  return magic === undefined || statfsSync(path).type >>> 0 === magic;
}

/**
 * What an ext4 journal under `path` may hold of old contents, in octets; 0
 * where contents never go to a journal. See {@link journalBytesOf}.
 */
export function journalBytes(path: string): number {
  const { blocks, bsize } = statfsSync(path);
  return journalBytesOf(factsOf(path).dataMode, {
    blocks,
    blockBytes: bsize,
  });
}

/** `major:minor` of a `st_dev`, as glibc packs them. */
export function deviceText(dev: number): string {
  const packed = BigInt(dev);
  const major = ((packed >> 8n) & 0xfffn) | ((packed >> 32n) & ~0xfffn);
  const minor = (packed & 0xffn) | ((packed >> 12n) & ~0xffn & 0xffffffffn);
  return `${major}:${minor}`;
}

/** The block device's folder in /sys, if the place has one device. */
function blockDeviceOf(device: string, mount: Mount): string | undefined {
  const named = mount.source.startsWith("/dev/")
    ? rdevOf(mount.source)
    : undefined;
  // btrfs gives its files numbers of no device; its source has one.
  for (const one of [device, mount.device, named]) {
    if (one === undefined || one.startsWith("0:")) continue;
    const real = realPath(`/sys/dev/block/${one}`);
    if (real !== undefined) return real;
  }
  return undefined;
}

function rdevOf(path: string): string | undefined {
  try {
    const { rdev } = Deno.statSync(path);
    return rdev === null ? undefined : deviceText(rdev);
  } catch {
    return undefined; // not in this container: the device stays unknown
  }
}

/** ext4 says which mode it is in, the superblock's default included. */
function dataModeOf(mount: Mount, block: string | undefined): DataMode {
  // ext2 has no journal, unless ext4's driver mounts it, which says so.
  if (mount.kind === "ext2") return "none";
  const name = block?.slice(block.lastIndexOf("/") + 1);
  const said = name === undefined
    ? undefined
    : read(`/proc/fs/${mount.kind}/${name}/options`) ??
      read(`/proc/fs/ext4/${name}/options`);
  if (said === undefined) return modeOf(mount.options.get("data"));
  const line = said.split("\n").find((one) => one.startsWith("data="));
  return line === undefined ? "none" : modeOf(line.slice("data=".length));
}

function modeOf(text: string | undefined): DataMode {
  return text === "ordered" || text === "writeback" || text === "journal"
    ? text
    : "unknown";
}

function deviceFacts(block: string | undefined): DeviceFacts {
  if (block === undefined) {
    return {
      isRotational: null,
      canDiscard: null,
      backingFile: null,
      isMapped: false,
    };
  }
  // A partition has its drive's queue.
  const isPartition = read(`${block}/partition`) !== undefined;
  const drive = isPartition ? block.slice(0, block.lastIndexOf("/")) : block;
  const rotational = read(`${drive}/queue/rotational`)?.trim();
  const discards = read(`${drive}/queue/discard_max_bytes`)?.trim();
  return {
    isRotational: rotational === undefined ? null : rotational === "1",
    canDiscard: discards === undefined ? null : discards !== "0",
    backingFile: read(`${drive}/loop/backing_file`)?.trimEnd() ?? null,
    isMapped: read(`${drive}/dm/name`) !== undefined,
  };
}

function read(path: string): string | undefined {
  try {
    return Deno.readTextFileSync(path);
  } catch {
    return undefined; // not there, or not for us: unknown, as the head says
  }
}

function realPath(path: string): string | undefined {
  try {
    return Deno.realPathSync(path);
  } catch {
    return undefined; // as above
  }
}
