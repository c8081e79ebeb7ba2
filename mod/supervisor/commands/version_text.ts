/** What `bulkhead --version` says. */
import { VERSION } from "../../core/version.ts";

/**
 * Release, commit and runtime in one line.
 *
 * @param programs URLs of the programs; the one file has `build.json` beside
 * them
 */
export function versionText(programs: ReadonlyMap<string, string>): string {
  return `${VERSION} (${commitOf(programs)}Deno ${Deno.version.deno})`;
}

function commitOf(programs: ReadonlyMap<string, string>): string {
  const [first] = programs.values();
  if (!first?.endsWith(".mjs")) return "";
  try {
    const facts = JSON.parse(
      Deno.readTextFileSync(new URL("build.json", first)),
    );
    return facts.commit === null ? "" : `commit ${facts.commit}, `;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return "";
    throw error;
  }
}
