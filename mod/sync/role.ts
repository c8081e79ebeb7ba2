/** The one system call that Deno lacks: syncfs(2) on the mail directory. */
import { object, text, type z } from "../ipc/schema.ts";
import type { RoleManifest } from "../walls/manifest.ts";

/** sync's part of the configuration. */
export const syncPart = object({
  /** A readable file on the file system to be synced: `mail/.sync`. */
  file: text({ min: 1, max: 4_096 }),
  libc: text({ min: 1, max: 4_096 }),
});

/** See {@link syncPart}. */
export type SyncPart = z.infer<typeof syncPart>;

/** The manifest. */
export const syncRole: RoleManifest = {
  name: "sync",
  job: "syncs the mail directory's file system for maildir",
  trust: 3,
  asks: [],
  listens: [],
  instances: () => 1,
  needs: (site) => ({
    read: [`${site.mailDir}/.sync`],
    write: [],
    connect: [],
  }),
  ffi: (site) => ({
    library: site.libc,
    why: "syncfs(2) is not in Deno; it takes one byte and answers one",
  }),
  restsWith: "maildir",
  heapMb: 64,
  openFiles: 256,
  part: syncPart,
  groups: [],
};
