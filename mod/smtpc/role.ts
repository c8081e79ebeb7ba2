/** The SMTP client: hands messages to their next hops. */
import { PROFILES } from "../dane/profile.ts";
import { int, list, object, text, token, z } from "../ipc/schema.ts";
import type { RoleManifest } from "../walls/manifest.ts";

/** How one destination is dealt with; see `mod/config/destinations.ts`. */
export const destinationPart = object({
  /** `domain`, `.domain`, `*` or `host:port`. */
  name: text({ min: 1, max: 300 }),
  tls: z.enum(PROFILES).nullable(),
  match: list(text({ max: 255 }), { max: 16 }).nullable(),
  fingerprints: list(token(/^[0-9a-f]{64}$/, { max: 64 }), { max: 16 })
    .nullable(),
  /** Addresses to connect from, at most one of a family. */
  source: list(text({ max: 64 }), { max: 2 }).nullable(),
});

/** See {@link destinationPart}. */
export type DestinationPart = z.infer<typeof destinationPart>;

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
  /** True if the sts role is there to be asked. */
  mtaSts: z.boolean(),
  /** MX hosts and addresses tried in one attempt. */
  maxHosts: int({ min: 1, max: 100 }),
  /** The profile of destinations that say nothing else. */
  tls: z.enum(PROFILES),
  /** Names, and `.names`, of broken sites. */
  tlsExceptions: list(text({ min: 1, max: 255 }), { max: 1_000 }),
  /** PEM of all authorities; empty for the usual ones. */
  ca: text({ max: 4_194_304 }),
  destinations: list(destinationPart, { max: 10_000 }),
  /** Addresses to connect from, at most one of a family. */
  source: list(text({ max: 64 }), { max: 2 }),
  /** See `mod/config/filter_rule.ts`; the first that fits counts. */
  replyFilter: list(
    object({
      pattern: text({ min: 1, max: 200 }),
      code: int({ min: 200, max: 599 }),
      enhanced: token(/^[245]\.\d{1,3}\.\d{1,3}$/, { max: 9 }),
      text: text({ max: 300 }).nullable(),
    }),
    { max: 100 },
  ),
  /** Who we are at the one next hop that wants a login; never logged. */
  login: z.union([
    z.null(),
    object({
      host: text({ min: 1, max: 255 }),
      port: int({ min: 1, max: 65_535 }),
      user: text({ min: 1, max: 255 }),
      password: text({ min: 1, max: 1_000 }),
    }),
  ]),
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
    connectUnix: site.nextHopSockets,
    bind: site.sources,
  }),
  heapMb: 512,
  openFiles: 4_096,
  part: smtpcPart,
  groups: ["content"],
};
