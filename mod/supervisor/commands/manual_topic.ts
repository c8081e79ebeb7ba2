/** Commands about the commands: completion and man pages. */
import { Argument, type Command } from "commander";
import { SHELLS } from "../manual/completion.ts";
import type { CommandLine } from "./topic.ts";

/** `completion`, `man`. */
export function addManualCommands(
  program: Command,
  { ended }: CommandLine,
): void {
  const load = () => import("./manual.ts");
  program.command("completion")
    .description("print a script that lets a shell complete commands")
    .addArgument(new Argument("<shell>", "for which shell").choices(SHELLS))
    .addHelpText(
      "after",
      "\nbash: bulkhead completion bash > " +
        "/usr/share/bash-completion/completions/bulkhead" +
        "\nzsh:  bulkhead completion zsh > " +
        "/usr/share/zsh/vendor-completions/_bulkhead" +
        "\nfish: bulkhead completion fish > " +
        "/usr/share/fish/vendor_completions.d/bulkhead.fish",
    )
    .action(async (shell) => ended((await load()).completion(program, shell)));
  program.command("man")
    .description("print a man page, or put all of them where man finds them")
    .argument("[command]", "a command, or bulkhead.toml; if not, the program")
    .option("--install <dir>", "write all pages below it: /usr/share/man")
    .addHelpText("after", "\nTo read one: bulkhead man queue | man -l -")
    .action(async (command, { install }) =>
      ended((await load()).man(program, command, install))
    );
}
