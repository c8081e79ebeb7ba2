/**
 * Reads /proc/self/mountinfo and finds the mount that a path lies on. Pure.
 *
 * A line, see proc_pid_mountinfo(5):
 *
 *     36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw,errors=continue
 *     id parent device root mount-point options tags... - kind source super-options
 *
 * Blanks, tabs, line feeds and backslashes in names stand as three octal
 * digits after a backslash.
 */

/** One mount. */
export interface Mount {
  /** `major:minor`, as in `st_dev` of files on most file systems. */
  readonly device: string;
  /** Which part of the file system is seen here: `/`, or what was bound. */
  readonly root: string;
  readonly mountPoint: string;
  /** `ext4`, `btrfs`, ... */
  readonly kind: string;
  /** Mostly the block device's path. */
  readonly source: string;
  /** Of the mount and of the file system, with their values; "" if none. */
  readonly options: ReadonlyMap<string, string>;
}

/** Every mount, in the kernel's order; lines that make no sense are left out. */
export function parseMounts(mountInfo: string): Mount[] {
  return mountInfo.split("\n").flatMap((line) => {
    const mount = parseLine(line.split(" "));
    return mount === undefined ? [] : [mount];
  });
}

function parseLine(fields: readonly string[]): Mount | undefined {
  // Any number of tags, so the rest is counted from the lone hyphen.
  const hyphen = fields.indexOf("-", 6);
  const [, , device, root, mountPoint, own] = fields;
  const [kind, source, shared] = fields.slice(hyphen + 1);
  if (
    hyphen < 0 || device === undefined || root === undefined ||
    mountPoint === undefined || own === undefined || kind === undefined ||
    source === undefined
  ) return undefined;
  return {
    device,
    root: unescape(root),
    mountPoint: unescape(mountPoint),
    kind,
    source: unescape(source),
    options: new Map([...optionsOf(own), ...optionsOf(shared ?? "")]),
  };
}

function optionsOf(text: string): [string, string][] {
  return text.split(",").filter((one) => one !== "").map((one) => {
    const at = one.indexOf("=");
    return at < 0 ? [one, ""] : [one.slice(0, at), one.slice(at + 1)];
  });
}

/** Undoes the kernel's octal escapes; the octets are UTF-8. */
function unescape(text: string): string {
  if (!text.includes("\\")) return text;
  const octets: number[] = [];
  const raw = new TextEncoder().encode(text);
  for (let at = 0; at < raw.length; at++) {
    const value = raw[at] === 0x5c ? octalAt(raw, at + 1) : undefined;
    octets.push(value ?? raw[at]!);
    if (value !== undefined) at += 3;
  }
  return new TextDecoder().decode(Uint8Array.from(octets));
}

function octalAt(octets: Uint8Array, at: number): number | undefined {
  let value = 0;
  for (let n = at; n < at + 3; n++) {
    const digit = (octets[n] ?? 0) - 0x30;
    if (digit < 0 || digit > 7) return undefined;
    value = value * 8 + digit;
  }
  return value <= 0xff ? value : undefined;
}

/**
 * The mount that a path lies on: the longest mount point above it, the later
 * one if two lie on each other.
 *
 * @param path Absolute and real: no link and no `..` in it
 * @param device The file's `st_dev` as `major:minor`. A mount of that device
 * is preferred, because a later mount nearer to the root hides longer ones.
 * btrfs, overlay and others give their files numbers that no mount has: then
 * the length alone decides
 */
export function mountOf(
  mounts: readonly Mount[],
  path: string,
  device?: string,
): Mount | undefined {
  const above = mounts.filter((one) => isAbove(one.mountPoint, path));
  const same = above.filter((one) => one.device === device);
  return longest(same.length > 0 ? same : above);
}

function isAbove(mountPoint: string, path: string): boolean {
  return mountPoint === "/" || path === mountPoint ||
    path.startsWith(`${mountPoint}/`);
}

function longest(mounts: readonly Mount[]): Mount | undefined {
  return mounts.reduce<Mount | undefined>(
    (best, one) =>
      one.mountPoint.length >= (best?.mountPoint.length ?? 0) ? one : best,
    undefined,
  );
}
