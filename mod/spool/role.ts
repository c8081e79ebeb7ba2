/** The spool: message contents, sealed, in segments. */
import { int, object, text, type z } from "../ipc/schema.ts";
import type { RoleManifest } from "../walls/manifest.ts";

/** spool's part of the configuration. */
export const spoolPart = object({
  /** Directory of the segments. */
  dir: text({ min: 1, max: 4_096 }),
  /** Directory of those that shred may overwrite. */
  spentDir: text({ min: 1, max: 4_096 }),
  /** Size of one segment file. */
  segmentBytes: int({ min: 65_536, max: 2 ** 30 }),
  /** Segments kept ready. */
  readySegments: int({ min: 1, max: 1_000 }),
  /** All segments together never grow beyond this. */
  maxBytes: int({ min: 65_536, max: 2 ** 45 }),
  /** Free space on the file system below which nothing is accepted. */
  minFreeBytes: int({ min: 0, max: 2 ** 45 }),
  /** As in shred's part: what the journal may keep of contents; 0 if nothing. */
  journalBytes: int({ min: 0, max: 2 ** 40 }),
});

/** See {@link spoolPart}. */
export type SpoolPart = z.infer<typeof spoolPart>;

/** The manifest. */
export const spoolRole: RoleManifest = {
  name: "spool",
  job: "keeps message contents, sealed, on disk",
  trust: 3,
  asks: ["shred"],
  listens: [],
  instances: () => 1,
  needs: (site) => ({
    read: [site.spoolDir, site.spentDir],
    write: [site.spoolDir, site.spentDir],
    connect: [],
    sys: ["statfs"],
  }),
  // Segments are read by the group and written by shred, see `disk.ts`.
  umask: 0o020,
  heapMb: 512,
  openFiles: 4_096,
  part: spoolPart,
  groups: ["content"],
};
