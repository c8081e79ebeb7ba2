/**
 * The manual: a page for the program, one for each of its commands, and
 * bulkhead.toml(5), from the tables that help and the configuration are made
 * from. man(7) macros, which mandoc and groff both have. Pure.
 */
import { tomlValue } from "../../config/print.ts";
import type { SettingFacts } from "../../config/document.ts";
import type { CommandFacts, OptionFacts } from "./command_facts.ts";
import { helpText, lines, quoted, roff } from "./roff.ts";

/** A page. */
export interface ManPage {
  /** Its file: `bulkhead-queue.1`. */
  readonly file: string;
  readonly text: string;
}

/** What the pages are made from. */
export interface ManInputs {
  readonly program: CommandFacts;
  readonly settings: readonly SettingFacts[];
  /** Exit codes and what they mean. */
  readonly exits: readonly { readonly code: number; readonly says: string }[];
  readonly version: string;
  /** As `2026-01-31`. */
  readonly date: string;
}

/** All pages. */
export function manPages(inputs: ManInputs): ManPage[] {
  const { program, version, date } = inputs;
  const name = program.words[0]!;
  const page = (title: string, section: number, body: readonly string[]) => ({
    file: `${title}.${section}`,
    text: [
      `.TH ${quoted(title.toUpperCase())} ${section} "${date}" ` +
      `${quoted(`${name} ${version}`)}`,
      ...body,
      "",
    ].join("\n"),
  });
  return [
    page(name, 1, programBody(inputs)),
    ...program.commands.map((one) =>
      page(one.words.join("-"), 1, commandBody(one, inputs))
    ),
    page(`${name}.toml`, 5, settingsBody(inputs)),
  ];
}

function programBody({ program, exits }: ManInputs): string[] {
  const name = program.words[0]!;
  return [
    ...heading(name, program.says),
    ".SH SYNOPSIS",
    `.B ${roff(name)}`,
    ".I command",
    "[options] ...",
    ".SH DESCRIPTION",
    ...lines(
      "One small supervisor runs every part of the server (SMTP, resolver, " +
        "spool, queue, client, Maildir delivery, console) as a process of its " +
        "own, under a user of its own, with nothing but the rights that its " +
        "manifest states.\nWithout --help, a command that makes no sense says " +
        "so and does nothing.",
    ),
    ".SH COMMANDS",
    ...program.commands.flatMap((one) => [
      ".TP",
      `.BR ${roff(one.words.join("-"))} (1)`,
      ...lines(sentence(one.says)),
    ]),
    ...optionSection(program.options),
    ...exitSection(exits),
    ".SH FILES",
    ".TP",
    ".I /etc/bulkhead/bulkhead.toml",
    "The configuration, unless \\-\\-config names another; see",
    ".BR bulkhead.toml (5).",
    ...seeAlso([
      ...program.commands.map((one) => one.words.join("-") + "(1)"),
      `${name}.toml(5)`,
    ]),
  ];
}

function commandBody(
  command: CommandFacts,
  { program, exits }: ManInputs,
): string[] {
  const isGroup = command.commands.length > 0;
  return [
    ...heading(command.words.join("-"), command.says),
    ".SH SYNOPSIS",
    ...(isGroup && command.arguments.length === 0
      ? command.commands.flatMap((one, n) => [
        ...n === 0 ? [] : [".br"],
        ...synopsis(one),
      ])
      : synopsis(command)),
    ".SH DESCRIPTION",
    ...lines(sentence(command.says)),
    ...argumentLines(command),
    ...moreLines(command),
    ...optionSection(command.options),
    ...(isGroup ? [".SH COMMANDS"] : []),
    ...command.commands.flatMap((one) => [
      `.SS ${quoted(one.words.slice(1).join(" "))}`,
      ...lines(sentence(one.says)),
      ...argumentLines(one),
      ...optionLines(one.options),
      ...moreLines(one),
      ...one.commands.flatMap((below) => [
        `.SS ${quoted(below.words.slice(1).join(" "))}`,
        ...lines(sentence(below.says)),
        ...argumentLines(below),
        ...optionLines(below.options),
        ...moreLines(below),
      ]),
    ]),
    ...exitSection(exits),
    ...seeAlso([`${program.words[0]}(1)`, `${program.words[0]}.toml(5)`]),
  ];
}

