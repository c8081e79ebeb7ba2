/** DNS: the only role that reads what name servers say. */
import { int, list, object, text, token, z } from "../ipc/schema.ts";
import type { RoleManifest } from "../walls/manifest.ts";

/** dns's part of the configuration. */
export const dnsPart = object({
  /** Forwarders: the system's name servers, or those configured. */
  nameservers: list(text({ max: 45 }), { max: 8 }),
  /** 53 outside of laboratories. */
  port: int({ min: 1, max: 65_535 }),
  /** Whole time for one question. */
  withinMs: int({ min: 100, max: 60_000 }),
  resolve: z.enum(["auto", "forward", "recurse"]),
  /** Addresses of forwarders whose AD bit is believed. */
  trustedServers: list(text({ max: 45 }), { max: 8 }),
  validate: z.boolean(),
  /** DS records with their zones, see `anchors.ts`, beside the root's own. */
  trustAnchors: list(
    token(/^[!-~]+ DS( [0-9]{1,5}){3} [0-9a-f]+$/, { max: 1_000 }),
    {
      max: 32,
    },
  ),
  /** Taken unchecked, with all below. */
  unsignedDomains: list(text({ max: 255 }), { max: 100 }),
  /** IPv4 addresses of the root's servers; none: those built in. */
  rootHints: list(text({ max: 15 }), { max: 32 }),
  minTtlS: int({ min: 0, max: 3_600 }),
  maxTtlS: int({ min: 1, max: 604_800 }),
  maxNegativeTtlS: int({ min: 1, max: 86_400 }),
  cacheBytes: int({ min: 65_536, max: 2 ** 26 }),
});

/** See {@link dnsPart}. */
export type DnsPart = z.infer<typeof dnsPart>;

/** The manifest. */
export const dnsRole: RoleManifest = {
  name: "dns",
  job: "asks name servers, and checks what they sign",
  trust: 0,
  asks: [],
  listens: [],
  instances: () => 1,
  needs: (site) => ({
    read: [],
    write: [],
    connect: [
      ...site.nameservers.map((host) => ({ host, port: site.dnsPort })),
      // Name servers of the whole world, by their one port. Deno's flags know
      // no IPv6 range, so these are asked by IPv4 alone.
      ...site.dnsRecurses
        ? [{ host: "any-ipv4", port: site.dnsPort }] as const
        : [],
    ],
    udp: true,
  }),
  heapMb: 128,
  openFiles: 1_024,
  part: dnsPart,
  groups: [],
};
