/**
 * Dialogs to begin with: what the clients of `tests/dialogs` say, and some
 * that the grammar makes.
 */
import { type Dialog, dialog } from "./grammar.ts";
import { Random } from "./random.ts";

const FOLDER = new URL("../dialogs/", import.meta.url);
const MADE = 2_000;

/** All there are; always the same ones in the same order. */
export function dialogSeeds(): Dialog[] {
  const seeds = transcripts();
  for (let i = 0; i < MADE; i++) seeds.push(dialog(Random.of(1, i)));
  return seeds;
}

/** What `C:` lines of the transcripts say; none if there is no such folder. */
function transcripts(): Dialog[] {
  let names: string[];
  try {
    names = [...Deno.readDirSync(FOLDER)].map(({ name }) => name);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw error;
  }
  return names.filter((name) => name.endsWith(".txt")).sort().map((name) =>
    Deno.readTextFileSync(new URL(name, FOLDER)).split("\n")
      .filter((line) => line.startsWith("C:"))
      .map((line) => line.slice(2).trimStart() + "\r\n")
  ).filter((said) => said.length > 0);
}
