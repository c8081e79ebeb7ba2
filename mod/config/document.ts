/**
 * Says what can be configured: as Markdown for `bulkhead config doc` and
 * `docs/configuration.md`, as short text for `--help`, and as data for
 * `--json` and the console. All from the table in `settings.ts`.
 */
import type { Setting, Written } from "./kinds.ts";
import { tomlKey, tomlValue, wrap } from "./print.ts";
import type { Entries } from "./routing.ts";
import { SECTION_LIST } from "./settings.ts";

/** One setting as data. */
export interface SettingFacts {
  /** Dotted key; such as `aliases.*` for the tables with free keys. */
  readonly key: string;
  readonly type: string;
  readonly bounds: string;
  readonly says: string;
  readonly required: boolean;
  /** Null if there is none. */
  readonly default: Written | null;
  readonly example: Written | null;
}

/** Every setting as data, in the order of the documentation. */
export function settingsJson(): SettingFacts[] {
  return SECTION_LIST.flatMap(([name, section]) =>
    section.kind === "entries"
      ? [entriesFacts(name, section)]
      : Object.entries(section.settings).map(([key, setting]) =>
        settingFacts(`${name}.${key}`, setting)
      )
  );
}

/** The whole documentation as Markdown, in the form that `deno fmt` leaves alone. */
export function configDoc(): string {
  const sections = SECTION_LIST.map(([name, section]) => [
    `## [${name}]`,
    wrap(section.says),
    ...section.kind === "entries"
      ? [entriesDoc(name, section)]
      : Object.entries(section.settings).map(([key, setting]) =>
        settingDoc(`${name}.${key}`, setting)
      ),
  ]);
  return [...HEAD, ...sections.flat()].join("\n\n") + "\n";
}

/** One line a setting: key, then default or `required`. For `--help`. */
export function settingsHelp(): string {
  const facts = settingsJson();
  const width = Math.max(...facts.map(({ key }) => key.length));
  return facts.map((fact) => {
    const given = fact.required
      ? "(required)"
      : fact.default === null
      ? "(none)"
      : tomlValue(fact.default);
    return `  ${fact.key.padEnd(width)}  ${given}\n`;
  }).join("");
}

const HEAD = [
  "# Configuration",
  "<!-- Written by `bulkhead config doc`; change mod/config/settings.ts. -->",
  wrap(
    "One TOML file, `bulkhead.toml`. Only the supervisor reads it; every role " +
      "gets its own part and no more. `bulkhead check` reads it and starts " +
      "nothing. An unknown key, a value out of bounds, or two settings that " +
      "contradict each other stop the server before it opens a socket, and " +
      "the message names the line.",
  ),
  wrap(
    "Durations are a number with `ms`, `s`, `m`, `h`, `d` or `w`. Sizes are a " +
      "number with `B`, `KB`, `MB`, `GB`, `TB` (powers of 1,000) or `KiB`, " +
      "`MiB`, `GiB`, `TiB` (powers of 1,024), or plain octets. Domains and " +
      "names are the same in upper and lower case.",
  ),
];

function settingFacts(key: string, setting: Setting<unknown>): SettingFacts {
  return {
    key,
    type: setting.type,
    bounds: setting.bounds,
    says: setting.says,
    required: setting.need === "required",
    default: setting.default ?? null,
    example: setting.example ?? null,
  };
}

function entriesFacts(name: string, section: Entries<unknown>): SettingFacts {
  return {
    key: `${name}.*`,
    type: section.type,
    bounds: `up to ${section.max} entries`,
    says: section.says,
    required: false,
    default: null,
    example: null,
  };
}

function settingDoc(key: string, setting: Setting<unknown>): string {
  const { need, default: standard, example, bounds } = setting;
  const given = need === "required"
    ? "required"
    : standard === undefined
    ? "none"
    : `\`${tomlValue(standard)}\``;
  const facts = [
    `Type: ${setting.type}${bounds === "" ? "" : `, ${bounds}`}`,
    `Default: ${given}`,
    ...example === undefined ? [] : [`Example: \`${tomlValue(example)}\``],
  ];
  return [`### ${key}`, wrap(setting.says), facts.map(item).join("\n")]
    .join("\n\n");
}

function entriesDoc(name: string, section: Entries<unknown>): string {
  const examples = section.examples.map(([key, value]) =>
    `${tomlKey(key)} = ${tomlValue(value)}`
  );
  return [
    [`Type: ${section.type}`, `At most ${section.max} entries`].map(item)
      .join("\n"),
    ["```toml", `[${name}]`, ...examples, "```"].join("\n"),
  ].join("\n\n");
}

function item(text: string): string {
  return wrap(`- ${text}`, "  ");
}
