/**
 * Reads a small file that only we write. What somebody else could have put
 * there (another owner, a link, writable by others) is not read.
 */
import fs from "node:fs";

/**
 * The file's last `maxBytes` octets as text.
 *
 * @returns undefined if it is not there, or not ours alone
 */
export function readOwn(path: string, maxBytes: number): string | undefined {
  const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK } = fs.constants;
  let fd: number;
  try {
    fd = fs.openSync(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
  } catch {
    return undefined;
  }
  try {
    const info = fs.fstatSync(fd);
    const isOurs = info.isFile() && info.uid === Deno.uid() &&
      (info.mode & 0o022) === 0;
    if (!isOurs) return undefined;
    const octets = new Uint8Array(Math.min(info.size, maxBytes));
    const from = Math.max(0, info.size - maxBytes);
    const read = fs.readSync(fd, octets, 0, octets.length, from);
    return new TextDecoder().decode(octets.subarray(0, read));
  } catch {
    return undefined;
  } finally {
    fs.closeSync(fd);
  }
}

/** Changes when the file does; empty if it is not there. */
export function markOf(path: string): string {
  try {
    const { ino, size, mtimeMs } = fs.lstatSync(path);
    return `${ino} ${size} ${mtimeMs}`;
  } catch {
    return "";
  }
}
