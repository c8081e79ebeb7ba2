/** MTA-STS: the only role that speaks HTTPS, and it speaks nothing else. */
import { object, text, type z } from "../ipc/schema.ts";
import type { RoleManifest } from "../walls/manifest.ts";

/** sts's part of the configuration. */
export const stsPart = object({
  hostname: text({ min: 1, max: 255 }),
});

/** See {@link stsPart}. */
export type StsPart = z.infer<typeof stsPart>;

/** The manifest. */
export const stsRole: RoleManifest = {
  name: "sts",
  job: "fetches the MTA-STS policies of other domains",
  trust: 0,
  asks: ["dns"],
  listens: [],
  instances: () => 1,
  needs: () => ({
    read: [],
    write: [],
    connect: [{ host: "any-ipv4", port: 443 }],
  }),
  heapMb: 128,
  openFiles: 256,
  part: stsPart,
  groups: [],
};
