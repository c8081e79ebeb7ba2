/**
 * The one-shot process behind `bulkhead queue`, `why`, `check` and `shred`:
 * runs in the queue's jail, reads the databases or leaves an order, prints
 * JSON, ends.
 */
import {
  checkQueue,
  findMessages,
  listMatching,
  showMessage,
} from "./inspect.ts";
import { inspectCare } from "./inspect_care.ts";
import { MAX_FOUND } from "./story_ipc.ts";
import { inspectErasure } from "./inspect_erasure.ts";
import { ALL_LISTED, listAsk, type WhyAsk, whyAsk } from "./inspect_ipc.ts";
import { readKey } from "./inspect_key.ts";
import { orderAndAwait } from "./inspect_orders.ts";
import { order } from "./order_ipc.ts";
import { QueueUnusable } from "./database_io.ts";

/** Exit codes, as the command line understands them. */
const NOT_FOUND = 66;
const UNUSABLE = 78;

/**
 * Runs `inspect QUEUE EVENTS list [JSON] | show ID | why JSON | key ID |
 * order JSON | check | erasure | care VERB ...`;
 * the first are directories.
 */
export async function main(args: readonly string[]): Promise<void> {
  const [queue = "", events = "", what, id = ""] = args;
  try {
    const answer = what === "care"
      ? await inspectCare({ queue, events }, args.slice(3))
      : await ask({ queue, events }, what, id);
    if (answer === undefined) {
      console.error(
        `no message ${id} is in the queue, and no event tells of it`,
      );
      Deno.exit(NOT_FOUND);
    }
    console.log(JSON.stringify(answer, null, 2));
  } catch (error) {
    if (!(error instanceof QueueUnusable)) throw error;
    console.error(error.message);
    Deno.exit(UNUSABLE);
  }
}

function ask(
  dirs: { queue: string; events: string },
  what: string | undefined,
  id: string,
): unknown {
  switch (what) {
    case "list":
      return listAsked(dirs.queue, id);
    case "show":
      return storyOf(dirs, id);
    case "why":
      return tellWhy(dirs, whyAsk.parse(JSON.parse(id)));
    case "key":
      return readKey(dirs.queue, id);
    case "order":
      return giveOrder(dirs.queue, id);
    case "erasure":
      return inspectErasure(dirs.queue);
    case "check":
      return { messages: checkQueue(dirs) };
    default:
      throw new RangeError(`Cannot inspect: ${what} is no question`);
  }
}

/** See `story_ipc.ts`; undefined if nobody has heard of it. */
function storyOf(dirs: { queue: string; events: string }, id: string) {
  const shown = showMessage(dirs, id);
  return shown && { message: shown.message ?? null, events: shown.events };
}

function listAsked(dir: string, json: string): unknown {
  const asked = json === "" ? ALL_LISTED : listAsk.parse(JSON.parse(json));
  const { limit, ...filter } = asked;
  return listMatching(dir, filter, limit);
}

function tellWhy(
  dirs: { queue: string; events: string },
  { words, stories }: WhyAsk,
): unknown {
  const found = findMessages(dirs, { words, limit: MAX_FOUND });
  const few = found.length <= stories ? found : [];
  return {
    found,
    stories: few.flatMap(({ queueId }) => {
      const story = storyOf(dirs, queueId);
      return story === undefined ? [] : { queueId, story };
    }),
  };
}

async function giveOrder(dir: string, json: string): Promise<unknown> {
  return {
    answer: await orderAndAwait(dir, order.parse(JSON.parse(json))) ?? null,
  };
}
