/** MTA-STS: the only role that speaks HTTPS, and it speaks nothing else. */
import { int, object, text, type z } from "../ipc/schema.ts";
import type { RoleManifest } from "../walls/manifest.ts";

/** sts's part of the configuration. */
export const stsPart = object({
  /** Directory of the policies. */
  dir: text({ min: 1, max: 4_096 }),
  /** Port of the policies' servers: 443, another one only in a laboratory. */
  port: int({ min: 1, max: 65_535 }),
  /** PEM of authorities beside the usual ones; or empty. */
  ca: text({ max: 1_048_576 }),
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
  instances: (site) => site.mtaSts ? 1 : 0,
  needs: (site) => ({
    read: [site.stsDir],
    write: [site.stsDir],
    connect: [{ host: "any-ipv4", port: site.stsPort }],
  }),
  heapMb: 128,
  openFiles: 1_024,
  part: stsPart,
  groups: [],
};
