/**
 * `bulkhead queue cat`: a waiting message as it is, for the administrator.
 *
 * Three compartments take part, none of which could do it alone: the queue
 * writes into its history that the message was read, its jail gives the key,
 * and the spool's jail opens the record. So no reading is secret, and root
 * parses nothing of the content.
 */
import { QUEUE_ID_PATTERN } from "../../core/ids.ts";
import { asQueueId } from "../../core/sought_word.ts";
import { visible } from "../../core/visible.ts";
import { keyFound, ordering } from "../../queue/inspect_ipc.ts";
import { newOrder } from "../../queue/order_ipc.ts";
import type { ContentAsk } from "../../spool/erasure_ipc.ts";
import { openSite } from "../site_io.ts";
import { EXIT, fail, failToOpen } from "./exit.ts";
import { inspectQueue, runJailed } from "./jailed.ts";

/** Prints it to standard output; a terminal is shown nothing that it obeys. */
export async function queueCat(
  configPath: string,
  programs: ReadonlyMap<string, string>,
  asked: { readonly id: string; readonly headers: boolean },
): Promise<number> {
  const id = asQueueId(asked.id);
  const { headers } = asked;
  if (!QUEUE_ID_PATTERN.test(id)) {
    return fail(EXIT.usage, [`${id.slice(0, 80)} is no queue id`]);
  }
  const opening = openSite(configPath);
  if (!opening.ok) return failToOpen(opening);
  const { opened } = opening;
  const { queueDir, spoolDir, spentDir } = opened.paths;

  const order = JSON.stringify(newOrder("read", { ids: [id] }));
  const noted = await inspectQueue(opened, programs, "order", order);
  if (noted.code !== 0) {
    return fail(EXIT.config, [
      noted.errors || `that it is read cannot be noted in ${queueDir}`,
    ]);
  }
  const { answer } = ordering.parse(JSON.parse(noted.out));
  if (answer !== null && answer.missingCount > 0) return notThere(id);

  const found = await inspectQueue(opened, programs, "key", id);
  if (found.code === EXIT.notFound) return notThere(id);
  if (found.code !== 0) return fail(EXIT.config, [found.errors]);
  const { ref, key } = keyFound.parse(JSON.parse(found.out));
  if (key === "") {
    return fail(EXIT.config, [
      `the key of ${id} is not whole: nobody can read the message any more`,
    ]);
  }
  const content: ContentAsk = { ref, key };
  const read = await runJailed(
    opened,
    "spool",
    ["inspect-spool", "cat", spoolDir, spentDir],
    programs,
    { input: new TextEncoder().encode(JSON.stringify(content)) },
  );
  if (read.code !== 0) {
    return fail(EXIT.config, [read.errors || `${id} cannot be read`]);
  }
  await write(headers ? headerOf(read.bytes) : read.bytes);
  return EXIT.ok;
}

function notThere(id: string): number {
  return fail(EXIT.notFound, [`no message ${id} waits in the queue`]);
}

/** Up to the first empty line. */
export function headerOf(message: Uint8Array): Uint8Array {
  for (let at = 0; at < message.length; at++) {
    if (message[at] !== LF) continue;
    const next = message[at + 1] === CR ? at + 2 : at + 1;
    if (message[next] === LF) return message.subarray(0, at + 1);
  }
  return message;
}

const LF = 10;
const CR = 13;

/** Octet for octet into a pipe or file; made harmless for a terminal. */
async function write(message: Uint8Array): Promise<void> {
  const octets = Deno.stdout.isTerminal()
    ? new TextEncoder().encode(forTerminal(message))
    : message;
  for (let at = 0; at < octets.length;) {
    at += await Deno.stdout.write(octets.subarray(at));
  }
}

/** Tabs and line ends stay; everything else that a terminal obeys goes. */
export function forTerminal(message: Uint8Array): string {
  return new TextDecoder().decode(message).split("\n").map((line) =>
    (line.endsWith("\r") ? line.slice(0, -1) : line).split("\t")
      .map((part) => visible(part, "?")).join("\t")
  ).join("\n");
}
