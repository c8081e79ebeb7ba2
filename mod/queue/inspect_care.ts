/**
 * The queue's end of `bulkhead upgrade`, `backup`, `restore` and `verify`: one
 * verb a process, in the queue's jail.
 */
import {
  copyForBackup,
  keyedPage,
  stillThere,
  verifyDatabases,
} from "./backup_io.ts";
import { below, type Dirs, forgetCopy } from "./copies_io.ts";
import {
  forgetUpgrade,
  prepareUpgrade,
  switchUpgrade,
  undoUpgrade,
} from "./upgrade_io.ts";

/** Name below both directories of a copy that is tried and thrown away. */
const REHEARSAL = "rehearsal";

/** Messages in a page of keys. */
const KEYED_ROWS = 5_000;

/** Runs one verb; the answer is of `care_ipc.ts`. */
export async function inspectCare(
  dirs: Dirs,
  args: readonly string[],
): Promise<unknown> {
  const [verb, ...words] = args;
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
    case "copy":
      return await copyForBackup(dirs, nameIn(words[0]));
    case "forget-copy":
      forgetCopy(below(dirs, nameIn(words[0])));
      return { did: "forgotten" };
    case "keyed":
      return keyedPage(dirs.queue, Number(words[0]), KEYED_ROWS);
    case "still":
      return { ids: stillThere(dirs.queue, JSON.parse(words[0] ?? "[]")) };
    case "verify":
      return verifyDatabases(dirs);
    default:
      throw new RangeError(`Cannot inspect: ${verb} is no verb`);
  }
}

function nameIn(word: string | undefined): string {
  if (word !== undefined && /^[a-z0-9-]{1,40}$/.test(word)) return word;
  throw new RangeError(`Cannot copy: ${word} is no name`);
}
