/**
 * The SMTP server: speaks to the world, and to nobody else but by asking. It is
 * two roles: smtpd on port 25 and submission.
 */
import { int, list, object, text, z } from "../ipc/schema.ts";
import type { RoleManifest } from "../walls/manifest.ts";

/** As `mod/core/network.ts` reads it. */
const network = text({ min: 1, max: 64 });

/** What a failed test leads to, see `screening.ts`. */
const consequence = z.enum(["ignore", "enforce", "drop"]);

/** smtpd's part of the configuration. */
export const smtpdPart = object({
  /** Our name, for the greeting and `Received`. */
  hostname: text({ min: 1, max: 255 }),
  maxMessageBytes: int({ min: 1_024, max: 2 ** 32 }),
  maxRecipients: int({ min: 100, max: 1_000 }),
  /** Received fields that a message may have; more is a loop. */
  hopLimit: int({ min: 10, max: 1_000 }),
  /** The queue is told words of subjects, see `core/intake.ts`. */
  tellsSubjectWords: z.boolean().default(true),
  /** Whole time for one command line to arrive. */
  commandWithinMs: int({ min: 100, max: 3_600_000 }),
  /** Whole time for one message to arrive. */
  messageWithinMs: int({ min: 1_000, max: 86_400_000 }),
  /** Whole time for one session. */
  sessionWithinMs: int({ min: 1_000, max: 86_400_000 }),
  maxSessions: int({ min: 1, max: 100_000 }),
  maxSessionsPerClient: int({ min: 1, max: 100_000 }),
  /** Least speed of a message, in octets a second; 0 for none. */
  minDataRate: int({ min: 0, max: 2 ** 20 }),
  /** Networks whose connections begin with a PROXY header. */
  proxyFrom: list(network, { max: 100 }),
  /** Networks whose clients may use XCLIENT. */
  xclientFrom: list(network, { max: 100 }),
  screening: object({
    /** Clients that are not screened and not counted. */
    trusted: list(network, { max: 1_000 }),
    /** The gate has access tables: all are judged, and silence is no yes. */
    hasTables: z.boolean(),
    /** Everything is told to the gate, and nothing done. */
    shadow: z.boolean(),
    /** Longest wait before the greeting; 0 for none. */
    greetWaitMs: int({ min: 0, max: 30_000 }),
    greetAction: consequence,
    deepAction: consequence,
  }),
  /** PEM texts; null if TLS is off. */
  tls: z.union([
    z.null(),
    object({ cert: text({ max: 65_536 }), key: text({ max: 65_536 }) }),
  ]),
});

/** See {@link smtpdPart}. */
export type SmtpdPart = z.infer<typeof smtpdPart>;

/** The manifest of smtpd. */
export const smtpdRole: RoleManifest = {
  name: "smtpd",
  job: "speaks SMTP with the world",
  trust: 0,
  asks: ["resolve", "spool", "queue", "gate"],
  listens: ["smtp"],
  instances: (site) => site.smtpdProcesses,
  // Nothing at all: its sockets are handed to it, open.
  needs: () => ({ read: [], write: [], connect: [] }),
  heapMb: 256,
  // A stranger who pipelines as fast as he can fills it.
  youngMb: 2,
  openFiles: 24_000,
  part: smtpdPart,
  groups: [],
};

/** submission's part of the configuration: smtpd's, and a little more. */
export const submissionPart = smtpdPart.extend({
  /** `Received` does not tell the client's address and name. */
  hideClient: z.boolean(),
  /** Offers SCRAM-SHA-256-PLUS. */
  channelBinding: z.boolean(),
});

/** See {@link submissionPart}. */
export type SubmissionPart = z.infer<typeof submissionPart>;

/**
 * The manifest of submission (RFC 6409), which is this code with another part
 * in a process and under a user of its own: it alone has an edge to auth, and
 * may ask resolve to relay.
 */
export const submissionRole: RoleManifest = {
  ...smtpdRole,
  name: "submission",
  job: "takes mail from this server's own users",
  asks: ["resolve", "spool", "queue", "gate", "auth"],
  // STARTTLS; TLS from the first octet (RFC 8314 §3).
  listens: ["submission", "submissions"],
  instances: () => 1,
  part: submissionPart,
};
