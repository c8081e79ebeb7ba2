/** Commands about the settings. */
import type { Command } from "commander";
import { EXIT } from "./exit.ts";
import { type CommandLine, withJson } from "./topic.ts";

/** `config`. */
export function addConfigCommands(
  program: Command,
  { ended }: CommandLine,
): void {
  const config = program.command("config").description("about the settings");
  withJson(config.command("doc"))
    .description("print every setting: type, bounds, default, meaning")
    .action(async ({ json }) => {
      const document = await import("../../config/document.ts");
      console.log(
        json === true
          ? JSON.stringify(document.settingsJson(), null, 2)
          : document.configDoc().trimEnd(),
      );
      ended(EXIT.ok);
    });
}
