/**
 * Writes the installation's own files so that a power cut leaves the old or
 * the new one: a certificate that is there and empty keeps a server down.
 */
import { dirname } from "node:path";

/**
 * Writes a file beside its name, syncs it, renames it, and syncs that.
 *
 * @param path Only one process at a time may replace it
 * @param group Who else may read it, if the mode says so
 */
export function replaceFile(
  path: string,
  content: string | Uint8Array,
  mode: number,
  group?: number,
): void {
  const fresh = `${path}.new`;
  try {
    // One that a crash left behind.
    Deno.removeSync(fresh);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  writeNew(fresh, content, mode);
  if (group !== undefined) {
    Deno.chownSync(fresh, null, group);
    Deno.chmodSync(fresh, mode); // the umask may have taken the group's part
  }
  Deno.renameSync(fresh, path);
  syncPath(dirname(path));
}

/** Writes a file that must not be there yet, and syncs it. */
export function writeNew(
  path: string,
  content: string | Uint8Array,
  mode: number,
): void {
  using file = Deno.openSync(path, {
    write: true,
    createNew: true, // and so follows no link
    mode,
  });
  const bytes = typeof content === "string"
    ? new TextEncoder().encode(content)
    : content;
  writeAll(file, bytes);
  file.syncSync();
}

/** Writes all of it, however little one write(2) takes. */
export function writeAll(
  file: { writeSync(octets: Uint8Array): number },
  octets: Uint8Array,
): void {
  for (let at = 0; at < octets.length;) {
    at += file.writeSync(octets.subarray(at));
  }
}

/** Syncs a file's octets, or a directory's names. */
export function syncPath(path: string): void {
  using file = Deno.openSync(path);
  file.syncSync();
}

/** True if something has that name, a dangling link too. */
export function isThere(path: string): boolean {
  return lookAt(path) !== undefined;
}

/** What has that name, no link followed; undefined if nothing has. */
export function lookAt(path: string): Deno.FileInfo | undefined {
  try {
    return Deno.lstatSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}
