/** Commands that look into the queue, and give it orders. */
import { type Command, Option } from "commander";
import { STATES } from "../../queue/queue_ipc.ts";
import type { Ordering } from "./queue_order.ts";
import { type CommandLine, withConfig, withJson } from "./topic.ts";

const IDS = "queue ids; or ALL; or - for a list on standard input";

/** `queue`. */
export function addQueueCommands(
  program: Command,
  { programs, ended }: CommandLine,
): void {
  const queue = program.command("queue").description(
    "look into the queue, and say what becomes of messages in it",
  );
  const load = () => import("./queue.ts");
  withJson(withConfig(queue.command("list")))
    .description("list the messages that are not delivered yet")
    .addOption(
      new Option(
        "--state <state>",
        "only those with a recipient in this state",
      ).choices(STATES),
    )
    .option(
      "--domain <domain>",
      "only those for a recipient's domain; .DOMAIN for those below it",
    )
    .option(
      "--sender <sender>",
      "only those of a sender: an address, a domain, or <> for notices",
    )
    .option(
      "-j, --lines",
      "the messages of --json one a line, as `postqueue -j` prints them",
    )
    .action(async ({ config, json, ...asked }) =>
      ended(
        await (await load()).queueList(config, programs, {
          ...asked,
          json: json === true,
        }),
      )
    );
  withJson(withConfig(queue.command("show")))
    .description("tell everything about one message")
    .argument("<id>", "the queue id, as in `queued as ID`")
    .action(async (id, { config, json }) =>
      ended(
        await (await load()).queueShow(config, json === true, programs, id),
      )
    );
  withConfig(queue.command("cat"))
    .description(
      "print a waiting message as it is; the history says that it was read",
    )
    .argument("<id>", "its queue id")
    .option("--headers", "its header alone")
    .action(async (id, { config, headers }) =>
      ended(
        await (await import("./queue_cat.ts")).queueCat(config, programs, {
          id,
          headers: headers === true,
        }),
      )
    );
  addQueueOrders(queue, { programs, ended });
}

/** What changes messages in the queue: orders that the queue carries out. */
function addQueueOrders(
  queue: Command,
  { programs, ended }: CommandLine,
): void {
  const give = async (
    { config, json }: { config: string; json?: boolean },
    what: Ordering,
  ) => {
    const { queueOrder } = await import("./queue_order.ts");
    await ended(await queueOrder(config, json === true, programs, what));
  };
  withJson(withConfig(queue.command("flush")))
    .description(
      "try what waits now: all of it, or what is for one domain; a server " +
        "that is remembered as dead is tried, too",
    )
    .argument("[domain]", "the recipients' domain")
    .action((domain, options) =>
      give(options, { action: "flush", ids: [], domain })
    );
  for (
    const [action, says] of [
      ["hold", "deliver it no more until it is released"],
      ["release", "deliver what is on hold"],
      ["retry", "try it now, and not when its wait is over"],
      ["expire", "give it up: its sender gets a notice that it failed"],
      ["delete", "remove it, key, content and all; its sender hears nothing"],
    ] as const
  ) {
    withJson(withConfig(queue.command(action)))
      .description(says)
      .argument("<id...>", IDS)
      .action((ids, options) => give(options, { action, ids }));
  }
  withJson(withConfig(queue.command("reroute")))
    .description(
      "send it another way than its routes lead, all its recipients, now",
    )
    .usage("[options] <id...> <next hop>")
    .argument("<id...>", `${IDS}; and then the next hop`)
    .addHelpText(
      "after",
      "\nThe next hop is HOST:PORT, or mx for the MX hosts of each " +
        "recipient's domain,\nor routes to undo it: `queue reroute ID " +
        "relay.test:25`.",
    )
    .action((words: string[], options) =>
      give(options, {
        action: "reroute",
        ids: words.slice(0, -1),
        nextHop: words.at(-1),
      })
    );
}
