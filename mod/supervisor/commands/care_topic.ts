/** Commands of who looks after a home. */
import { type Command, Option } from "commander";
import { type CommandLine, withConfig, withJson } from "./topic.ts";

/** `upgrade`, `backup`, `restore`, `verify`. */
export function addCareCommands(
  program: Command,
  { programs, ended }: CommandLine,
): void {
  withJson(withConfig(program.command("upgrade")))
    .description(
      "put a new program in the place of the installed one, and go back if its " +
        "server is not ready; without a file, say what an upgrade would do",
    )
    .argument("[newfile]", "the new program's file")
    .option("--check", "only try it, on copies, beside the running server")
    .option(
      "--file <installed>",
      "the installed file, if not the one that runs",
    )
    .addOption(new Option("--users", "make the users of new roles").hideHelp())
    .addOption(new Option("--back", "undo a trial that was left").hideHelp())
    .action(async (newFile, options) =>
      ended(
        await (await import("./upgrade.ts")).upgradeCommand(
          options.config,
          programs,
          {
            newFile,
            file: options.file,
            check: options.check === true,
            users: options.users === true,
            back: options.back === true,
            json: options.json === true,
          },
        ),
      )
    );
  withJson(withConfig(program.command("backup")))
    .description(
      "copy everything, while the server runs, so that it can be had again",
    )
    .argument(
      "<target>",
      "a new directory, a new file ending in .tar, or - for standard output",
    )
    .option(
      "--no-mail",
      "leave the mailboxes out: the queue, users and settings only",
    )
    .addHelpText(
      "after",
      "\nA backup is readable for root alone and must be kept so: it holds the keys " +
        "of the\nmessages in the queue, passwords' hashes and the certificate's key. What is " +
        "erased\non the server later can still be read in a backup made before.",
    )
    .action(async (target, { config, json, mail }) =>
      ended(
        await (await import("./backup.ts")).backup(config, programs, {
          target,
          withMail: mail,
          json: json === true,
        }),
      )
    );
  withJson(program.command("restore"))
    .description("put a backup in the place of a home; its server must not run")
    .argument(
      "<source>",
      "the backup: a directory, a tar file, or - for standard input",
    )
    .option("--home <dir>", "where to, if not where the backup was made")
    .option("--replace", "move what is there aside, into a directory beside it")
    .addHelpText(
      "after",
      "\nMail that was delivered after the backup was made is delivered again: into a " +
        "mailbox\nonly if its file is gone from there, to other servers in any case.",
    )
    .action(async (source, { home, replace, json }) =>
      ended(
        await (await import("./restore.ts")).restoreCommand(programs, {
          source,
          home,
          replace: replace === true,
          json: json === true,
        }),
      )
    );
  withJson(withConfig(program.command("verify")))
    .description("read everything that was stored and say whether it is whole")
    .option("--deep", "read every message in the queue to its end, too")
    .option(
      "--backup <source>",
      "look at a backup instead: a directory, a tar file, or -",
    )
    .action(async ({ config, json, deep, backup }) =>
      ended(
        await (await import("./verify.ts")).verifyCommand(config, programs, {
          deep: deep === true,
          backup,
          json: json === true,
        }),
      )
    );
}
