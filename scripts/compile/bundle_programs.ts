/** Every program of the server, and the command line, as one file each. */
import { programs } from "../../main.ts";
import { placePrograms } from "../../mod/supervisor/installation.ts";
import type { Octets } from "./one_file.ts";

/**
 * Bundles everything.
 *
 * @returns By file name: `bulkhead.mjs` for people, `NAME.mjs` for what it
 * starts
 * @throws {Error} With the bundler's words
 */
export async function bundlePrograms(): Promise<Map<string, Octets>> {
  const home = Deno.makeTempDirSync({ prefix: "bulkhead-bundle-" });
  try {
    Deno.mkdirSync(`${home}/runtime`);
    const main = `${home}/bulkhead.mjs`;
    const [dir] = await Promise.all([
      placePrograms(home, programs),
      bundleMain(main),
    ]);
    const files = new Map([["bulkhead.mjs", Deno.readFileSync(main)]]);
    for (const { name } of Deno.readDirSync(dir)) {
      files.set(name, Deno.readFileSync(`${dir}/${name}`));
    }
    return files;
  } finally {
    Deno.removeSync(home, { recursive: true });
  }
}

async function bundleMain(output: string): Promise<void> {
  const root = new URL("../../", import.meta.url).pathname;
  // Small names, and no comments: those tell where Deno's cache lies.
  const { success, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [
      ...["bundle", "--quiet", "--frozen", "--minify"],
      ...["--output", output, "main.ts"],
    ],
    cwd: root,
    stdout: "null",
    stderr: "piped",
  }).output();
  if (success) return;
  throw new Error(
    `Cannot bundle: ${new TextDecoder().decode(stderr).trim()}`,
  );
}
