/**
 * `HOME/upgrade.json`: an upgrade that may still be undone, and what that
 * takes. Written before the first change and removed after the last thing that
 * was kept is gone. Its stage says whether the way back is still open.
 */
import { int, list, object, text, z } from "../../ipc/schema.ts";
import { replaceFile, syncPath } from "../replace_file.ts";

const id = int({ min: 0, max: 2 ** 32 });

const shape = object({
  /**
   * `trial`: nothing was accepted or delivered, so all of it may be undone.
   * `well`: there is no way back, and what was kept for it may go.
   */
  stage: z.enum(["trial", "well"]),
  /** The directory `spool` and the files in it, where those are moved. */
  spool: object({
    uid: id,
    gid: id,
    mode: int({ min: 0, max: 0o7777 }),
    files: list(text({ max: 256 }), { max: 1_000_000 }),
  }).nullable(),
});

/** What it holds. */
export type UpgradeJournal = z.infer<typeof shape>;

/** Its path. */
export function journalPath(home: string): string {
  return `${home}/upgrade.json`;
}

/** Root's own files as they were: `users`, as long as they may be needed. */
export function keptDir(home: string): string {
  return `${home}/before`;
}

/**
 * Reads it; undefined if no upgrade is under way.
 *
 * @throws {Error} If it is not what this program writes
 */
export function readJournal(home: string): UpgradeJournal | undefined {
  let written: string;
  try {
    written = Deno.readTextFileSync(journalPath(home));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
  const read = shape.safeParse(JSON.parse(written));
  if (read.success) return read.data;
  throw new Error(
    `${journalPath(home)} is of an upgrade that another program began: start ` +
      "that program again, and it ends or undoes it",
  );
}

/** Writes it, synced. */
export function writeJournal(home: string, journal: UpgradeJournal): void {
  replaceFile(journalPath(home), JSON.stringify(journal), 0o600);
}

/** The upgrade is over, one way or the other. */
export function removeJournal(home: string): void {
  Deno.removeSync(journalPath(home));
  syncPath(home);
}
