/** The way in for this machine's own users: reads what `sendmail` dropped. */
import { int, list, object, text, token, z } from "../ipc/schema.ts";
import type { RoleManifest } from "../walls/manifest.ts";

/** pickup's part of the configuration. */
export const pickupPart = object({
  /** Our name, for `Received` and `Message-ID`. */
  hostname: text({ min: 1, max: 255 }),
  /** The domain of a submitter's own address. */
  origin: text({ min: 1, max: 255 }),
  dir: text({ min: 1, max: 4_096 }),
  maxMessageBytes: int({ min: 1_024, max: 2 ** 32 }),
  /** Received fields that a message may have; more is a loop. */
  hopLimit: int({ min: 10, max: 1_000 }),
  /** The queue is told words of subjects. */
  tellsSubjectWords: z.boolean(),
  /** Users of this machine by number, for names in `Received` and the log. */
  users: list(
    object({
      uid: int({ min: 0, max: 2 ** 32 - 1 }),
      name: token(/^[A-Za-z0-9_][A-Za-z0-9_.-]*$/, { max: 64 }),
    }),
    { max: 5_000 },
  ),
  /** Names and numbers of those who may submit; empty for everybody. */
  allowed: list(text({ min: 1, max: 64 }), { max: 1_000 }),
});

/** See {@link pickupPart}. */
export type PickupPart = z.infer<typeof pickupPart>;

/** The manifest. */
export const pickupRole: RoleManifest = {
  name: "pickup",
  job: "takes mail from this machine's own users, out of the drop directory",
  trust: 0,
  asks: ["spool", "queue"],
  listens: [],
  instances: () => 1,
  // It removes what it took, and can neither make nor write a file there.
  needs: (site) => ({
    read: [site.dropDir],
    write: [],
    remove: [site.dropDir],
    connect: [],
  }),
  wokenBy: (site) => site.dropDir,
  // A limit and no use: a million names, which only malice makes, need 460.
  heapMb: 768,
  youngMb: 2,
  openFiles: 256,
  part: pickupPart,
  groups: [],
};
