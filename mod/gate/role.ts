/** The gate: what is known of clients, across processes and restarts. */
import { int, list, object, text, z } from "../ipc/schema.ts";
import type { RoleManifest } from "../walls/manifest.ts";

const action = z.enum(["ignore", "enforce", "drop"]);
const lifetimeMs = int({ min: 1_000, max: 31_536_000_000 });
const limit = int({ min: 0, max: 1_000_000 });
const prefix = int({ min: 8, max: 128 });

/** Text of a table's file, as the supervisor read it. */
const file = object({
  path: text({ max: 4_096 }),
  text: text({ max: 16 * 1024 * 1024 }),
});
const tables = list(file, { max: 8 });

/** gate's part of the configuration. */
export const gatePart = object({
  /** Directory of its database. */
  dir: text({ min: 1, max: 4_096 }),
  /** Networks without any test, and those that are refused. */
  allow: list(text({ max: 64 }), { max: 10_000 }),
  deny: list(text({ max: 64 }), { max: 10_000 }),
  /** Files with more of them; null if there is none. */
  allowFile: z.union([z.null(), file]),
  denyFile: z.union([z.null(), file]),
  /** Nothing but access tables refuses; what would have is recorded. */
  shadow: z.boolean(),
  denyAction: action,
  /** False if smtpd makes no such test. */
  testsGreeting: z.boolean(),
  dnsblSites: list(text({ max: 400 }), { max: 50 }),
  dnsblThreshold: int({ min: 1, max: 10_000 }),
  /** 0: nobody is allowed by it. */
  dnsblAllowThreshold: int({ min: -10_000, max: 0 }),
  dnsblWithinMs: int({ min: 100, max: 10_000 }),
  dnsblAction: action,
  greetPassesMs: lifetimeMs,
  dnsblPassesMs: lifetimeMs,
  deepPassesMs: lifetimeMs,
  maxClients: int({ min: 100, max: 300_000 }),
  keepVerdictsMs: lifetimeMs,
  maxVerdicts: int({ min: 100, max: 10_000_000 }),
  /** Limits per client and unit; 0 is none. */
  rates: object({
    unitMs: int({ min: 1_000, max: 86_400_000 }),
    concurrency: limit,
    connections: limit,
    messages: limit,
    recipients: limit,
    errors: limit,
    authFailures: limit,
    tlsHandshakes: limit,
    ipv4Prefix: prefix,
    ipv6Prefix: prefix,
  }),
  /** Null if it is not done. */
  greylist: z.union([
    z.null(),
    object({
      delayMs: int({ min: 1_000, max: 86_400_000 }),
      windowMs: int({ min: 1_000, max: 2_592_000_000 }),
      passesMs: lifetimeMs,
      /** 0: never. */
      clientsPassAfter: int({ min: 0, max: 1_000 }),
      ipv4Prefix: prefix,
      ipv6Prefix: prefix,
    }),
  ]),
  access: object({
    client: tables,
    helo: tables,
    sender: tables,
    recipient: tables,
  }),
  /** Characters that each start an extension of a local part. */
  recipientDelimiter: text({ max: 8 }),
  /** See `mod/core/ticket.ts`; empty: nobody signs in at the console. */
  consoleKey: text({ max: 64 }).default(""),
  /** The console may be told of people without a grant. */
  consoleOpen: z.boolean().default(false),
  /** Null if next hops are not asked. */
  verify: z.union([
    z.null(),
    object({ positiveMs: lifetimeMs, negativeMs: lifetimeMs }),
  ]),
});

/** See {@link gatePart}. */
export type GatePart = z.infer<typeof gatePart>;

/** The manifest. */
export const gateRole: RoleManifest = {
  name: "gate",
  job: "remembers clients: rates, lists, tables and verdicts",
  trust: 2,
  asks: ["dns", "resolve", "smtpc"],
  listens: [],
  instances: () => 1,
  needs: (site) => ({
    read: [site.gateDir],
    write: [site.gateDir],
    connect: [],
  }),
  heapMb: 768,
  openFiles: 256,
  part: gatePart,
  groups: [],
};
