// What the pages for people name must be there: settings and commands.
import assert from "node:assert/strict";
import type { Command } from "commander";
import { SECTIONS } from "../mod/config/settings.ts";
import { isThere } from "../mod/supervisor/replace_file.ts";
import { buildProgram } from "../mod/supervisor/commands/cli.ts";

const ROOT = new URL("../", import.meta.url);
const PAGES = [
  "README.md",
  ...[...Deno.readDirSync(new URL("docs", ROOT))]
    .filter(({ name }) => name.endsWith(".md"))
    .map(({ name }) => `docs/${name}`),
].map((path) => ({
  path,
  text: Deno.readTextFileSync(new URL(path, ROOT)),
}));

/** Every stretch between single backticks, also over a line's end. */
function codeIn(text: string): string[] {
  return [...text.matchAll(/`([^`]+)`/g)].map((found) =>
    found[1]!.replace(/\s+/g, " ")
  );
}

const settings = new Set(
  Object.entries(SECTIONS).flatMap(([section, { kind, ...rest }]) =>
    kind === "settings" && "settings" in rest
      ? Object.keys(rest.settings).map((key) => `${section}.${key}`)
      : []
  ),
);

for (const { path, text } of PAGES) {
  Deno.test(`${path} names only settings that there are`, () => {
    const named = codeIn(text)
      .map((code) => /^([a-z_]+)\.([a-z_0-9]+)(?= =|$)/.exec(code)?.[0])
      .filter((name) => name !== undefined)
      // A file's name, such as `role.ts`, is no setting.
      .filter((name) => Object.hasOwn(SECTIONS, name.split(".")[0]!));
    assert.deepEqual(named.filter((name) => !settings.has(name)), []);
  });

  Deno.test(`${path} names only commands that there are`, () => {
    const program = buildProgram({ programs: new Map(), ended: () => {} });
    const unknown = codeIn(text).filter((code) => code.startsWith("bulkhead "))
      .filter((code) => !isCommand(program, code.split(" ").slice(1)));
    assert.deepEqual(unknown, []);
  });
}

for (const { path, text } of PAGES) {
  Deno.test(`${path} links only to what is there`, () => {
    const page = new URL(path, ROOT);
    const missing = [...text.matchAll(/\]\(([^)#]+)/g)].map((found) =>
      found[1]!
    )
      .filter((link) => !link.includes("://"))
      .filter((link) => !isThere(new URL(link, page).pathname));
    assert.deepEqual(missing, []);
  });
}

/** True if the words begin with a command, whole; the rest is its own. */
function isCommand(command: Command, [word, ...rest]: string[]): boolean {
  if (word === undefined || !/^[a-z|-]+$/.test(word)) return true;
  if (word.startsWith("-")) return true;
  if (command.commands.length === 0) return true;
  return word.split("|").every((name) => {
    const found = command.commands.find((one) => one.name() === name);
    return found !== undefined && isCommand(found, rest);
  });
}
