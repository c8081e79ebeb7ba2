/** The resolver: recipient -> mailboxes and next hops. */
import { int, list, object, text, z } from "../ipc/schema.ts";
import { domain, hostHop, mailbox, unixHop } from "../core/shapes.ts";
import type { RoleManifest } from "../walls/manifest.ts";

const routeHop = z.union([
  hostHop,
  unixHop,
  /** The MX hosts of the recipient's own domain. */
  object({ kind: z.literal("mx") }),
]);

/** resolve's part of the configuration. */
export const resolvePart = object({
  hostname: text({ min: 1, max: 255 }),
  /** Domains whose mail ends here. */
  localDomains: list(domain, { max: 10_000 }),
  mailboxes: list(mailbox, { max: 100_000 }),
  /**
   * Aliases: `local@domain`, or `local` for every local domain, or `@domain`
   * for a catch-all; and their targets, each an address or a bare local part.
   */
  aliases: list(
    object({
      name: text({ min: 1, max: 320 }),
      targets: list(text({ min: 1, max: 320 }), { min: 1, max: 1_000 }),
    }),
    { max: 100_000 },
  ),
  /** Characters that each start an extension, such as `+-`; may be empty. */
  recipientDelimiter: text({ max: 8 }),
  /** Who gets mail for `postmaster` and `abuse` if nothing else says. */
  postmaster: z.union([z.null(), mailbox]),
  /**
   * Next hops by domain, looked for in this order: the domain itself, the
   * nearest `.domain` above it, `*`. Without one: the domain's MX hosts.
   */
  routes: list(
    object({ domain: text({ min: 1, max: 255 }), nextHop: routeHop }),
    { max: 10_000 },
  ),
  /**
   * Domains that strangers may send to, beside the local ones; `.domain` is
   * every domain below it, and not itself.
   */
  relayDomains: list(domain, { max: 10_000 }),
  maxTargets: int({ min: 1, max: 1_000 }),
});

/** See {@link resolvePart}. */
export type ResolvePart = z.infer<typeof resolvePart>;

/** The manifest. */
export const resolveRole: RoleManifest = {
  name: "resolve",
  job: "says where mail for an address goes",
  trust: 2,
  asks: [],
  listens: [],
  instances: () => 1,
  needs: () => ({ read: [], write: [], connect: [] }),
  heapMb: 256,
  openFiles: 1_024,
  part: resolvePart,
  groups: [],
};
