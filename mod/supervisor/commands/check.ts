/**
 * `bulkhead check`: everything that keeps the server from working, or mail
 * from coming and going, at once, each with what mends it. Changes nothing
 * and opens no port.
 */
import { type Opened, openSite } from "../site_io.ts";
import { type Finding, finding } from "../up/finding.ts";
import { localFindings } from "../up/local_findings.ts";
import { askNetwork, type NetworkOptions } from "../up/network_findings.ts";
import { programFindings } from "../up/program_findings.ts";
import { visible } from "../../core/visible.ts";
import { EXIT, print } from "./exit.ts";
import { inspectQueue } from "./jailed.ts";

/** Options of `bulkhead check`. */
export interface CheckOptions extends NetworkOptions {
  readonly config: string;
  readonly json: boolean;
}

/**
 * Checks an installation.
 *
 * @returns 78 if the server could not start, 1 if something else is wrong
 */
export async function check(
  options: CheckOptions,
  programs: ReadonlyMap<string, string>,
): Promise<number> {
  const findings = await find(options, programs);
  const faults = findings.filter(({ kind }) => kind === "fault").length;
  const wrong = findings.filter(({ kind }) => kind === "wrong").length;
  print(
    options.json,
    { ok: faults + wrong === 0, findings },
    () => [...findingLines(findings), lastLine(faults, wrong)].join("\n"),
  );
  if (faults > 0) return EXIT.config;
  return wrong > 0 ? EXIT.no : EXIT.ok;
}

const MARK: Readonly<Record<Finding["kind"], string>> = {
  fault: "FAULT  ",
  wrong: "WRONG  ",
  warning: "warning",
  hint: "hint   ",
  good: "ok     ",
};

/** Findings for people: what mends one stands below it. */
export function findingLines(findings: readonly Finding[]): string[] {
  return findings.flatMap(({ kind, what, mend }) => [
    // Some of it was in the DNS, and goes to a terminal.
    visible(`${MARK[kind]} ${what}`, "?"),
    ...mend === undefined ? [] : [visible(`          -> ${mend}`, "?")],
  ]);
}

function lastLine(faults: number, wrong: number): string {
  if (faults > 0) return `${faults} to mend before the server can start.`;
  return wrong > 0
    ? `The server can start. ${wrong} to mend for mail to come and go well.`
    : "The server can start.";
}

async function find(
  options: CheckOptions,
  programs: ReadonlyMap<string, string>,
): Promise<Finding[]> {
  const opening = openSite(options.config);
  if (!opening.ok) {
    return opening.faults.map((what) =>
      finding("configuration", "fault", what)
    );
  }
  const { opened } = opening;
  const seen = localFindings({ opened, configPath: options.config });
  // A database that its role cannot open is not damaged.
  const isClosed = seen.some(({ area, kind }) =>
    area === "permissions" && kind === "fault"
  );
  const local = [
    ...seen,
    ...programFindings(programs),
    ...isClosed ? [] : [await databaseFinding(opened, programs)],
  ];
  // What cannot start needs no advice about the world.
  if (local.some(({ kind }) => kind === "fault")) return local;
  const network = await askNetwork(opened, programs, options);
  return [...local, ...network.findings];
}

async function databaseFinding(
  opened: Opened,
  programs: ReadonlyMap<string, string>,
): Promise<Finding> {
  const run = await inspectQueue(opened, programs, "check");
  return run.code === 0
    ? finding("queue", "good", "the queue's databases are whole")
    : finding(
      "queue",
      "fault",
      run.errors ||
        `the queue's database in ${opened.paths.queueDir} is damaged`,
    );
}
