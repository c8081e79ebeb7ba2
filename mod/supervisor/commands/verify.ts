/** `bulkhead verify`. */
import { careSite } from "../care/jail.ts";
import { JUST_LOOKING, readBackup } from "../care/source_io.ts";
import {
  type Verified,
  verifyMail,
  verifyMailboxes,
  verifyVersions,
} from "../care/verify.ts";
import { sizeText, wordsOf } from "../care/words.ts";
import { openSite } from "../site_io.ts";
import { say } from "./backup.ts";
import { EXIT, fail, failToOpen, print } from "./exit.ts";

/** Verifies a home or a backup: 0 whole, 1 damaged, 78 cannot be said. */
export async function verifyCommand(
  configPath: string,
  programs: ReadonlyMap<string, string>,
  { deep, backup, json }: {
    deep: boolean;
    backup: string | undefined;
    json: boolean;
  },
): Promise<number> {
  if (backup !== undefined) return await verifyBackup(backup, json);
  const opening = openSite(configPath);
  if (!opening.ok) return failToOpen(opening);
  const { config, accounts } = opening.opened;
  const site = careSite({ config, accounts, programs });
  const found: Verified[] = [
    {
      what: "configuration",
      ok: true,
      says: "it and the tree are as they should be",
    },
    verifyVersions(site),
    ...await verifyMail({ site, deep, say }),
    verifyMailboxes(site, say),
  ];
  return told(found, json);
}

async function verifyBackup(source: string, json: boolean): Promise<number> {
  try {
    const { header, entries, bytes, messages } = await readBackup(
      source,
      JUST_LOOKING,
      say,
    );
    return told([{
      what: "backup",
      ok: true,
      says:
        `${entries.size} files and directories, ${sizeText(bytes)}, all as ` +
        `its manifest says; made ${new Date(header.atMs).toISOString()} by ` +
        `bulkhead ${header.program} on ${header.hostname}, ${messages} ` +
        "messages in the queue",
    }], json);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) {
      return fail(EXIT.notFound, [`${source} is not there`]);
    }
    return told([{ what: "backup", ok: false, says: wordsOf(error) }], json);
  }
}

function told(found: readonly Verified[], json: boolean): number {
  const ok = found.every((one) => one.ok);
  print(json, { ok, found }, () =>
    [
      ...found.map(({ what, ok, says }) =>
        `${ok ? "ok     " : "DAMAGED"} ${what}: ${says}`
      ),
      ok ? "All of it is whole." : "Not all of it is whole.",
    ].join("\n"));
  return ok ? EXIT.ok : EXIT.no;
}
