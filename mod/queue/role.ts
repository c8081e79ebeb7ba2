/** The queue: envelopes, keys, the scheduler, bounces. */
import { address } from "../core/shapes.ts";
import { int, list, object, text, z } from "../ipc/schema.ts";
import type { RoleManifest } from "../walls/manifest.ts";

/** queue's part of the configuration. */
export const queuePart = object({
  hostname: text({ min: 1, max: 255 }),
  /** Directory of the database and the key file. */
  dir: text({ min: 1, max: 4_096 }),
  /** Directory of the history. */
  eventsDir: text({ min: 1, max: 4_096 }),
  /** First retry after this, then growing by half up to `maxRetryMs`. */
  firstRetryMs: int({ min: 100, max: 86_400_000 }),
  maxRetryMs: int({ min: 100, max: 604_800_000 }),
  /** A message older than this is bounced. */
  expireMs: int({ min: 1_000, max: 8_640_000_000 }),
  /** The sender of a message older than this is told; 0: of none. */
  delayWarningMs: int({ min: 0, max: 8_640_000_000 }).default(0),
  /** Delivery jobs at once, in all and to one destination. */
  maxJobs: int({ min: 1, max: 2_000 }),
  maxJobsPerDestination: int({ min: 1, max: 2_000 }),
  /** What `[destinations]` says of some; null is: as for all. */
  destinations: list(
    object({
      name: text({ min: 1, max: 300 }),
      maxSessions: int({ min: 1, max: 2_000 }).nullable(),
      intervalMs: int({ min: 1, max: 3_600_000 }).nullable(),
    }),
    { max: 10_000 },
  ).default([]),
  /** Jobs at once for the Maildir role; many, so that it can sync in batches. */
  maxLocalJobs: int({ min: 1, max: 2_000 }).default(512),
  /** Messages held in memory at once. */
  maxActive: int({ min: 10, max: 1_000_000 }),
  /** Messages in the queue; beyond it `full`. */
  maxMessages: int({ min: 10, max: 100_000_000 }),
  /** Events older than this are deleted. */
  keepEventsMs: int({ min: 1_000, max: 31_536_000_000 }),
  /** Octets that the history's database may use; the oldest events go. */
  maxEventsBytes: int({ min: 65_536, max: 2 ** 50 }),
  /** Messages are found by words of their subjects. */
  subjectWords: z.boolean().default(true),
  /** Addresses of finished messages are gone from the database after this. */
  forgetWithinMs: int({ min: 1_000, max: 86_400_000 }),
  /**
   * Disk space set aside, so that outcomes can still be recorded when the disk
   * is full: the file `reserve` beside the database, of at most 16 MiB.
   */
  minFreeBytes: int({ min: 0, max: 2 ** 45 }),
  /** See `mod/core/ticket.ts`; empty: nobody signs in at the console. */
  consoleKey: text({ max: 64 }).default(""),
  /** The console may be told of people without a grant. */
  consoleOpen: z.boolean().default(false),
  /**
   * The server is tried after an upgrade, which may be undone as long as
   * nothing was accepted or delivered: so nothing is.
   */
  isTrial: z.boolean().default(false),
  /** TLS reports: who sends them, and how often; null if nobody does. */
  tlsReports: z.union([
    z.null(),
    object({ from: address, everyMs: int({ min: 1_000, max: 86_400_000 }) }),
  ]).default(null),
});

/** See {@link queuePart}. */
export type QueuePart = z.infer<typeof queuePart>;

/** The manifest. */
export const queueRole: RoleManifest = {
  name: "queue",
  job: "keeps envelopes and keys, and decides what is delivered when",
  trust: 4,
  asks: ["resolve", "spool", "maildir", "smtpc", "dns"],
  listens: [],
  instances: () => 1,
  needs: (site) => ({
    read: [site.queueDir, site.eventsDir],
    write: [site.queueDir, site.eventsDir],
    connect: [],
  }),
  heapMb: 1_024,
  openFiles: 1_024,
  part: queuePart,
  groups: [],
};
