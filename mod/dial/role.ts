/**
 * Opens IPv6 connections for smtpc. Deno's flags have no IPv6 ranges, so that
 * smtpc itself could not be allowed "any host, port 25" without "any port".
 */
import { int, list, object, text, type z } from "../ipc/schema.ts";
import type { RoleManifest } from "../walls/manifest.ts";

/** dial's part of the configuration. */
export const dialPart = object({
  libc: text({ min: 1, max: 4_096 }),
  connectWithinMs: int({ min: 100, max: 600_000 }),
  /** Ports that it connects to; Landlock knows the same list. */
  port: int({ min: 1, max: 65_535 }),
  /** Addresses of ours that may be asked for to connect from. */
  sources: list(text({ min: 2, max: 45 }), { max: 20_002 }),
});

/** See {@link dialPart}. */
export type DialPart = z.infer<typeof dialPart>;

/** The manifest. */
export const dialRole: RoleManifest = {
  name: "dial",
  job: "opens IPv6 connections for smtpc",
  trust: 1,
  asks: [],
  listens: [],
  instances: (site) => site.ipv6 ? 1 : 0,
  // No host for Deno's wall, which cannot name them: the kernel's walls hold
  // the port, and the role calls libc and not Deno.
  needs: (site) => ({
    read: [],
    write: [],
    connect: [],
    kernelConnect: [site.outboundPort],
    kernelBind: site.sources.some((one) => one.includes(":")),
  }),
  ffi: (site) => ({
    library: site.libc,
    why: "Deno's flags cannot name a range of IPv6 addresses at one port",
  }),
  restsWith: "smtpc",
  heapMb: 128,
  openFiles: 1_024,
  part: dialPart,
  groups: [],
};
