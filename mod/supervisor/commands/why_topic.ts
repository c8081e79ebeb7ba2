/** The command that tells a message's whole journey. */
import type { Command } from "commander";
import { type CommandLine, withConfig, withJson } from "./topic.ts";

const WHY_HELP = `
Looks for messages by queue id, by the address of a sender or recipient, and by
words of the subject, in the queue, in the history and in what was refused at
the door. Several words narrow it down. The server need not run.

Exit codes: 0 something is known, 66 nothing is.`;

/** `why`. */
export function addWhyCommand(
  program: Command,
  { programs, ended }: CommandLine,
): void {
  withJson(withConfig(program.command("why")))
    .description(
      "say where a message is, or why it was refused, in plain words: its " +
        "whole journey, what comes next, and what to do",
    )
    .argument(
      "<words...>",
      "a queue id, an address, or words of the subject",
    )
    .option("--full", "with hosts, DNSSEC, TLS and the lines of sessions")
    .addHelpText("after", WHY_HELP)
    .action(async (words: string[], { config, json, full }) =>
      ended(
        await (await import("./why.ts")).why(
          { config, json: json === true, full: full === true },
          programs,
          words,
        ),
      )
    );
}