function settingsBody({ program, settings }: ManInputs): string[] {
  const name = program.words[0]!;
  const sections = Map.groupBy(settings, ({ key }) => key.split(".")[0]!);
  return [
    ...heading(`${name}.toml`, "configuration of the mail server"),
    ".SH DESCRIPTION",
    ...lines(
      "One TOML file. Only the supervisor reads it; every role gets its own " +
        "part and no more. An unknown key, a value out of bounds, or two " +
        "settings that contradict each other stop the server before it opens " +
        "a socket, and the message names the line.\n\nDurations are a number " +
        "with ms, s, m, h, d or w. Sizes are a number with B, KB, MB, GB, TB " +
        "(powers of 1,000) or KiB, MiB, GiB, TiB (powers of 1,024).",
    ),
    ...[...sections].flatMap(([section, facts]) => [
      `.SH ${quoted(`[${section}]`)}`,
      ...facts.flatMap(settingLines),
    ]),
    ...seeAlso([`${name}(1)`, `${name}-check(1)`]),
  ];
}

function settingLines(fact: SettingFacts): string[] {
  const standard = fact.required
    ? "Required."
    : fact.default === null
    ? "No default."
    : `Default: ${tomlValue(fact.default)}`;
  const type = `${fact.type}${fact.bounds === "" ? "" : `, ${fact.bounds}`}`;
  return [
    ".TP",
    `.B ${roff(fact.key)}`,
    ...lines(plain(fact.says)),
    ".br",
    ...lines(`${type}. ${standard}`),
  ];
}

function heading(name: string, says: string): string[] {
  return [".SH NAME", ...lines(`${name} - ${oneLine(says)}`)];
}

function synopsis(command: CommandFacts): string[] {
  return [
    `.B ${roff(command.words.join(" "))}`,
    roff(command.usage),
  ].filter((line) => line !== "");
}

function argumentLines(command: CommandFacts): string[] {
  return command.arguments.filter(({ says }) => says !== "").flatMap((one) => [
    ".TP",
    `.I ${roff(one.shown)}`,
    ...lines(sentence(one.says)),
  ]);
}

function optionSection(options: readonly OptionFacts[]): string[] {
  return options.length === 0 ? [] : [".SH OPTIONS", ...optionLines(options)];
}

function optionLines(options: readonly OptionFacts[]): string[] {
  return options.flatMap((one) => {
    const names = [one.short, one.long].filter((name) => name !== "");
    const standard = one.standard === "" ? "" : ` Default: ${one.standard}`;
    return [
      ".TP",
      `.BI ${quoted(names.join(", "))} ${
        quoted(one.value === "" ? "" : ` ${one.value}`)
      }`,
      ...lines(sentence(one.says) + standard),
    ];
  });
}

function moreLines({ more }: CommandFacts): string[] {
  return more === "" ? [] : helpText(plain(more));
}

function exitSection(exits: ManInputs["exits"]): string[] {
  return [
    ".SH EXIT STATUS",
    ...exits.flatMap(({ code, says }) => [
      ".TP",
      `.B ${code}`,
      ...lines(says),
    ]),
  ];
}

function seeAlso(pages: readonly string[]): string[] {
  return [
    ".SH SEE ALSO",
    ...pages.map((page, n) => {
      const [name, section] = page.split("(");
      const end = n === pages.length - 1 ? "" : ",";
      return `.BR ${roff(name!)} (${section}${end}`;
    }),
  ];
}

/** Without the back quotes of Markdown. */
function plain(text: string): string {
  return text.replaceAll("`", "");
}

function oneLine(text: string): string {
  const line = plain(text).split("\n").join(" ").trim();
  return line.endsWith(".") ? line.slice(0, -1) : line;
}

/** As running text: a capital first, a full stop at the end. */
function sentence(text: string): string {
  const line = plain(text).trim();
  if (line === "") return "";
  const first = line[0]!.toUpperCase() + line.slice(1);
  return /[.:!?]$/.test(first) ? first : `${first}.`;
}
