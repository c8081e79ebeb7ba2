/** The SMTP client: hands messages to their next hops. */
import { int, object, text, z } from "../ipc/schema.ts";
import type { RoleManifest } from "../walls/manifest.ts";

/** smtpc's part of the configuration. */
export const smtpcPart = object({
  /** Our name in EHLO. */
  hostname: text({ min: 1, max: 255 }),
  spoolDir: text({ min: 1, max: 4_096 }),
  /** Port of MX hosts: 25, another one only in a laboratory. */
  port: int({ min: 1, max: 65_535 }),
  connectWithinMs: int({ min: 100, max: 600_000 }),
  /** Whole time for one reply. */
  replyWithinMs: int({ min: 100, max: 3_600_000 }),
  /** True if the dial role is there to open IPv6 connections. */
  ipv6: z.boolean(),
  /** MX hosts and addresses tried in one attempt. */
  maxHosts: int({ min: 1, max: 100 }),
});

/** See {@link smtpcPart}. */
export type SmtpcPart = z.infer<typeof smtpcPart>;

/** The manifest. */
export const smtpcRole: RoleManifest = {
  name: "smtpc",
  job: "hands messages to other mail servers",
  trust: 0,
  asks: ["dns", "dial", "sts"],
  listens: [],
  instances: () => 1,
  needs: (site) => ({
    read: [site.spoolDir],
    write: [],
    connect: [{ host: "any-ipv4", port: site.outboundPort }, ...site.nextHops],
  }),
  heapMb: 512,
  openFiles: 4_096,
  part: smtpcPart,
  groups: ["content"],
};
