/**
 * The one-shot process behind `bulkhead shred status` and `verify`: runs in
 * the spool's jail, reads the segments, prints JSON, ends.
 */
import { inspectErasure } from "./inspect_erasure.ts";

/** Runs `inspect-spool status | verify DIR SPENT-DIR`. */
export function main(args: readonly string[]): void {
  const [what, dir = "", spentDir = ""] = args;
  if (what !== "status" && what !== "verify") {
    throw new RangeError(`Cannot inspect: ${what} is no question`);
  }
  const isDeep = what === "verify";
  console.log(JSON.stringify(inspectErasure({ dir, spentDir, isDeep })));
}
