/**
 * The command line as data: what `--help` is made from, for man pages and
 * completion. Pure.
 */
import type { Command, Option } from "commander";

/** What an option's value or an argument is, as far as a shell can help. */
export type ValueKind = "file" | "directory" | "other";

/** One option. */
export interface OptionFacts {
  /** With two dashes; every option has one. */
  readonly long: string;
  /** With one dash; empty if there is none. */
  readonly short: string;
  /** The name of its value, in `<>` or `[]`; empty if it has none. */
  readonly value: string;
  readonly kind: ValueKind;
  /** The only values there are; empty if there are others. */
  readonly choices: readonly string[];
  readonly says: string;
  /** Empty if there is none worth telling. */
  readonly standard: string;
}

/** One argument. */
export interface ArgumentFacts {
  /** As usage shows it: `<id...>`, `[domain]`. */
  readonly shown: string;
  readonly kind: ValueKind;
  /** The only values there are; empty if there are others. */
  readonly choices: readonly string[];
  readonly says: string;
}

/** One command, with those below it. */
export interface CommandFacts {
  /** From the program's name on. */
  readonly words: readonly string[];
  readonly says: string;
  /** Without the words. */
  readonly usage: string;
  readonly options: readonly OptionFacts[];
  readonly arguments: readonly ArgumentFacts[];
  /** What help says behind its tables. */
  readonly more: string;
  readonly commands: readonly CommandFacts[];
}

/** Reads a command. */
export function commandFacts(
  command: Command,
  above: readonly string[] = [],
): CommandFacts {
  const words = [...above, command.name()];
  return {
    words,
    says: command.description(),
    usage: command.usage(),
    options: command.options.filter((one) => !one.hidden).map(optionFacts),
    arguments: command.registeredArguments.map((one) => {
      const name = `${one.name()}${one.variadic ? "..." : ""}`;
      return {
        shown: one.required ? `<${name}>` : `[${name}]`,
        kind: kindOf(one.name()),
        choices: one.argChoices ?? [],
        says: one.description,
      };
    }),
    more: moreOf(command),
    commands: command.commands.map((one) => commandFacts(one, words)),
  };
}

/** A command and all below it, in the order of help. */
export function allCommands(facts: CommandFacts): readonly CommandFacts[] {
  return [facts, ...facts.commands.flatMap(allCommands)];
}

function optionFacts(option: Option): OptionFacts {
  const value =
    option.flags.split(" ").find((word) =>
      word.startsWith("<") || word.startsWith("[")
    ) ?? "";
  const standard = option.defaultValue;
  const isTold = (typeof standard === "string" ||
    typeof standard === "number") && standard !== "";
  return {
    long: option.long ?? "",
    short: option.short ?? "",
    value,
    kind: kindOf(value.slice(1, -1)),
    choices: option.argChoices ?? [],
    says: option.description,
    standard: isTold ? String(standard) : "",
  };
}

function kindOf(name: string): ValueKind {
  if (name === "file" || name === "files") return "file";
  return name === "dir" || name === "directory" ? "directory" : "other";
}

/** commander keeps it as listeners that print: it is let print here. */
function moreOf(command: Command): string {
  let out = "";
  command.configureOutput({ writeOut: (text) => void (out += text) });
  command.outputHelp();
  const own = command.helpInformation();
  return out.startsWith(own) ? out.slice(own.length).trim() : "";
}
