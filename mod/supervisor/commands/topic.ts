/** What the command line's topics share: options, and the shape of a topic. */
import type { Command } from "commander";

/** What a topic's commands are given beside the program they belong to. */
export interface CommandLine {
  /** URLs of the programs' modules, by name. */
  readonly programs: ReadonlyMap<string, string>;
  /** Told the exit code of the command that ran. */
  readonly ended: (code: number) => void;
}

/** Adds the commands of one topic. */
export type Topic = (program: Command, line: CommandLine) => void;

/** Where the configuration lies if nothing is said. */
export const DEFAULT_CONFIG = "/etc/bulkhead/bulkhead.toml";

/** `--config FILE`, which nearly every command takes. */
export function withConfig(command: Command): Command {
  return command.option(
    "-c, --config <file>",
    "the configuration file",
    DEFAULT_CONFIG,
  );
}

/** `--json`, for whoever prints data. */
export function withJson(command: Command): Command {
  return command.option("--json", "print data for a script");
}
