/** `bulkhead queue flush|hold|release|retry|reroute|expire|delete`. */
import { counted } from "../care/words.ts";
import { QUEUE_ID_PATTERN } from "../../core/ids.ts";
import { asQueueId } from "../../core/sought_word.ts";
import { isInternational, isMailDomain } from "../../config/names.ts";
import { ordering } from "../../queue/inspect_ipc.ts";
import {
  type Hop,
  hopText,
  MAX_IDS,
  MAX_NAMED,
  newOrder,
  type Order,
  type OrderAnswer,
  readHop,
} from "../../queue/order_ipc.ts";
import { type Opened, openSite } from "../site_io.ts";
import { EXIT, fail, failToOpen, print } from "./exit.ts";
import { inspectQueue } from "./jailed.ts";

/** What an order is given with. */
export interface Ordering {
  readonly action: Order["action"];
  /** Queue ids, or `ALL`, or `-` for a list on standard input. */
  readonly ids: readonly string[];
  /** Of `flush`. */
  readonly domain?: string | undefined;
  /** Of `reroute`. */
  readonly nextHop?: string | undefined;
}

/** How each action is said to be done. */
const PAST = {
  flush: "flushed",
  hold: "held",
  release: "released",
  retry: "due now",
  reroute: "rerouted",
  expire: "given up",
  delete: "deleted",
  read: "noted as read",
} as const satisfies Record<Order["action"], string>;

/** Octets of a list on standard input: some 60,000 ids. */
const MAX_LIST_OCTETS = 1_048_576;

/** Gives an order to the queue, running or not. */
export async function queueOrder(
  configPath: string,
  json: boolean,
  programs: ReadonlyMap<string, string>,
  what: Ordering,
): Promise<number> {
  const opening = openSite(configPath);
  if (!opening.ok) return failToOpen(opening);
  const { opened } = opening;
  const orders = await ordersOf(what, opened);
  if (typeof orders === "string") return fail(EXIT.usage, [orders]);
  let sum: OrderAnswer | null = null;
  for (const order of orders) {
    const answer = await give(opened, programs, order);
    if (typeof answer === "string") return fail(EXIT.config, [answer]);
    sum = added(sum, answer);
  }
  print(json, { answer: sum }, () => textOf(what.action, sum));
  return codeOf(what.action, sum);
}

async function give(
  opened: Opened,
  programs: ReadonlyMap<string, string>,
  order: Order,
): Promise<OrderAnswer | null | string> {
  const words = JSON.stringify(order);
  const run = await inspectQueue(opened, programs, "order", words);
  if (run.code !== 0) {
    return run.errors ||
      `the order cannot be left in ${opened.paths.queueDir}`;
  }
  return ordering.parse(JSON.parse(run.out)).answer;
}

/** The orders, or what is wrong with them. */
async function ordersOf(
  { action, ids: words, domain, nextHop }: Ordering,
  opened: Opened,
): Promise<readonly Order[] | string> {
  if (action === "flush") {
    const name = domain?.toLowerCase();
    return name === undefined
      ? [newOrder(action)]
      : isMailDomain(name) || isBeyondAscii(name)
      ? [newOrder(action, { domain: name })]
      : `"${name.slice(0, 80)}" is no domain`;
  }
  let hop = "";
  if (action === "reroute") {
    const read = hopOf(nextHop ?? "");
    if (read === undefined) {
      return `${nextHop} is no next hop: write HOST:PORT, mx or routes`;
    }
    const fault = reachFault(read, opened);
    if (fault !== undefined) return fault;
    hop = hopText(read);
  }
  if (words.includes("ALL")) {
    return words.length > 1
      ? "ALL stands alone"
      : [newOrder(action, { all: true, nextHop: hop })];
  }
  const list = words.includes("-") ? await listed() : [];
  if (list === undefined) {
    return "the list on standard input is longer than 1 MiB: nothing was done";
  }
  const written = [...words.filter((word) => word !== "-"), ...list];
  const odd = written.find((id) => !QUEUE_ID_PATTERN.test(asQueueId(id)));
  if (odd !== undefined) return `${odd.slice(0, 80)} is no queue id`;
  const ids = written.map(asQueueId);
  const orders: Order[] = [];
  for (let at = 0; at < ids.length; at += MAX_IDS) {
    const some = ids.slice(at, at + MAX_IDS);
    orders.push(newOrder(action, { ids: some, nextHop: hop }));
  }
  return orders.length > 0 ? orders : "no queue id is given";
}

