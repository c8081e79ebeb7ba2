/** `bulkhead queue list|show`, server running or not. */
import { asQueueId } from "../../core/sought_word.ts";
import { visible } from "../../core/visible.ts";
import {
  type ListAsk,
  type ListedMessage,
  listing,
  MAX_LISTED,
  type Showing,
  showing,
} from "../../queue/inspect_ipc.ts";
import type { z } from "../../ipc/schema.ts";
import { openSite } from "../site_io.ts";
import { eventLines } from "./event_text.ts";
import { EXIT, fail, failToOpen, print } from "./exit.ts";
import { postqueueLine, postqueueMessage } from "./postqueue_text.ts";
import { inspectQueue } from "./jailed.ts";
import { duration } from "./status.ts";

/** Messages printed for people, the oldest; scripts get all. */
const SHOWN = 1_000;

/** What `queue list` is asked for. */
export interface ListOptions {
  readonly json: boolean;
  /** As `postqueue -j` prints it. */
  readonly lines?: boolean;
  readonly state?: string;
  readonly domain?: string;
  readonly sender?: string;
}

/** Prints the queue. */
export async function queueList(
  configPath: string,
  programs: ReadonlyMap<string, string>,
  { json, lines, state, domain, sender }: ListOptions,
): Promise<number> {
  const ask: ListAsk = {
    state: state ?? "",
    domain: domain ?? "",
    sender: sender ?? "",
    limit: lines === true ? MAX_LISTED : SHOWN,
  };
  return await inspect(configPath, programs, ["list", JSON.stringify(ask)], {
    then: (data) => {
      const listed = listing.parse(data);
      if (lines !== true) {
        const { messages, total } = listed;
        const named = { messages: messages.map(postqueueMessage), total };
        return print(json, named, () => listText(listed));
      }
      for (const one of listed.messages) console.log(postqueueLine(one));
    },
  });
}

/** Prints all that is known of one message. */
export async function queueShow(
  configPath: string,
  json: boolean,
  programs: ReadonlyMap<string, string>,
  written: string,
): Promise<number> {
  const id = asQueueId(written);
  return await inspect(configPath, programs, ["show", id], {
    then: (data) => {
      const shown = showing.parse(data);
      print(json, shown, () => showText(shown, id));
    },
  });
}

/** Asks the one-shot process in the queue's jail. */
async function inspect(
  configPath: string,
  programs: ReadonlyMap<string, string>,
  args: readonly string[],
  { then }: { readonly then: (data: unknown) => void },
): Promise<number> {
  const opening = openSite(configPath);
  if (!opening.ok) return failToOpen(opening);
  const { opened } = opening;
  const run = await inspectQueue(opened, programs, ...args);
  if (run.code !== 0) {
    return fail(run.code === EXIT.notFound ? EXIT.notFound : EXIT.config, [
      run.errors || `the queue in ${opened.paths.queueDir} cannot be read`,
    ]);
  }
  then(JSON.parse(run.out));
  return EXIT.ok;
}

// What is printed came through the mail, and goes to a terminal.
function plain(text: string): string {
  return visible(text, "?");
}

function ago(ms: number): string {
  return duration(Math.max(0, Math.round((Date.now() - ms) / 1_000)));
}

function until(ms: number): string {
  const seconds = Math.round((ms - Date.now()) / 1_000);
  return seconds <= 0 ? "now" : `in ${duration(seconds)}`;
}

function listText({ messages, total }: z.infer<typeof listing>): string {
  if (messages.length === 0) return "The queue is empty.";
  const lines = messages.flatMap((one) => [
    `${one.id}  ${one.state.padEnd(8)} ${String(one.sizeBytes).padStart(9)}  ` +
    `${ago(one.arrivedMs).padStart(6)} ago  <${one.sender}>`,
    ...one.recipients.map((rcpt) => `    ${recipientText(rcpt)}`),
  ]);
  lines.push(
    messages.length < total
      ? `The oldest ${messages.length} of ${total} messages.`
      : `${total} message${total === 1 ? "" : "s"}.`,
  );
  return lines.map(plain).join("\n");
}

function recipientText(rcpt: ListedMessage["recipients"][number]): string {
  const parts = [`${rcpt.state.padEnd(8)} <${rcpt.address}>`];
  if (rcpt.original !== "") parts.push(`(was <${rcpt.original}>)`);
  if (rcpt.attempts > 0) {
    parts.push(
      `${rcpt.attempts} attempts, again ${until(rcpt.nextAttemptMs)}:`,
    );
    if (rcpt.lastHost !== "") parts.push(`${rcpt.lastHost}:`);
    parts.push(rcpt.lastOutcome);
  }
  return parts.join(" ");
}

function showText(shown: Showing, id: string): string {
  const { message, events } = shown;
  const lines = message === null ? [`${id} has left the queue.`] : [
    `id         ${message.id}`,
    `state      ${message.state}`,
    `from       <${message.sender}>`,
    `handed in  by ${message.client.helo} [${message.client.address}] with ` +
    `${message.client.protocol}, ${ago(message.arrivedMs)} ago`,
    ...(message.nextHop === "" ? [] : [`sent to    ${message.nextHop}`]),
    `size       ${message.sizeBytes} octets`,
    ...message.recipients.map((rcpt) => `to         ${recipientText(rcpt)}`),
  ];
  lines.push(...events.flatMap(eventLines));
  return lines.map(plain).join("\n");
}
