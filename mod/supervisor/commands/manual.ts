/** `bulkhead completion` and `bulkhead man`. */
import type { Command } from "commander";
import { settingsJson } from "../../config/document.ts";
import { VERSION } from "../../core/version.ts";
import { wordsOf } from "../care/words.ts";
import { commandFacts } from "../manual/command_facts.ts";
import { completionScript, type Shell } from "../manual/completion.ts";
import { type ManPage, manPages } from "../manual/man_pages.ts";
import { EXIT, EXIT_SAYS, fail } from "./exit.ts";

/** Prints the script of a shell. */
export function completion(program: Command, shell: Shell): number {
  console.log(completionScript(shell, commandFacts(program)).trimEnd());
  return EXIT.ok;
}

/** Prints one page, or puts all into a directory. */
export function man(
  program: Command,
  name: string | undefined,
  dir: string | undefined,
): number {
  const pages = allPages(program);
  if (dir !== undefined) return install(pages, dir);
  const title = name === undefined || name === "bulkhead"
    ? "bulkhead"
    : name.startsWith("bulkhead")
    ? name
    : `bulkhead-${name}`;
  const page = pages.find(({ file }) => file.slice(0, -2) === title);
  if (page === undefined) {
    const names = pages.map(({ file }) => file.slice(0, -2)).join(", ");
    return fail(EXIT.notFound, [
      `there is no page ${title}; there are ${names}`,
    ]);
  }
  console.log(page.text.trimEnd());
  return EXIT.ok;
}

/** The pages of a program, dated today. */
export function allPages(program: Command): ManPage[] {
  return manPages({
    program: commandFacts(program),
    settings: settingsJson(),
    exits: Object.entries(EXIT).map(([name, code]) => ({
      code,
      says: EXIT_SAYS[name as keyof typeof EXIT],
    })),
    version: VERSION,
    date: new Date().toISOString().slice(0, 10),
  });
}

/** Into `DIR/man1` and `DIR/man5`, as man(1) looks for them. */
function install(pages: readonly ManPage[], dir: string): number {
  try {
    for (const { file, text } of pages) {
      const section = `${dir}/man${file.at(-1)}`;
      Deno.mkdirSync(section, { recursive: true });
      Deno.writeTextFileSync(`${section}/${file}`, text);
    }
  } catch (error) {
    return fail(EXIT.config, [
      `${dir} cannot take the pages: ${wordsOf(error)}`,
    ]);
  }
  console.log(`${pages.length} pages in ${dir}`);
  return EXIT.ok;
}
