/**
 * `sendmail`, `mailq` and `newaliases`, for help and completion. Called, they
 * never come here: their options are not those of other commands.
 */
import type { Command } from "commander";
import { OPTION_ROWS } from "../../submit/sendmail_options.ts";
import type { CommandLine } from "./topic.ts";

const LINKS = `
Other programs know these three by their names:
  ln -s /usr/local/bin/bulkhead /usr/sbin/sendmail
  ln -s /usr/local/bin/bulkhead /usr/bin/mailq
  ln -s /usr/local/bin/bulkhead /usr/bin/newaliases`;

/** `sendmail`, `mailq`, `newaliases`. */
export function addSubmitCommands(
  program: Command,
  { programs, ended }: CommandLine,
): void {
  const add = (name: string, says: string) =>
    program.command(name)
      .description(says)
      .allowUnknownOption()
      .passThroughOptions()
      .argument("[arguments...]", "options as the field writes them")
      .action(async (args: string[]) => {
        const { sendmail } = await import("../../submit/sendmail.ts");
        const { run } = await import("./cli.ts");
        ended(await sendmail([name, ...args], (more) => run(more, programs)));
      });
  const options = OPTION_ROWS.map(({ written, says }) =>
    `  ${written}\n      ${says}`
  );
  add("sendmail", "take a message from standard input, server running or not")
    .addHelpText("after", `\nOptions:\n${options.join("\n")}\n${LINKS}`);
  add("mailq", "list the queue: sendmail -bp");
  add("newaliases", "say how new aliases come into force: sendmail -bi");
}
