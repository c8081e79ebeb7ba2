/** Commands about mailboxes and passwords. */
import type { Command } from "commander";
import { type CommandLine, withConfig, withJson } from "./topic.ts";

/** `user`. */
export function addUserCommands(
  program: Command,
  line: CommandLine,
): void {
  const { ended } = line;
  const user = program.command("user").description("manage mailboxes");
  const load = () => import("./user.ts");
  const password = (command: Command) =>
    command.option(
      "--password-file <file>",
      "the password, on its first line; else one is made and shown",
    );
  password(withJson(withConfig(user.command("add"))))
    .description("make a mailbox")
    .argument("<address>", "NAME or NAME@DOMAIN")
    .action(async (address, options) =>
      ended((await load()).add(address, options))
    );
  withJson(withConfig(user.command("list")))
    .description("list the mailboxes")
    .action(async (options) => ended((await load()).list(options)));
  withJson(withConfig(user.command("remove")))
    .description(
      "remove a mailbox and its passwords; its mail stays on the disk",
    )
    .argument("<address>", "NAME or NAME@DOMAIN")
    .action(async (address, options) =>
      ended((await load()).remove(address, options))
    );
  password(withJson(withConfig(user.command("passwd"))))
    .description("change a mailbox's password")
    .argument("<address>", "NAME or NAME@DOMAIN")
    .action(async (address, options) =>
      ended((await load()).passwd(address, options))
    );
  addAppPasswordCommands(user, line);
}

function addAppPasswordCommands(
  user: Command,
  { ended }: CommandLine,
): void {
  const app = user.command("app-password")
    .description("manage passwords of single programs, such as a phone's mail");
  const load = () => import("./app_password.ts");
  withJson(withConfig(app.command("add")))
    .description("make one and show it, once")
    .argument("<address>", "NAME or NAME@DOMAIN")
    .argument("<name>", "what it is for, such as `phone`")
    .action(async (address, name, options) =>
      ended((await load()).add(address, name, options))
    );
  withJson(withConfig(app.command("list")))
    .description("list a user's")
    .argument("<address>", "NAME or NAME@DOMAIN")
    .action(async (address, options) =>
      ended((await load()).list(address, options))
    );
  withJson(withConfig(app.command("remove")))
    .description("take one back; the others go on")
    .argument("<address>", "NAME or NAME@DOMAIN")
    .argument("<name>", "as `list` has it")
    .action(async (address, name, options) =>
      ended((await load()).remove(address, name, options))
    );
}
