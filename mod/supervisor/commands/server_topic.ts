/** Commands about the server as a whole. */
import { type Command, InvalidArgumentError } from "commander";
import { settingsHelp } from "../../config/document.ts";
import { type CommandLine, withConfig, withJson } from "./topic.ts";

/** `init`, `serve`, `status`, `roles`, `drill`. */
export function addServerCommands(
  program: Command,
  { programs, ended }: CommandLine,
): void {
  program.command("init")
    .description("make an installation in a directory")
    .argument("<dir>", "where everything will lie")
    .requiredOption("--hostname <name>", "this server's own name")
    .requiredOption(
      "--domain <name>",
      "a domain whose mail ends here; may be repeated",
      repeated,
    )
    .option(
      "--user <name>",
      "a mailbox, NAME or NAME@DOMAIN; may be repeated",
      repeated,
      [],
    )
    .option("--password-file <file>", "their password, on its first line")
    .option(
      "--ports <n>",
      "first of four loopback ports: SMTP, submission, submissions, console",
      port,
      2525,
    )
    .option(
      "--route <domain=host:port>",
      "where mail for another domain goes; may be repeated",
      repeated,
      [],
    )
    .action(async (dir, options) =>
      ended((await import("./init.ts")).init(dir, options))
    );
  withConfig(program.command("serve"))
    .description(
      "run the server until SIGTERM; SIGHUP reads the configuration, users and " +
        "tables anew",
    )
    .addHelpText(
      "after",
      () => `\nSettings of the file and their defaults:\n${settingsHelp()}`,
    )
    .action(async ({ config }) =>
      ended(await (await import("./serve.ts")).serve(config, programs))
    );
  withJson(withConfig(program.command("status")))
    .description("say how the running server and its roles are")
    .action(async ({ config, json }) =>
      ended((await import("./status.ts")).status(config, json === true))
    );
  withJson(withConfig(program.command("roles")))
    .description("print every role's manifest and the walls it became")
    .action(async ({ config, json }) =>
      ended(
        await (await import("./roles.ts")).roles(
          config,
          json === true,
          programs,
        ),
      )
    );
  withJson(withConfig(program.command("drill")))
    .description("break in to every role and see that nothing gives")
    .action(async ({ config, json }) =>
      ended(
        await (await import("./drill.ts")).drill(
          config,
          json === true,
          programs,
        ),
      )
    );
}

function repeated(value: string, before: readonly string[] = []): string[] {
  return [...before, value];
}

function port(value: string): number {
  const n = Number(value);
  if (!Number.isInteger(n) || n < 1 || n > 65_532) {
    throw new InvalidArgumentError("It must be a port from 1 to 65532.");
  }
  return n;
}
