/** DNS: the only role that reads what name servers say. */
import { int, list, object, text, type z } from "../ipc/schema.ts";
import type { RoleManifest } from "../walls/manifest.ts";

/** dns's part of the configuration. */
export const dnsPart = object({
  /** The system's name servers. */
  nameservers: list(text({ max: 45 }), { max: 8 }),
  withinMs: int({ min: 100, max: 60_000 }),
});

/** See {@link dnsPart}. */
export type DnsPart = z.infer<typeof dnsPart>;

/** The manifest. */
export const dnsRole: RoleManifest = {
  name: "dns",
  job: "asks the system's name servers",
  trust: 0,
  asks: [],
  listens: [],
  instances: () => 1,
  needs: (site) => ({
    read: [],
    write: [],
    connect: site.nameservers.map((host) => ({ host, port: 53 })),
    udp: true,
  }),
  heapMb: 128,
  openFiles: 1_024,
  part: dnsPart,
  groups: [],
};
