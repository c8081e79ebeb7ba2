/**
 * The one-shot process behind `bulkhead shred status` and `verify`, and
 * `bulkhead queue cat`: runs in the spool's jail, reads the segments, prints
 * JSON or a message, ends.
 */
import { contentsAsk } from "./care_ipc.ts";
import { printContent } from "./inspect_content.ts";
import { inspectContents } from "./inspect_contents.ts";
import { inspectErasure } from "./inspect_erasure.ts";

/**
 * Runs `inspect-spool status | verify | cat | contents DIR SPENT-DIR`. For the
 * last, standard input has messages and keys, as `care_ipc.ts` says.
 */
export async function main(args: readonly string[]): Promise<void> {
  const [what, dir = "", spentDir = ""] = args;
  if (what === "cat") return await printContent(dir);
  if (what === "contents") {
    const asked = await new Response(Deno.stdin.readable).json();
    console.log(JSON.stringify(inspectContents(dir, contentsAsk.parse(asked))));
    return;
  }
  if (what !== "status" && what !== "verify") {
    throw new RangeError(`Cannot inspect: ${what} is no question`);
  }
  const isDeep = what === "verify";
  console.log(JSON.stringify(inspectErasure({ dir, spentDir, isDeep })));
}
