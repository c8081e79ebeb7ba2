/** The SMTP server: speaks to the world, and to nobody else but by asking. */
import { int, object, text, z } from "../ipc/schema.ts";
import type { RoleManifest } from "../walls/manifest.ts";

/** smtpd's part of the configuration. */
export const smtpdPart = object({
  /** Our name, for the greeting and `Received`. */
  hostname: text({ min: 1, max: 255 }),
  maxMessageBytes: int({ min: 1_024, max: 2 ** 32 }),
  maxRecipients: int({ min: 100, max: 1_000 }),
  /** Received fields that a message may have; more is a loop. */
  hopLimit: int({ min: 10, max: 1_000 }),
  /** Whole time for one command line to arrive. */
  commandWithinMs: int({ min: 100, max: 3_600_000 }),
  /** Whole time for one message to arrive. */
  messageWithinMs: int({ min: 1_000, max: 86_400_000 }),
  /** Whole time for one session. */
  sessionWithinMs: int({ min: 1_000, max: 86_400_000 }),
  maxSessions: int({ min: 1, max: 100_000 }),
  maxSessionsPerClient: int({ min: 1, max: 100_000 }),
  /** PEM texts; null if TLS is off. */
  tls: z.union([
    z.null(),
    object({ cert: text({ max: 65_536 }), key: text({ max: 65_536 }) }),
  ]),
});

/** See {@link smtpdPart}. */
export type SmtpdPart = z.infer<typeof smtpdPart>;

/** The manifest. */
export const smtpdRole: RoleManifest = {
  name: "smtpd",
  job: "speaks SMTP with the world",
  trust: 0,
  asks: ["resolve", "spool", "queue"],
  listens: ["smtp"],
  instances: (site) => site.smtpdProcesses,
  // Nothing at all: its sockets are handed to it, open.
  needs: () => ({ read: [], write: [], connect: [] }),
  heapMb: 256,
  openFiles: 24_000,
  part: smtpdPart,
  groups: [],
};
