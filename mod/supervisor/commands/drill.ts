/** `bulkhead drill`: breaks in to every role's jail. */
import { install, isRoot } from "../installation.ts";
import { drillReport, runDrill } from "../drill.ts";
import { drillRecord, writeDrill } from "../facts/drill_record_io.ts";
import { openSite } from "../site_io.ts";
import { EXIT, failToOpen } from "./exit.ts";

/** Runs the drill; exit code 1 if one act succeeded. */
export async function drill(
  configPath: string,
  json: boolean,
  programs: ReadonlyMap<string, string>,
): Promise<number> {
  const opening = openSite(configPath);
  if (!opening.ok) return failToOpen(opening);
  const { opened } = opening;
  const beginMs = performance.now();
  const result = await runDrill({
    site: opened.plan.site,
    manifests: opened.plan.manifests,
    installation: await install(opened.paths.home, programs, opened.accounts),
    onProgress: (text: string) => {
      if (!json) console.error(text);
    },
  });
  const record = drillRecord(result, {
    atMs: Date.now(),
    tookMs: performance.now() - beginMs,
  });
  for (const fault of writeDrill(opened.paths.home, record)) {
    console.error(fault);
  }
  if (!isRoot() && !json) {
    console.error(
      "Started as an ordinary user, so all roles share it: the wall of " +
        "users is missing, and what only it denies is not denied.",
    );
  }
  console.log(json ? JSON.stringify(result) : drillReport(result));
  return result.acts.every((act) => act.denied) ? EXIT.ok : EXIT.no;
}
