/** The command about the console. */
import type { Command } from "commander";
import { type CommandLine, withConfig, withJson } from "./topic.ts";

/** `console`. */
export function addConsoleCommand(
  program: Command,
  { ended }: CommandLine,
): void {
  withJson(withConfig(program.command("console")))
    .description(
      "print a link that signs in, once and within ten minutes, at the " +
        "running server's console",
    )
    .action(async ({ config, json }) =>
      ended((await import("./console.ts")).consoleLink(config, json === true))
    );
}
