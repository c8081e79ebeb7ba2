/**
 * Running from the one file: its launcher unpacked the runtime and the
 * programs, each to a directory named by its digest, and the roles run from
 * there. Whoever starts processes from such a part holds it by a shared lock
 * of flock(2), which ends with the process; whoever removes an old one must
 * have it alone.
 */
import { dirname } from "node:path";
import { isThere, syncPath } from "./replace_file.ts";
import { veilFor } from "./veil.ts";

/** Something that was unpacked a moment ago may be about to start. */
const YOUNG_MS = 600_000;

/** Kept open until the process ends, by path. */
const held = new Map<string, Deno.FsFile>();

/**
 * True if this process runs from the one file, and the roles of a home can do
 * so, too: its runtime lies where each of them can reach it and none can
 * change it. The launcher saw to whose all of it is.
 */
export function isInPlace(home: string): boolean {
  const runtime = Deno.execPath();
  if (!isForRoles(runtime)) return false;
  if (Deno.uid() !== 0) return true;
  if (veilFor(runtime) !== null) return false;
  const cover = veilFor(home)?.cover;
  return cover === undefined || !runtime.startsWith(`${cover}/`);
}

/** Executed by all and read by none, and of root or of who starts the server. */
export function isForRoles(runtime: string): boolean {
  const { mode, uid } = Deno.statSync(runtime);
  return ((mode ?? 0) & 0o777) === 0o111 && (uid === 0 || uid === Deno.uid());
}

/** Keeps a part from being removed while this process lives. */
export function holdPart(dir: string): void {
  if (held.has(dir)) return;
  const file = Deno.openSync(dir);
  // Refused only while somebody else holds it alone: it is being removed, or
  // a user plays tricks, who can keep it from nothing but its removal.
  file.tryLockSync(false);
  held.set(dir, file);
}

/**
 * Removes the parts beside the runtime's that nobody holds, and what starts
 * that were interrupted left behind.
 */
export function removeOldParts(now = Date.now()): void {
  const place = dirname(dirname(Deno.execPath()));
  for (const { name } of Deno.readDirSync(place)) {
    const path = `${place}/${name}`;
    const { uid, mtime, isDirectory } = Deno.lstatSync(path);
    const isOld = now - (mtime?.getTime() ?? now) > YOUNG_MS;
    if (!isDirectory || uid !== Deno.uid() || !isOld || held.has(path)) {
      continue;
    }
    if (/^\.(new|old)-/.test(name)) remove(path);
    else if (/^(runtime|programs)-[0-9a-f]{16}$/.test(name)) {
      removePart(place, name);
    }
  }
}

function removePart(place: string, name: string): void {
  const old = `${place}/.old-${name}-${Deno.pid}`;
  using part = Deno.openSync(`${place}/${name}`);
  if (!part.tryLockSync(true)) return;
  // Another name first: a launcher that looks for it sees all or nothing.
  Deno.renameSync(`${place}/${name}`, old);
  remove(old);
}

/** Removes copies in a home that runs from elsewhere now. */
export function removeCopies(home: string): void {
  const dir = `${home}/runtime`;
  if (!isThere(dir)) return;
  for (const { name } of Deno.readDirSync(dir)) {
    if (/^(deno|programs)-/.test(name)) remove(`${dir}/${name}`);
  }
  syncPath(dir);
}

// Two servers may do this at once.
function remove(path: string): void {
  try {
    Deno.removeSync(path, { recursive: true });
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}
