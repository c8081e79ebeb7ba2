/**
 * `bulkhead check`: everything that would keep the server from working, at
 * once, each with what mends it. Changes nothing and opens no port.
 */
import { describeAbi, landlockAbi } from "../../walls/landlock.ts";
import { libcPath, loadedLibraries, openLibc } from "../../walls/libc.ts";
import { statfsSync } from "node:fs";
import { doubtsAbout, erasedPlaces } from "../erased_places.ts";
import { isRoot } from "../installation.ts";
import { type Opened, openSite } from "../site_io.ts";
import { listenTcp } from "../sockets.ts";
import { readStatus } from "../status_file.ts";
import { EXIT, print } from "./exit.ts";
import { runJailed } from "./jailed.ts";

/** One finding. */
interface Finding {
  readonly kind: "fault" | "warning" | "good";
  readonly what: string;
}

/** Checks an installation; exit code 78 if something must be mended. */
export async function check(
  configPath: string,
  json: boolean,
  programs: ReadonlyMap<string, string>,
): Promise<number> {
  const findings = await find(configPath, programs);
  const faults = findings.filter((one) => one.kind === "fault");
  print(
    json,
    { ok: faults.length === 0, findings },
    () =>
      findings.map(({ kind, what }) => `${MARK[kind]} ${what}`).join("\n") +
      "\n" + (faults.length === 0
        ? "The server can start."
        : `${faults.length} to mend before the server can start.`),
  );
  return faults.length === 0 ? EXIT.ok : EXIT.config;
}

const MARK = { fault: "FAULT  ", warning: "warning", good: "ok     " };

async function find(
  configPath: string,
  programs: ReadonlyMap<string, string>,
): Promise<Finding[]> {
  const opening = openSite(configPath);
  if (!opening.ok) {
    return opening.faults.map((what) => ({ kind: "fault", what }));
  }
  const { opened } = opening;
  return [
    { kind: "good", what: `${configPath} says nothing wrong` },
    ...opened.warnings.map((what): Finding => ({ kind: "warning", what })),
    ...wallFindings(),
    ...portFindings(opened),
    ...diskFindings(opened),
    ...erasureFindings(opened),
    await databaseFinding(opened, programs),
  ];
}

function wallFindings(): Finding[] {
  const libraries = loadedLibraries(Deno.readTextFileSync("/proc/self/maps"));
  const abi = landlockAbi(openLibc(libcPath(libraries)));
  return [
    {
      kind: abi >= 4 ? "good" : "warning",
      what: `Landlock ${describeAbi(abi)}` +
        (abi >= 4 ? "" : "; a newer kernel gives a stronger wall"),
    },
    isRoot() ? { kind: "good", what: "every role has a user of its own" } : {
      kind: "warning",
      what: "all roles run as one user, because this is not root",
    },
  ];
}

function portFindings(opened: Opened): Finding[] {
  if (readStatus(opened.paths.runDir)) {
    return [{ kind: "good", what: "the server is running" }];
  }
  const libc = openLibc(opened.plan.site.libc);
  return [...opened.plan.listen.values()].flat().map(
    ({ host, port }): Finding => {
      try {
        libc.close(listenTcp(libc, host, port));
        return { kind: "good", what: `${host}:${port} is free` };
      } catch (error) {
        return { kind: "fault", what: (error as Error).message };
      }
    },
  );
}

function diskFindings(opened: Opened): Finding[] {
  const { config, paths } = opened;
  const least = Math.max(config.spool.min_free, config.queue.min_free);
  const free = freeBytes(paths.spoolDir);
  return [
    free < least
      ? {
        kind: "fault",
        what: `${paths.spoolDir} has ${mib(free)} free and needs ${
          mib(least)
        }: new mail would get 452; make room, or lower spool.min_free`,
      }
      : { kind: "good", what: `${paths.spoolDir} has ${mib(free)} free` },
  ];
}

function erasureFindings(opened: Opened): Finding[] {
  const libc = openLibc(opened.plan.site.libc);
  const doubts = doubtsAbout(erasedPlaces(libc, opened.paths));
  return doubts.length === 0
    ? [{
      kind: "good",
      what: "what is overwritten here is overwritten in place",
    }]
    : doubts.map((what) => ({ kind: "warning", what }));
}

async function databaseFinding(
  opened: Opened,
  programs: ReadonlyMap<string, string>,
): Promise<Finding> {
  const { queueDir, eventsDir } = opened.paths;
  const run = await runJailed(
    opened,
    "queue",
    ["inspect", queueDir, eventsDir, "check"],
    programs,
  );
  return run.code === 0
    ? {
      kind: "good",
      what: "the queue's databases are whole",
    }
    : {
      kind: "fault",
      what: run.errors || `the queue's database in ${queueDir} is damaged`,
    };
}

function mib(octets: number): string {
  return `${Math.floor(octets / 1_048_576)} MiB`;
}

function freeBytes(path: string): number {
  const { bavail, bsize } = statfsSync(path);
  return Number(bavail) * Number(bsize);
}
