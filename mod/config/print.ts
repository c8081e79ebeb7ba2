/** Writing TOML and wrapping prose. A library; pure. */
import type { Written } from "./kinds.ts";

/** A key as TOML: bare if it can be. */
export function tomlKey(key: string): string {
  return /^[A-Za-z0-9_-]+$/.test(key) ? key : JSON.stringify(key);
}

/** A value as TOML, on one line. */
export function tomlValue(value: Written): string {
  if (typeof value === "string") return tomlString(value);
  if (isList(value)) return `[${value.map(tomlString).join(", ")}]`;
  if (typeof value !== "object") return String(value);
  const pairs = Object.entries(value)
    .map(([key, one]) => `${tomlKey(key)} = ${tomlValue(one)}`);
  return `{ ${pairs.join(", ")} }`;
}

/**
 * Breaks prose into lines of at most 80 columns, as `deno fmt` does with
 * Markdown. Code spans and words longer than a line stay whole.
 *
 * @param indent Put before every line but the first
 */
export function wrap(prose: string, indent = ""): string {
  const lines: string[] = [];
  let line = "";
  for (const word of unbreakable(prose)) {
    if (line !== "" && line.length + 1 + word.length > 80) {
      lines.push(line);
      line = indent + word;
    } else line += (line === "" ? "" : " ") + word;
  }
  return [...lines, line].join("\n");
}

function isList(value: Written): value is readonly string[] {
  return Array.isArray(value);
}

// JSON's string escapes are TOML's, but for U+007F, which TOML wants escaped.
function tomlString(text: string): string {
  return JSON.stringify(text).replaceAll("\x7f", "\\u007f");
}

/** Words, where a code span with spaces is one word. */
function unbreakable(prose: string): string[] {
  const words: string[] = [];
  let open = false;
  for (const word of prose.split(" ")) {
    if (open) words.push(`${words.pop()} ${word}`);
    else words.push(word);
    if (word.split("`").length % 2 === 0) open = !open;
  }
  return words;
}
