/** The gate: what is known of clients, across processes and restarts. */
import { object, text, type z } from "../ipc/schema.ts";
import type { RoleManifest } from "../walls/manifest.ts";

/** gate's part of the configuration. */
export const gatePart = object({
  /** Directory of its database. */
  dir: text({ min: 1, max: 4_096 }),
});

/** See {@link gatePart}. */
export type GatePart = z.infer<typeof gatePart>;

/** The manifest. */
export const gateRole: RoleManifest = {
  name: "gate",
  job: "remembers clients: rates, lists, tables and verdicts",
  trust: 2,
  asks: ["dns"],
  listens: [],
  instances: () => 1,
  needs: (site) => ({
    read: [site.gateDir],
    write: [site.gateDir],
    connect: [],
  }),
  heapMb: 512,
  openFiles: 256,
  part: gatePart,
  groups: [],
};
