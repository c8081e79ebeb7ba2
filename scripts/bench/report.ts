/** Runs -> a table with both servers' numbers, and plain sentences. */
import type { ServerName } from "./options.ts";
import type {
  ConnectionRun,
  DiskRun,
  Door,
  DrainRun,
  FanOutRun,
  LatencyRun,
  LoadRun,
  MemoryRun,
  Run,
} from "./results.ts";
import { median } from "./results.ts";

/** One line of the table. */
export interface Row {
  readonly says: string;
  readonly unit: string;
  readonly better: "more" | "less";
  /** What each server reached in each round. */
  readonly values: ReadonlyMap<ServerName, readonly number[]>;
}

/** Facts for the head of the report. */
export interface Setting {
  readonly at: Date;
  readonly machine: string;
  readonly disk: string;
  /** Name and version of each server that was measured. */
  readonly servers: ReadonlyMap<ServerName, string>;
  readonly rounds: number;
  /** Why a server was not measured, or what else is not as it should be. */
  readonly remarks: readonly string[];
}

/** The report as Markdown. */
export function reportOf(runs: readonly Run[], setting: Setting): string {
  const rows = rowsOf(runs);
  return [
    ...headOf(runs, setting),
    "",
    ...tableOf(rows, setting),
    "",
    ...sentencesOf(rows),
    ...faultsOf(runs),
    "",
    ...partsOf(runs),
  ].join("\n");
}

function headOf(runs: readonly Run[], setting: Setting): string[] {
  const disks = runs.filter((run) => run.kind === "disk");
  const rate = (of: (run: DiskRun) => number) => whole(median(disks.map(of)));
  const loads = runs.filter((run) => run.kind === "load");
  const foreign = median(loads.map((run) => run.foreignCores ?? NaN));
  const versions = [...setting.servers.values()].join(", ");
  return [
    `- When: ${setting.at.toISOString().slice(0, 16)}Z, ${versions}; ` +
    `median of ${setting.rounds} rounds (lowest–highest)`,
    `- Machine: ${setting.machine}`,
    `- Disk: ${setting.disk}; one writer syncs ${rate((r) => r.append)} ` +
    `times a second appending, ${rate((r) => r.overwrite)} overwriting`,
    ...(Number.isNaN(foreign) ? [] : [
      `- Others kept ${foreign.toFixed(2)} cores busy meanwhile (median; ` +
      `load average ${rate2(disks.map((run) => run.loadAverage))})`,
    ]),
    ...setting.remarks.map((remark) => `- ${remark}`),
  ];
}

function rate2(values: readonly number[]): string {
  return `${Math.min(...values).toFixed(1)}–${Math.max(...values).toFixed(1)}`;
}

/** All lines, in the order of measuring. */
export function rowsOf(runs: readonly Run[]): Row[] {
  return [
    ...loadRows(runs.filter((run) => run.kind === "load")),
    ...latencyRows(runs.filter((run) => run.kind === "latency")),
    ...connectionRows(runs.filter((run) => run.kind === "connections")),
    ...fanOutRows(runs.filter((run) => run.kind === "fan-out")),
    ...drainRows(runs.filter((run) => run.kind === "drain")),
    ...memoryRows(runs.filter((run) => run.kind === "memory")),
  ];
}

function loadRows(runs: readonly LoadRun[]): Row[] {
  const loads = Map.groupBy(
    runs,
    (run) =>
      `${kib(run.sizeBytes)} to ${run.to === "maildir" ? "Maildir" : "relay"}` +
      `, ${run.sessions} ${run.sessions === 1 ? "session" : "sessions"}`,
  );
  return [...loads].flatMap(([says, same]): Row[] => [
    row(`${says}: accepted`, "/s", "more", same, (run) => run.accepted),
    row(
      `${says}: ${same[0]!.to === "maildir" ? "delivered" : "relayed"}`,
      "/s",
      "more",
      same,
      (run) => run.delivered,
    ),
    row(
      `${says}: CPU a message`,
      "ms",
      "less",
      same,
      (run) => run.fault === null ? run.cpuMsPerMessage : null,
    ),
  ]);
}

function latencyRows(runs: readonly LatencyRun[]): Row[] {
  if (runs.length === 0) return [];
  const one = (says: string, of: (run: LatencyRun) => number) =>
    row(`one message: ${says}`, "ms", "less", runs, of);
  return [
    one("acknowledged, p50", (run) => run.acknowledgedMs.p50),
    one("acknowledged, p99", (run) => run.acknowledgedMs.p99),
    one("in the Maildir, p50", (run) => run.visibleMs.p50),
    one("in the Maildir, p99", (run) => run.visibleMs.p99),
  ];
}

function connectionRows(runs: readonly ConnectionRun[]): Row[] {
  return [...Map.groupBy(runs, (run) => run.door)].flatMap(([door, same]) => [
    row(
      `connections, ${DOOR_NAMES[door]}`,
      "/s",
      "more",
      same,
      (run) => run.perSecond,
    ),
    row(
      `connections, ${DOOR_NAMES[door]}: CPU each`,
      "ms",
      "less",
      same,
      (run) => run.fault === null ? run.cpuMsPerConnection : null,
    ),
  ]);
}

const DOOR_NAMES: Readonly<Record<Door, string>> = {
  plain: "plain",
  tls: "with a TLS handshake",
  screened: "of a known client (postscreen, gate)",
};

function fanOutRows(runs: readonly FanOutRun[]): Row[] {
  if (runs.length === 0) return [];
  const says = `one message, ${runs[0]!.recipients} recipients, 100 next hops`;
  return [
    row(`${says}: drained`, "ms", "less", runs, (run) => run.drainedMs),
    row(`${says}: CPU`, "ms", "less", runs, (run) => run.cpuMs),
  ];
}

