/**
 * Whether what the one file unpacked is still what it unpacked. A start looks
 * at owner, mode and size alone; here every octet is read. The names of the
 * directories are digests, so nothing else has to be trusted.
 */
import { createHash } from "node:crypto";
import { basename, dirname } from "node:path";
import { type Finding, finding } from "./finding.ts";

/**
 * Looks at the directories that this process runs from.
 *
 * @param programs URLs of the programs; nothing is said of a checkout
 */
export function programFindings(
  programs: ReadonlyMap<string, string>,
  runtime = Deno.execPath(),
): Finding[] {
  const [first] = programs.values();
  if (!first?.endsWith(".mjs")) return [];
  const dir = dirname(new URL(first).pathname);
  const parts = [
    { dir: dirname(runtime), digest: () => sha256(Deno.readFileSync(runtime)) },
    { dir, digest: () => sha256(listOf(dir)) },
  ].filter((one) => /^(runtime|programs)-/.test(basename(one.dir)));
  if (parts.length === 0) return [];
  const faults = parts.flatMap(({ dir, digest }) => {
    const name = basename(dir);
    try {
      if (name.endsWith(`-${digest().slice(0, 16)}`)) return [];
    } catch (error) {
      // Nobody but root can read the runtime.
      if (error instanceof Deno.errors.PermissionDenied) return [];
      throw error;
    }
    return [finding(
      "disk",
      "fault",
      `${dir} is damaged: it is not what was unpacked`,
      `stop the server, rm -r ${dir}, start it again; and look after the disk`,
    )];
  });
  return faults.length > 0
    ? faults
    : [finding("disk", "good", "the program is as it was unpacked")];
}

/** The list that the launcher has, of a directory as it is. */
function listOf(dir: string): string {
  return [...Deno.readDirSync(dir)].map(({ name }) => name).sort()
    .map((name) => {
      const octets = Deno.readFileSync(`${dir}/${name}`);
      return `${sha256(octets)} ${octets.length} ${name}`;
    }).join("\n");
}

function sha256(content: Uint8Array | string): string {
  return createHash("sha256").update(content).digest("hex");
}
