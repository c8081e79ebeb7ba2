/** Fills the pages' facts by asking queue and gate, with a visitor's grant. */
import type { gateContract } from "../mod/gate/gate_ipc.ts";
import type { Call, Reply } from "../mod/ipc/call.ts";
import type { Edge } from "../mod/ipc/edge.ts";
import type { queueContract } from "../mod/queue/queue_ipc.ts";
import { QUEUE_ID_PATTERN } from "../mod/core/ids.ts";
import { tell } from "../mod/journey/tell.ts";
import type { Facts, FlowSample, News } from "./news.ts";
import type { Counts, Sources } from "./sources.ts";

/** Words of a search, and how long each may be. */
const MAX_WORDS = 8;
const MAX_WORD = 320;
/** One more than the page shows, so that it can say that there are more. */
const MAX_FOUND = 51;

/** Where the facts come from. */
export interface Wells {
  readonly queue: Edge<typeof queueContract.calls>;
  readonly gate: Edge<typeof gateContract.calls>;
  readonly news: () => News | undefined;
  readonly facts: () => Facts | undefined;
  readonly flow: () => readonly FlowSample[];
  /** How long a message is tried. */
  readonly expireMs: () => number;
}

/**
 * The sources of whoever has this grant; empty: nobody's.
 *
 * @param onOver Told when queue or gate will not have the grant any more
 */
export function sourcesFor(
  wells: Wells,
  grant: string,
  onOver: () => void = () => {},
): Sources {
  const { queue, gate } = wells;
  const heard = <C extends Call>(reply: Reply<C>) => {
    const isOver = reply.kind === "refused" && reply.refusal === "no-grant";
    if (isOver && grant !== "") onOver();
    return answer(reply);
  };
  return {
    nowMs: () => Date.now(),
    news: wells.news,
    facts: wells.facts,
    flow: wells.flow,
    counts: () => countsOf(queue),
    messages: async (filter) =>
      isTooLong(filter)
        ? { messages: [], total: 0, after: "" }
        : heard(await queue.ask("messages", { grant, ...filter })),
    destinations: async () =>
      heard(await queue.ask("destinations", { grant }))?.destinations,
    find: async (text) => {
      const words = wordsOf(text);
      if (words.length === 0) return [];
      const ask = { grant, words, limit: MAX_FOUND };
      return heard(await queue.ask("find", ask))?.found
        .map(({ sender, recipients: _, ...one }) => ({
          ...one,
          reversePath: sender,
        }));
    },
    journey: async (queueId) => {
      if (!QUEUE_ID_PATTERN.test(queueId)) return null;
      const reply = await queue.ask("story", { grant, queueId });
      if (reply.kind === "refused" && reply.refusal === "unknown") return null;
      const story = heard(reply);
      const expireMs = wells.expireMs();
      return story &&
        tell({ queueId, ...story }, { nowMs: Date.now(), expireMs });
    },
    clients: async ({ client }) => {
      const asked = client.slice(0, 64);
      return heard(await gate.ask("clients", { grant, client: asked }));
    },
  };
}

/** Numbers, which everybody may see. */
export async function countsOf(
  queue: Wells["queue"],
): Promise<Counts | undefined> {
  return answer(await queue.ask("counts", {}));
}

function answer<C extends Call>(reply: Reply<C>) {
  return reply.kind === "answered" ? reply.answer : undefined;
}

/** No state, domain or place is so long: nothing is there, and nobody asked. */
function isTooLong(
  { state, domain, after }: Parameters<Sources["messages"]>[0],
): boolean {
  return state.length > 16 || domain.length > 255 || after.length > 20;
}

function wordsOf(text: string): string[] {
  return text.split(" ").filter((word) => word !== "").slice(0, MAX_WORDS)
    .map((word) => word.slice(0, MAX_WORD));
}
