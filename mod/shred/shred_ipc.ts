/** What shred answers: overwrite a spent segment, and prove it. */
import { call, contract } from "../ipc/call.ts";
import { int, object, token, z } from "../ipc/schema.ts";

/** shred's calls. */
export const shredContract = contract("shred", {
  /**
   * Overwrites `<segment>.seg` in the directory of spent segments.
   *
   * Answered when the octets are on disk, were read back, and nobody has the
   * file open any more. Asks are served one after the other: when this one is
   * answered, so is every earlier one for the segment, whoever asked it. The
   * file must lie there until then.
   */
  overwrite: call({
    from: ["spool"],
    withinMs: 600_000,
    ask: object({
      segment: token(/^(pool|big)-[0-9a-f]{16}$/, { max: 21 }),
      /** The file's size. */
      bytes: int({ min: 0, max: 2 ** 45 }),
      /** Rest after each MiB, in milliseconds, for those who wait for syncs. */
      restMs: int({ min: 0, max: 1_000 }),
    }),
    answer: object({
      /** Whether what was read back came from the disk itself. */
      readBack: z.enum(["disk", "page-cache"]),
    }),
    /**
     * - `failed`: it may be overwritten in part. It stays; an alarm is logged
     * - `unfit`: it could not be opened for writing; nothing was written
     */
    refuses: ["failed", "unfit"],
    repeatable: true,
  }),
});
