/** Says whether a login is who it says it is. */
import { int, object, text } from "../ipc/schema.ts";
import type { RoleManifest } from "../walls/manifest.ts";

/** auth's part of the configuration. */
export const authPart = object({
  /** The password file; its directory is all that the role can read. */
  file: text({ min: 1, max: 4_096 }),
  /** The domain of a login that names none. */
  defaultDomain: text({ min: 1, max: 255 }),
  /** Passwords hashed at once, each 32 MiB and one core for 0.2 s. */
  hashesAtOnce: int({ min: 1, max: 16 }),
});

/** The manifest. */
export const authRole: RoleManifest = {
  name: "auth",
  job: "checks passwords, which nobody else can read",
  trust: 3,
  asks: [],
  listens: [],
  instances: () => 1,
  needs: (site) => ({
    // The directory: the file in it is replaced, never written.
    read: [site.authDir],
    write: [],
    connect: [],
  }),
  // 100,000 logins take 110 MiB, and twice that while they are read anew.
  heapMb: 512,
  openFiles: 1_024,
  part: authPart,
  groups: [],
};