/** How the queue has such a domain is its sender's affair. */
function isBeyondAscii(name: string): boolean {
  return [...name].some((letter) => letter > "~") && isInternational(name);
}

function hopOf(written: string): Hop | undefined {
  if (written === "") return undefined;
  return written === "routes" ? "" : readHop(written.toLowerCase());
}

/** Why the SMTP client could not connect to it; its walls have no gap for it. */
function reachFault(hop: Hop, { config, plan }: Opened): string | undefined {
  if (typeof hop === "string" || hop.port === config.outbound.port) {
    return undefined;
  }
  const isKnown = plan.site.nextHops.some(({ host, port }) =>
    port === hop.port && (host === hop.host || host === "any-ipv4")
  );
  return isKnown ? undefined : `the SMTP client may connect to port ` +
    `${config.outbound.port} and to the next hops of [routes] only: give ` +
    `some domain the route ${hopText(hop)} and restart`;
}

/**
 * Ids on standard input, one a line; what follows an id on it is ignored.
 * Undefined if there are too many.
 */
async function listed(): Promise<string[] | undefined> {
  const decoder = new TextDecoder();
  let text = "";
  for await (const chunk of Deno.stdin.readable) {
    text += decoder.decode(chunk, { stream: true });
    if (text.length > MAX_LIST_OCTETS) return undefined;
  }
  return text.split("\n")
    .map((line) => line.trim().split(" ")[0]!)
    .filter((word) => word !== "");
}

function added(
  sum: OrderAnswer | null,
  answer: OrderAnswer | null,
): OrderAnswer | null {
  if (sum === null || answer === null) return answer;
  return {
    isOver: sum.isOver && answer.isOver,
    messages: sum.messages + answer.messages,
    recipients: sum.recipients + answer.recipients,
    unchanged: sum.unchanged + answer.unchanged,
    waiting: sum.waiting + answer.waiting,
    missing: [...sum.missing, ...answer.missing].slice(0, MAX_NAMED),
    missingCount: sum.missingCount + answer.missingCount,
  };
}

/** What was done, in sentences. */
export function textOf(
  action: Order["action"],
  answer: OrderAnswer | null,
): string {
  if (answer === null) {
    return "The order waits. It is carried out as soon as the server runs.";
  }
  if (action === "flush") {
    return `${counted(answer.recipients, "recipient")} due now.`;
  }
  const lines = [
    `${counted(answer.messages, "message")} ${PAST[action]}, ` +
    `${counted(answer.recipients, "recipient")}.`,
  ];
  if (answer.unchanged > 0) {
    lines.push(`${counted(answer.unchanged, "message")} left as before.`);
  }
  if (answer.waiting > 0) {
    lines.push(
      `${counted(answer.waiting, "message")} being delivered at this moment: ` +
        "their turn comes when that has ended.",
    );
  }
  for (const id of answer.missing) lines.push(`${id} is not in the queue.`);
  const unnamed = answer.missingCount - answer.missing.length;
  if (unnamed > 0) {
    lines.push(`${counted(unnamed, "more message")} not in it, or no longer.`);
  }
  return lines.join("\n");
}

function codeOf(
  action: Order["action"],
  answer: OrderAnswer | null,
): number {
  if (answer === null || action === "flush") return EXIT.ok;
  if (answer.missingCount > 0) return EXIT.notFound;
  const did = answer.messages + answer.recipients + answer.waiting;
  return did > 0 ? EXIT.ok : EXIT.no;
}
