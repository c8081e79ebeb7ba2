/**
 * `bulkhead shred status` and `bulkhead shred verify`, server running or not.
 *
 * What roles wrote is read in their jails: keys and database in the queue's,
 * segments in the spool's. Here is only what lies under the directories, and
 * the trial, which needs no role's octets.
 */
import { visible } from "../../core/visible.ts";
import { queueErasure } from "../../queue/erasure_ipc.ts";
import { spoolErasure } from "../../spool/erasure_ipc.ts";
import { openLibc } from "../../walls/libc.ts";
import { type ErasedPlace, erasedPlaces } from "../erased_places.ts";
import {
  type Erasure,
  faultsOf,
  type Finding,
  guaranteeFor,
  pendingOf,
  trialFinding,
} from "../erasure.ts";
import { isThere } from "../replace_file.ts";
import { type Opened, type Opening, openSite } from "../site_io.ts";
import { tryErasing } from "../try_erasing.ts";
import { EXIT, failToOpen, print } from "./exit.ts";
import { inspectQueue, runJailed } from "./jailed.ts";

/** Prints what is pending; exit code 1 if something is. */
export async function shredStatus(
  configPath: string,
  json: boolean,
  programs: ReadonlyMap<string, string>,
): Promise<number> {
  const looked = await look(configPath, "status", programs);
  if (!looked.ok) return failToOpen(looked);
  return tell(json, looked.erasure, pendingOf(looked.erasure));
}

/** Checks what can be checked; exit code 1 if something is pending or wrong. */
export async function shredVerify(
  configPath: string,
  json: boolean,
  programs: ReadonlyMap<string, string>,
): Promise<number> {
  const looked = await look(configPath, "verify", programs);
  if (!looked.ok) return failToOpen(looked);
  const { erasure, opened } = looked;
  const libc = openLibc(opened.plan.site.libc);
  const findings = [
    ...pendingOf(erasure),
    ...faultsOf(erasure),
    trialFinding(await tryErasing(libc, opened.paths.spoolDir)),
  ];
  return tell(json, erasure, findings);
}

type Looked =
  | { readonly ok: true; readonly erasure: Erasure; readonly opened: Opened }
  | Exclude<Opening, { readonly ok: true }>;

async function look(
  configPath: string,
  what: "status" | "verify",
  programs: ReadonlyMap<string, string>,
): Promise<Looked> {
  const opening = openSite(configPath);
  if (!opening.ok) return opening;
  const { opened } = opening;
  const { paths, config } = opened;
  const spoolRun = await runJailed(opened, "spool", [
    "inspect-spool",
    what,
    paths.spoolDir,
    paths.spentDir,
  ], programs);
  if (spoolRun.code !== 0) {
    return cannot(`the spool in ${paths.spoolDir}`, spoolRun.errors);
  }
  const hasQueue = isThere(`${paths.queueDir}/queue.db`);
  const queueRun = hasQueue
    ? await inspectQueue(opened, programs, "erasure")
    : undefined;
  if (queueRun !== undefined && queueRun.code !== 0) {
    return cannot(`the queue in ${paths.queueDir}`, queueRun.errors);
  }
  const places = erasedPlaces(openLibc(opened.plan.site.libc), paths);
  return {
    ok: true,
    opened,
    erasure: {
      queue: queueRun === undefined
        ? null
        : queueErasure.parse(JSON.parse(queueRun.out)),
      spool: spoolErasure.parse(JSON.parse(spoolRun.out)),
      places,
      guarantee: guaranteeFor(places),
      forgetWithinMs: config.queue.forget_within,
    },
  };
}

function cannot(what: string, errors: string): Looked {
  return {
    ok: false,
    faults: [errors === "" ? `${what} cannot be read` : errors],
  };
}

const MARK = { good: "ok     ", pending: "PENDING", wrong: "WRONG  " };

function tell(
  json: boolean,
  erasure: Erasure,
  findings: readonly Finding[],
): number {
  const holds = findings.every((one) => one.kind === "good");
  print(json, { holds, findings, ...erasure }, () =>
    [
      ...findings.map(({ kind, what }) => `${MARK[kind]} ${what}`),
      "",
      ...placeLines(erasure.places),
      "",
      erasure.guarantee,
    ].map((line) => visible(line, "?")).join("\n"));
  return holds ? EXIT.ok : EXIT.no;
}

/** One line for all directories of which the same is true. */
function placeLines(places: readonly ErasedPlace[]): string[] {
  const bySentence = Map.groupBy(places, ({ sentence }) => sentence);
  return [...bySentence].map(([sentence, of]) =>
    `${of.map(({ what, dir }) => `${what} in ${dir}`).join(", ")}: ${sentence}`
  );
}
