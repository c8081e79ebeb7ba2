/**
 * Whether a file is a whole program of this kind, before it takes the place of
 * the installed one.
 */
import { dirname } from "node:path";
import { int, object, text } from "../../ipc/schema.ts";
import { isForRoles } from "../in_place.ts";
import { removeTree } from "./sink_io.ts";

/** What `--version --json` says; a newer program may say more. */
const said = object({
  program: text({ max: 64 }),
  formats: object({ queue: int({ min: 1, max: 1_000_000 }) }).loose(),
}).loose();

/**
 * Runs it, and tells what is wrong with it; undefined if nothing is. All of
 * the one file is unpacked anew and compared with its digests: what was
 * unpacked of an earlier one, such as the runtime, says nothing about this.
 */
export async function faultOfProgram(
  file: string,
): Promise<string | undefined> {
  let info: Deno.FileInfo;
  try {
    info = Deno.statSync(file);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    return `${file} is not there`;
  }
  if (!info.isFile) return `${file} is no file`;
  if (((info.mode ?? 0) & 0o111) === 0) {
    return `${file} may not be executed: chmod +x ${file}`;
  }
  const scratch = scratchDir();
  try {
    const { success, stdout, stderr } = await new Deno.Command(file, {
      args: ["--version", "--json"],
      stdin: "null",
      ...scratch === undefined ? {} : { env: { BULKHEAD_RUNTIME: scratch } },
    }).output();
    if (success && isVersion(new TextDecoder().decode(stdout))) return;
    const words = new TextDecoder().decode(stderr).trim().slice(0, 1_000)
      .replaceAll(/^bulkhead: /gm, "");
    return `${file} is no program of this kind for this machine, or damaged` +
      (words === "" ? "" : `: ${words}`);
  } catch (error) {
    return `${file} does not run here: ${(error as Error).message}`;
  } finally {
    if (scratch !== undefined) removeTree(scratch);
  }
}

function isVersion(words: string): boolean {
  try {
    return said.safeParse(JSON.parse(words)).success;
  } catch {
    return false;
  }
}

/** Beside what runs, where programs may run; by a name that a start clears away. */
function scratchDir(): string | undefined {
  const runtime = Deno.execPath();
  if (Deno.env.get("BULKHEAD_FILE") === undefined || !isForRoles(runtime)) {
    return undefined;
  }
  try {
    const dir = dirname(dirname(runtime));
    return Deno.makeTempDirSync({ dir, prefix: ".new-" });
  } catch (error) {
    // Root unpacked it, and a user asks.
    if (error instanceof Deno.errors.PermissionDenied) return undefined;
    throw error;
  }
}
