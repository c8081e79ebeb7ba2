/**
 * The one-shot process behind `bulkhead shred status` and `verify`, and
 * `bulkhead queue cat`: runs in the spool's jail, reads the segments, prints
 * JSON or a message, ends.
 */
import { printContent } from "./inspect_content.ts";
import { inspectErasure } from "./inspect_erasure.ts";

/** Runs `inspect-spool status | verify | cat DIR SPENT-DIR`. */
export async function main(args: readonly string[]): Promise<void> {
  const [what, dir = "", spentDir = ""] = args;
  if (what === "cat") return await printContent(dir);
  if (what !== "status" && what !== "verify") {
    throw new RangeError(`Cannot inspect: ${what} is no question`);
  }
  const isDeep = what === "verify";
  console.log(JSON.stringify(inspectErasure({ dir, spentDir, isDeep })));
}
