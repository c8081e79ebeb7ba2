/**
 * The queue's end of `bulkhead upgrade`, `backup`, `restore` and `verify`: one
 * verb a process, in the queue's jail.
 */
import { below, type Dirs, forgetCopy } from "./copies_io.ts";
import {
  forgetUpgrade,
  prepareUpgrade,
  switchUpgrade,
  undoUpgrade,
} from "./upgrade_io.ts";

/** Name below both directories of a copy that is tried and thrown away. */
const REHEARSAL = "rehearsal";

/** Runs one verb; the answer is of `care_ipc.ts`. */
export async function inspectCare(
  dirs: Dirs,
  args: readonly string[],
): Promise<unknown> {
  const [verb] = args;
  switch (verb) {
    case "rehearse":
      try {
        return await prepareUpgrade(dirs, { name: REHEARSAL });
      } finally {
        forgetCopy(below(dirs, REHEARSAL));
      }
    case "prepare":
      return await prepareUpgrade(dirs);
    case "switch":
      await switchUpgrade(dirs);
      return { did: "switched" };
    case "undo":
      return { did: await undoUpgrade(dirs) };
    case "forget":
      forgetUpgrade(dirs);
      return { did: "forgotten" };
    default:
      throw new RangeError(`Cannot inspect: ${verb} is no verb`);
  }
}
