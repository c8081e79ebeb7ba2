/** Commands about those who hand mail in. */
import type { Command } from "commander";
import { type CommandLine, withConfig, withJson } from "./topic.ts";

/** `client`. */
export function addClientCommands(
  program: Command,
  { programs, ended }: CommandLine,
): void {
  const clients = program.command("client")
    .description("who was refused and why; let clients in, or keep them out");
  const load = () => import("./client.ts");
  withJson(withConfig(clients.command("list")))
    .description("list what is known of clients, newest verdicts first")
    .option("--refused", "only what was refused")
    .action(async ({ config, json, refused }) =>
      ended(
        await (await load()).client({ config, json: json === true }, programs, {
          what: refused === true ? "refused" : "list",
        }),
      )
    );
  for (
    const [what, says] of [
      ["show", "tell everything about one client, or a network"],
      ["allow", "let it in untested, uncounted, at once and for good"],
      ["deny", "refuse it, at once and for good"],
      ["forget", "take that back, and forget what it passed"],
    ] as const
  ) {
    withJson(withConfig(clients.command(what)))
      .description(says)
      .argument("<address>", "ADDRESS or ADDRESS/BITS")
      .action(async (network, { config, json }) =>
        ended(
          await (await load()).client(
            { config, json: json === true },
            programs,
            { what, network },
          ),
        )
      );
  }
}
