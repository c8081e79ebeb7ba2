/**
 * The tree below a home: one table that `init` makes and `check` and `serve`
 * verify. Nothing here is ever loosened silently: a wrong owner is told with
 * the command that mends it.
 */
import { dirname } from "node:path";
import type { RoleName } from "../ipc/call.ts";
import type { SharedGroup } from "../walls/manifest.ts";
import type { Accounts } from "./accounts.ts";
import type { Paths } from "./plan.ts";
import { syncPath } from "./replace_file.ts";

/** One directory or file of the tree. */
export interface Place {
  readonly path: string;
  readonly kind: "directory" | "file";
  readonly mode: number;
  /** Its owner when started as root; `root` is whoever starts the server. */
  readonly owner: RoleName | "root";
  readonly group: RoleName | SharedGroup | "root";
}

/** The tree. */
export function placesOf(paths: Paths): Place[] {
  const place = (
    path: string,
    mode: number,
    owner: Place["owner"],
    group: Place["group"] = owner,
    kind: Place["kind"] = "directory",
  ): Place => ({ path, kind, mode, owner, group });
  return [
    place(paths.home, 0o755, "root"),
    place(`${paths.home}/runtime`, 0o755, "root"),
    place(paths.runDir, 0o711, "root"),
    place(paths.tlsDir, 0o700, "root"),
    // One directory for both, so that a disk mounted here holds both.
    place(`${paths.home}/spool`, 0o711, "root"),
    // Set-group-ID: segments belong to the group of those who may read them.
    place(paths.spoolDir, 0o2750, "spool", "content"),
    // shred may write to every segment by its mode, and reaches those in here:
    // the spool moves spent ones in and out.
    place(paths.spentDir, 0o750, "spool", "shred"),
    place(paths.queueDir, 0o700, "queue"),
    // Everybody puts files here and nobody sees or touches another's: sticky,
    // and not to be listed. Set-group-ID, so that pickup may read them; it is
    // the owner, so that it may remove them. Without users of their own there
    // is one submitter.
    place(paths.dropDir, Deno.uid() === 0 ? 0o3733 : 0o700, "pickup"),
    place(paths.eventsDir, 0o700, "queue"),
    place(paths.gateDir, 0o700, "gate"),
    place(paths.stsDir, 0o700, "sts"),
    place(paths.mailDir, 0o711, "maildir"),
    place(`${paths.mailDir}/.sync`, 0o444, "root", "root", "file"),
    place(paths.usersFile, 0o600, "root", "root", "file"),
    // auth enters and reads; only root replaces what lies in it.
    place(paths.authDir, 0o750, "root", "auth"),
    place(paths.passwordsFile, 0o640, "root", "auth", "file"),
  ];
}

/** Makes what is missing; what is there keeps its content. */
export function makePlaces(
  places: readonly Place[],
  accounts: Accounts | null,
): void {
  for (const place of places) {
    if (place.kind === "directory") {
      Deno.mkdirSync(place.path, { recursive: true });
    } else {
      makeFile(place.path);
    }
    const { uid, gid } = idsOf(place, accounts);
    if (accounts !== null) Deno.chownSync(place.path, uid, gid);
    Deno.chmodSync(place.path, place.mode);
    syncPath(dirname(place.path));
  }
}

// Not opened if it is there: its mode may forbid that to its own owner.
function makeFile(path: string): void {
  try {
    Deno.openSync(path, { createNew: true, write: true }).close();
  } catch (error) {
    if (!(error instanceof Deno.errors.AlreadyExists)) throw error;
  }
}

/** Moves the segments of a home of 0.1.0, which lay one directory higher. */
export function moveOldSegments({ home, spoolDir }: Paths): void {
  for (const { name, isFile } of Deno.readDirSync(`${home}/spool`)) {
    if (isFile) Deno.renameSync(`${home}/spool/${name}`, `${spoolDir}/${name}`);
  }
  syncPath(spoolDir);
}

/** What is wrong with the tree, in plain words, each with what mends it. */
export function checkPlaces(
  places: readonly Place[],
  accounts: Accounts | null,
): string[] {
  const faults = places.flatMap((place) => {
    const fault = checkPlace(place, accounts);
    return fault === undefined ? [] : [fault];
  });
  return faults.length > 0 ? faults : checkOneDisk(places);
}

// rename(2) does not lead from one file system to another, nor from one mount
// of it to another.
function checkOneDisk(places: readonly Place[]): string[] {
  const [spool, spent] = places.filter((one) => one.owner === "spool");
  if (spool === undefined || spent === undefined) return [];
  return Deno.statSync(spool.path).dev === Deno.statSync(spent.path).dev
    ? []
    : [
      `${spool.path} and ${spent.path} must lie on one file system: mount it ` +
      "at the home and not at one of them",
    ];
}

function checkPlace(
  place: Place,
  accounts: Accounts | null,
): string | undefined {
  let info: Deno.FileInfo;
  try {
    info = Deno.lstatSync(place.path);
  } catch (error) {
    return error instanceof Deno.errors.NotFound
      ? `${place.path} is missing: \`bulkhead up DOMAIN\`, or \`bulkhead ` +
        "init HOME --hostname NAME --domain NAME`, whichever made the rest, " +
        "makes it again and changes nothing that is there"
      : `${place.path} cannot be looked at: ${messageOf(error)}`;
  }
  const isKind = place.kind === "directory" ? info.isDirectory : info.isFile;
  if (!isKind) return `${place.path} is not a ${place.kind}: move it away`;
  const { uid, gid } = idsOf(place, accounts);
  if (info.uid !== uid || (accounts !== null && info.gid !== gid)) {
    return `${place.path} belongs to ${info.uid}:${info.gid} and not to ` +
      `${uid}:${gid} (${place.owner}): chown ${uid}:${gid} ${place.path}`;
  }
  const extra = (info.mode ?? 0) & 0o777 & ~place.mode;
  const isOfRoles = place.owner !== "root" || place.group !== "root";
  if (extra !== 0 && isOfRoles) {
    const verb = place.kind === "directory" ? "entered" : "read";
    return `${place.path} may be ${verb} by more than it should ` +
      `(mode ${octal(info.mode)}): chmod ${octal(place.mode)} ${place.path}`;
  }
  const special = place.mode & 0o7000 & ~(info.mode ?? 0);
  if (special !== 0 && accounts !== null && place.owner === "pickup") {
    return `${place.path} lets users touch what is another's ` +
      `(mode ${octal(info.mode)}): chmod ${octal(place.mode)} ${place.path}`;
  }
  const isShared = accounts !== null && place.group !== place.owner;
  const missing = place.mode & 0o070 & ~(info.mode ?? 0);
  if (missing !== 0 && isShared && place.group !== "root") {
    return `${place.path} is closed to ${place.group} ` +
      `(mode ${octal(info.mode)}): chmod ${octal(place.mode)} ${place.path}`;
  }
  return undefined;
}

function octal(mode: number | null): string {
  return ((mode ?? 0) & 0o7777).toString(8).padStart(4, "0");
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Numbers of a place's owner and group. */
export function idsOf(
  place: Place,
  accounts: Accounts | null,
): { uid: number; gid: number } {
  if (accounts === null) return { uid: Deno.uid()!, gid: Deno.gid()! };
  const uid = place.owner === "root" ? 0 : accounts.roles.get(place.owner)!.uid;
  const gid = place.group === "root"
    ? 0
    : accounts.groups.get(place.group as SharedGroup) ??
      accounts.roles.get(place.group as RoleName)!.gid;
  return { uid, gid };
}