function drainRows(runs: readonly DrainRun[]): Row[] {
  return [...Map.groupBy(runs, (run) => run.atOnce)].flatMap(
    ([atOnce, same]) => {
      const says = `a full queue let out, ${atOnce} at once`;
      return [
        row(`${says}: relayed`, "/s", "more", same, (run) => run.perSecond),
        row(`${says}: CPU a message`, "ms", "less", same, (run) => run.cpuMs),
      ];
    },
  );
}

function memoryRows(runs: readonly MemoryRun[]): Row[] {
  const times = Map.groupBy(runs, (run) => run.when);
  return [...times].map(([when, same]) =>
    row(`idle memory ${when}`, "MiB", "less", same, (run) => run.pssMib)
  );
}

function row<R extends { readonly server: ServerName }>(
  says: string,
  unit: string,
  better: Row["better"],
  runs: readonly R[],
  of: (run: R) => number | null,
): Row {
  const values = new Map<ServerName, number[]>();
  for (const run of runs) {
    const value = of(run);
    if (value === null) continue;
    values.set(run.server, [...values.get(run.server) ?? [], value]);
  }
  return { says, unit, better, values };
}

/** Bulkhead / Postfix; undefined if one is missing. */
export function ratioOf({ values }: Row): number | undefined {
  const [ours, theirs] = [values.get("bulkhead"), values.get("postfix")];
  return ours && theirs ? median(ours) / median(theirs) : undefined;
}

/** Whether the ratio, as it is shown, says that Postfix is ahead. */
export function isBehind(row: Row): boolean {
  const ratio = Number(ratioOf(row)?.toFixed(2) ?? 1);
  return row.better === "more" ? ratio < 1 : ratio > 1;
}

function tableOf(rows: readonly Row[], { servers }: Setting): string[] {
  const names = [...servers.keys()];
  const line = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;
  return [
    line(["", ...names.map(title), "Bulkhead / Postfix", "better is"]),
    line(["---", ...names.map(() => "---:"), "---:", "---"]),
    ...rows.map((row) =>
      line([
        row.says,
        ...names.map((name) => cell(row.values.get(name), row.unit)),
        ratioOf(row)?.toFixed(2) ?? "–",
        row.better,
      ])
    ),
  ];
}

function title(name: ServerName): string {
  return name === "bulkhead" ? "Bulkhead" : "Postfix";
}

function cell(values: readonly number[] | undefined, unit: string): string {
  if (values === undefined) return "–";
  const text = unit === "ms" ? (v: number) => v.toFixed(2) : whole;
  const range = values.length > 1
    ? ` (${text(Math.min(...values))}–${text(Math.max(...values))})`
    : "";
  const gap = unit.startsWith("/") ? "" : " ";
  return `${text(median(values))}${gap}${unit}${range}`;
}

function sentencesOf(rows: readonly Row[]): string[] {
  const compared = rows.filter((row) => ratioOf(row) !== undefined);
  if (compared.length === 0) return ["Nothing to compare with in this run."];
  const behind = compared.filter(isBehind);
  if (behind.length === 0) {
    return [`Bulkhead is ahead or level in all ${compared.length} rows.`];
  }
  return [
    `Bulkhead is behind Postfix in ${behind.length} of ${compared.length} ` +
    "rows:",
    "",
    ...behind.map((row) => {
      const of = (name: ServerName) =>
        cell([median(row.values.get(name)!)], row.unit);
      return `- ${row.says}: ${of("bulkhead")} against ${of("postfix")}.`;
    }),
  ];
}

function faultsOf(runs: readonly Run[]): string[] {
  const failed = runs.filter((run) =>
    run.kind === "load" && (run.fault !== null || run.delivered === null)
  ) as LoadRun[];
  if (failed.length === 0) return [];
  return [
    "",
    "Loads that did not come through:",
    "",
    ...failed.map((run) =>
      `- ${title(run.server)}, round ${run.round}, ${kib(run.sizeBytes)}, ` +
      `${run.sessions} sessions to ${run.to}: ${run.arrived} of ` +
      `${run.messages} arrived; ${run.fault ?? "the client saw no fault"}`
    ),
  ];
}

/** Where Bulkhead's processor time goes. */
function partsOf(runs: readonly Run[]): string[] {
  const ours = runs.filter((run) =>
    run.kind === "load" && run.server === "bulkhead" && run.fault === null
  ) as LoadRun[];
  if (ours.length === 0) return [];
  const loads = [...Map.groupBy(
    ours,
    (run) => `${kib(run.sizeBytes)}, ${run.sessions}, ${run.to}`,
  )];
  const parts = [
    ...new Set(ours.flatMap((run) => Object.keys(run.cpuMsByPart))),
  ];
  const line = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;
  return [
    "CPU milliseconds a message by role (size, sessions, destination):",
    "",
    line(["", ...loads.map(([says]) => says)]),
    line(["---", ...loads.map(() => "---:")]),
    ...parts.map((part) =>
      line([
        part,
        ...loads.map(([, same]) =>
          median(same.map((run) => run.cpuMsByPart[part] ?? 0)).toFixed(2)
        ),
      ])
    ),
  ];
}

function kib(bytes: number): string {
  return bytes >= 2 ** 20 ? `${bytes / 2 ** 20} MiB` : `${bytes / 1_024} KiB`;
}

function whole(value: number): string {
  return Math.round(value).toLocaleString("en");
}
