/**
 * Writes the `bulkhead.toml` of a new installation: what was given, and, as
 * comments, the settings that are most often wanted, each with its sentence.
 */
import type { Setting, Written } from "./kinds.ts";
import { tomlKey, tomlValue, wrap } from "./print.ts";
import type { Entries } from "./routing.ts";
import { type AnySection, SECTION_LIST, SECTIONS } from "./settings.ts";

/** Values to write, by section and key, in the form that the file has them. */
export type ConfigValues = {
  readonly [S in keyof typeof SECTIONS]?: (typeof SECTIONS)[S] extends
    Entries<unknown> ? ReadonlyMap<string, Written>
    : (typeof SECTIONS)[S] extends { settings: infer M }
      ? { readonly [K in keyof M]?: Written }
    : never;
};

/**
 * Renders a file that `loadConfig` reads back.
 *
 * Checks nothing: load the result before writing it, so that a bad value is
 * refused in the one place that does.
 */
export function renderConfig(values: ConfigValues): string {
  const sections = SECTION_LIST.map(([name, section]) =>
    renderSection(name, section, given(values, name))
  );
  return [...HEAD, ...sections.filter((text) => text !== "")].join("\n") + "\n";
}

const HEAD = [
  "# Configuration of bulkhead. All settings: bulkhead config doc",
  "# After a change: bulkhead check --config FILE",
];

type Given = readonly (readonly [string, Written])[];

function given(values: ConfigValues, name: string): Given {
  const all = Object.entries(values).find(([section]) => section === name)?.[1];
  if (all === undefined) return [];
  return all instanceof Map ? [...all] : Object.entries(all);
}

function renderSection(
  name: string,
  section: AnySection,
  given: Given,
): string {
  const lines = section.kind === "entries"
    ? renderEntries(section, given)
    : Object.entries(section.settings).flatMap(([key, setting]) =>
      renderSetting(key, setting, given.find(([one]) => one === key)?.[1])
    );
  return lines.length === 0 ? "" : ["", `[${name}]`, ...lines].join("\n");
}

function renderSetting(
  key: string,
  setting: Setting<unknown>,
  value: Written | undefined,
): string[] {
  const inactive = setting.default ?? setting.example;
  if (value === undefined && !(setting.inInit && inactive !== undefined)) {
    return [];
  }
  const line = value === undefined
    ? `#${key} = ${tomlValue(inactive!)}`
    : `${key} = ${tomlValue(value)}`;
  return [...comment(setting.says), line];
}

function renderEntries(section: Entries<unknown>, given: Given): string[] {
  const line = ([key, value]: readonly [string, Written]) =>
    `${tomlKey(key)} = ${tomlValue(value)}`;
  return [
    ...comment(section.says),
    ...given.length > 0
      ? given.map(line)
      : section.examples.map((one) => `#${line(one)}`),
  ];
}

function comment(prose: string): string[] {
  return wrap(`# ${prose}`, "# ").split("\n");
}
