/** Overwrites spent segments in place. */
import { int, object, text, type z } from "../ipc/schema.ts";
import type { RoleManifest } from "../walls/manifest.ts";

/** shred's part of the configuration. */
export const shredPart = object({
  /** Directory of the spent segments. */
  dir: text({ min: 1, max: 4_096 }),
  /**
   * Size of the file system's journal if it keeps copies of file contents
   * (ext4 mounted with data=journal); 0 if not.
   */
  journalBytes: int({ min: 0, max: 2 ** 40 }),
});

/** See {@link shredPart}. */
export type ShredPart = z.infer<typeof shredPart>;

/** The manifest. */
export const shredRole: RoleManifest = {
  name: "shred",
  job: "overwrites spent segments in place and reads them back",
  trust: 3,
  asks: [],
  listens: [],
  instances: () => 1,
  needs: (site) => ({
    read: [site.spentDir],
    write: [],
    // In place only: it makes, removes and renames nothing.
    overwrite: [site.spentDir],
    connect: [],
  }),
  heapMb: 128,
  openFiles: 256,
  part: shredPart,
  groups: [],
};
