/** Finds and reads all dialogs of this folder. */
import { type Dialog, parseDialogs } from "./dialog.ts";

/** Every dialog, in the order of file names. */
export function readDialogs(): Dialog[] {
  const folder = new URL(".", import.meta.url);
  return [...Deno.readDirSync(folder)]
    .map(({ name }) => name)
    .filter((name) => name.endsWith(".txt"))
    .sort()
    .flatMap((name) =>
      parseDialogs(name, Deno.readTextFileSync(new URL(name, folder)))
    );
}
