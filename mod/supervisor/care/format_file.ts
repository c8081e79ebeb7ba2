/**
 * `HOME/format.json`: of what versions everything in a home is, and what was
 * made in it. Root's own file. It is written when a home is made, and by an
 * upgrade at the moment from which there is no way back; a home without it
 * comes from a program that knew of none.
 *
 * Places and roles are named one by one: so one that is missing because the
 * home is older is made, and one that is missing because somebody took it
 * away is told of.
 */
import { FORMAT_NAMES, FORMATS, type Formats } from "../../core/formats.ts";
import { VERSION } from "../../core/version.ts";
import { ROLE_NAMES } from "../../ipc/call.ts";
import { int, list, object, text, type z } from "../../ipc/schema.ts";
import { placesOf } from "../home.ts";
import type { Paths } from "../plan.ts";
import { isThere, replaceFile } from "../replace_file.ts";

const version = int({ min: 0, max: 1_000_000 });

/** Versions of all formats; a program that has more of them is a newer one. */
const versionsShape = object({
  home: version,
  config: version,
  queue: version,
  events: version,
  gate: version,
  keys: version,
  spool: version,
  sts: version,
});

// What a newer program adds must not keep an older one from seeing that it
// is newer, so this is the one shape that lets unknown fields pass.
const shape = object({
  versions: versionsShape.loose(),
  program: text({ max: 64 }),
  places: list(text({ max: 256 }), { max: 1_000 }),
  roles: list(text({ max: 64 }), { max: 1_000 }),
}).loose();

/** What the file says. */
export interface HomeFormat {
  readonly versions: Formats;
  /** Release of the program that wrote it. */
  readonly program: string;
  /** Of the tree, relative to the home. */
  readonly places: readonly string[];
  readonly roles: readonly string[];
}

/** A home of the first program. */
const OLDEST: HomeFormat = {
  versions: {
    home: 1,
    config: 1,
    queue: 1,
    events: 1,
    gate: 1,
    keys: 1,
    spool: 1,
    sts: 1,
  },
  program: "0.1.0 or older",
  places: [
    ...[".", "runtime", "run", "tls", "spool", "queue", "mail"],
    ...["mail/.sync", "users"],
  ],
  roles: [],
};

/** What was found. */
export type FoundFormat =
  | { readonly kind: "found"; readonly format: HomeFormat }
  /** No file: the oldest that there may be. */
  | { readonly kind: "none"; readonly format: HomeFormat }
  | { readonly kind: "unreadable"; readonly why: string };

/** How a home's format stands to this program. */
export type Standing =
  | { readonly kind: "same" }
  /** What is to be done, in words. */
  | { readonly kind: "older"; readonly what: readonly string[] }
  | { readonly kind: "newer"; readonly what: readonly string[] };

/** Path of the file. */
export function formatPath(home: string): string {
  return `${home}/format.json`;
}

/** Reads a home's format. */
export function readFormat(home: string): FoundFormat {
  let found: unknown;
  try {
    found = JSON.parse(Deno.readTextFileSync(formatPath(home)));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) {
      return { kind: "none", format: OLDEST };
    }
    return { kind: "unreadable", why: (error as Error).message };
  }
  return parseFormat(found);
}

/** The same from a value, as a backup's manifest has it. */
export function parseFormat(value: unknown): FoundFormat {
  const read = shape.safeParse(value);
  if (!read.success) {
    return { kind: "unreadable", why: "it is not what a format file is" };
  }
  return { kind: "found", format: read.data as z.infer<typeof shape> };
}

/** The format that this program makes. */
export function ownFormat(paths: Paths): HomeFormat {
  return {
    versions: FORMATS,
    program: VERSION,
    places: placesOf(paths).map(({ path }) => placeName(path, paths)),
    roles: [...ROLE_NAMES],
  };
}

/** A place's name in the file: relative, and the same in every home. */
function placeName(path: string, { home, runDir }: Paths): string {
  if (path === home) return ".";
  // A long home has it elsewhere; see `plan.ts`.
  if (path === runDir) return "run";
  return path.startsWith(`${home}/`) ? path.slice(home.length + 1) : path;
}

/** Writes this program's format. Root's word that all of it is there. */
export function writeFormat(paths: Paths): void {
  replaceFile(
    formatPath(paths.home),
    `${JSON.stringify(ownFormat(paths), null, 2)}\n`,
    0o644,
  );
}

/**
 * The same for a home that was just made; one in which something lies already
 * is left to the upgrade that a start makes.
 */
export function writeFormatOfNew(paths: Paths): void {
  const isOld = isThere(formatPath(paths.home)) ||
    isThere(`${paths.queueDir}/queue.db`) || isThere(`${paths.queueDir}/keys`);
  if (!isOld) writeFormat(paths);
}

/** Compares a home's format with this program's. */
export function standingOf(found: HomeFormat, paths: Paths): Standing {
  const own = ownFormat(paths);
  const newer = [
    ...FORMAT_NAMES.filter((name) => found.versions[name] > FORMATS[name])
      .map((name) =>
        `${name} ${found.versions[name]}, known up to ${FORMATS[name]}`
      ),
    ...Object.keys(found.versions).filter((name) => !(name in FORMATS)),
  ];
  if (newer.length > 0) return { kind: "newer", what: newer };
  const missing = (mine: readonly string[], theirs: readonly string[]) =>
    mine.filter((one) => !theirs.includes(one));
  const older = [
    ...FORMAT_NAMES.filter((name) => found.versions[name] < FORMATS[name])
      .map((name) => `${name} ${found.versions[name]} to ${FORMATS[name]}`),
    ...missing(own.places, found.places).map((name) => `make ${name}`),
    ...missing(own.roles, found.roles).map((name) => `role ${name}`),
  ];
  return older.length > 0 ? { kind: "older", what: older } : { kind: "same" };
}

/** Why a home that is newer than this program is left alone. */
export function newerFault(home: string, found: HomeFormat): string {
  return `${home} was last used by bulkhead ${found.program}, and what lies ` +
    "there is of a newer form than this program, " + VERSION +
    ", knows. Nothing was changed. Start the newer program again; or, to go " +
    "back for good, restore a backup that was made before the upgrade " +
    "(`bulkhead restore`)";
}
