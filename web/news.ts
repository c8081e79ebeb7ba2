/**
 * What the supervisor tells the console: `news` every second, `facts` when
 * they change. Shapes only; the supervisor makes them, the console checks them.
 */
import { int, list, object, text, z } from "../mod/ipc/schema.ts";

const time = int({ min: 0, max: 2 ** 50 });
const octets = int({ min: 0, max: 2 ** 60 });

/** Told every second. */
export const news = object({
  pid: int({ min: 1, max: 2 ** 31 }),
  startedMs: time,
  ready: z.boolean(),
  hostname: text({ max: 255 }),
  version: text({ max: 40 }),
  /** The supervisor's own, as a role's. */
  memoryBytes: octets.optional(),
  roles: list(
    object({
      instance: text({ max: 64 }),
      state: text({ max: 16 }),
      pid: z.union([z.null(), int({ min: 1, max: 2 ** 31 })]),
      restarts: int({ min: 0, max: 2 ** 40 }),
      upMs: time,
      /** Ends by an error of its own. */
      errors: int({ min: 0, max: 2 ** 40 }).optional(),
      /** Lines of its log that are more than notices. */
      logged: object({
        error: int({ min: 0, max: 2 ** 50 }),
        warning: int({ min: 0, max: 2 ** 50 }),
      }).optional(),
      /** Proportional set size, of some seconds ago; 0 if it is not known. */
      memoryBytes: octets,
      counters: z.record(text({ max: 40 }), int({ min: 0, max: 2 ** 50 })),
    }),
    { max: 256 },
  ),
});

/** See {@link news}. */
export type News = z.infer<typeof news>;

/** How a drill went. */
export const drillFacts = object({
  atMs: time,
  tookMs: time,
  version: text({ max: 40 }),
  acts: int({ min: 0, max: 2 ** 30 }),
  denied: int({ min: 0, max: 2 ** 30 }),
  /** By the wall that denied: `deno`, `landlock`, `seccomp`, `user` ... */
  byWall: z.record(text({ max: 40 }), int({ min: 0, max: 2 ** 30 })),
  byRole: list(
    object({
      role: text({ max: 64 }),
      acts: int({ min: 0, max: 2 ** 30 }),
      denied: int({ min: 0, max: 2 ** 30 }),
    }),
    { max: 64 },
  ),
  /** Acts that succeeded, a sentence each. */
  succeeded: list(text({ max: 400 }), { max: 100 }),
});

/** Told at the start, and again when something of it changed. */
export const facts = object({
  /** Each role's manifest, and the walls that it became. */
  manifests: list(
    object({
      name: text({ max: 64 }),
      job: text({ max: 400 }),
      trust: int({ min: 0, max: 9 }),
      user: text({ max: 64 }),
      asks: list(text({ max: 64 }), { max: 64 }),
      answers: list(text({ max: 64 }), { max: 64 }),
      listens: list(text({ max: 300 }), { max: 64 }),
      reads: list(text({ max: 4_096 }), { max: 64 }),
      writes: list(text({ max: 4_096 }), { max: 64 }),
      connects: list(text({ max: 300 }), { max: 256 }),
      /** Deno's flags, as the process has them. */
      flags: list(text({ max: 4_096 }), { max: 256 }),
      /** What the kernel enforces, a sentence each: Landlock, seccomp, user. */
      walls: list(text({ max: 400 }), { max: 32 }),
    }),
    { max: 64 },
  ),
  /** The last drill on this home; null if there was none. */
  drill: z.union([
    z.null(),
    drillFacts,
  ]),
  certificates: list(
    object({
      /** Where it is used: `smtp`, `console`. */
      use: text({ max: 64 }),
      file: text({ max: 4_096 }),
      names: list(text({ max: 255 }), { max: 100 }),
      issuer: text({ max: 400 }),
      isSelfSigned: z.boolean(),
      notBeforeMs: int({ min: -(2 ** 50), max: 2 ** 50 }),
      notAfterMs: int({ min: -(2 ** 50), max: 2 ** 50 }),
    }),
    { max: 32 },
  ),
  /** What an overwrite is worth where mail waits, a sentence a directory. */
  erasure: list(
    object({ path: text({ max: 4_096 }), says: text({ max: 1_000 }) }),
    { max: 16 },
  ),
  disks: list(
    object({ path: text({ max: 4_096 }), freeBytes: octets, allBytes: octets }),
    { max: 16 },
  ),
  /** Backups and upgrades of this home, newest first. */
  care: list(
    object({ atMs: time, what: text({ max: 40 }), says: text({ max: 400 }) }),
    { max: 20 },
  ),
  /** What somebody should look at, in plain words. */
  warnings: list(text({ max: 1_000 }), { max: 100 }),
});

/** See {@link facts}. */
export type Facts = z.infer<typeof facts>;

const total = int({ min: 0, max: 2 ** 50 });

/** What flowed in one minute. */
export const flowSample = object({
  /** Its begin. */
  atMs: time,
  accepted: total,
  delivered: total,
  deferred: total,
  bounced: total,
  refused: total,
  /** From arrival to delivery, of those delivered in it; 0 if none was. */
  delayP50Ms: total,
  delayP95Ms: total,
});

/** See {@link flowSample}. */
export type FlowSample = z.infer<typeof flowSample>;

/** One message of the supervisor to the console. */
export const told = z.union([
  object({ news }),
  object({ facts }),
  /** The last hour, a minute each, oldest first. */
  object({ flow: list(flowSample, { max: 60 }) }),
]);

/** Whose process it is: `smtpd.0` is of `smtpd`. */
export function roleOf({ instance }: { readonly instance: string }): string {
  return instance.split(".")[0]!;
}

/** True if a process answers, or rests until it is wanted. */
export function isWell({ state }: { readonly state: string }): boolean {
  return state === "ready" || state === "resting";
}
