/**
 * `deno task bench`: Bulkhead next to a real Postfix, on the same disk, in the
 * same run, load by load in turn; the median of some rounds counts.
 *
 * Everything it starts it ends, and everything it makes it removes, when it
 * is done, when it fails, and on Ctrl-C.
 */
import { startBulkhead } from "./bench/bulkhead.ts";
import { run, sleep } from "./bench/command.ts";
import { measureConnections } from "./bench/connections.ts";
import { type Disk, flush, openDisk } from "./bench/disk.ts";
import { withReport } from "./bench/document.ts";
import { measureDrain } from "./bench/drain.ts";
import { type FanSink, measureFanOut, startFanSink } from "./bench/fan_out.ts";
import { measureLatency } from "./bench/latency.ts";
import { measureLoad, messagesOf } from "./bench/load.ts";
import { describeMachine, missingPrograms } from "./bench/machine.ts";
import {
  HELP,
  type Options,
  parseOptions,
  type ServerName,
} from "./bench/options.ts";
import { startPostfix } from "./bench/postfix.ts";
import { ProcessGroup } from "./bench/process_group.ts";
import { reportOf } from "./bench/report.ts";
import {
  type Destination,
  DOORS,
  type MemoryRun,
  type Run,
} from "./bench/results.ts";
import { DRAINS, freePorts, type Ground, type Server } from "./bench/server.ts";
import { type Sink, startSink } from "./bench/sink.ts";
import { probeSyncs } from "./bench/sync_probe.ts";

const DOCUMENT = new URL("../docs/performance.md", import.meta.url);
const DISK_MIB = 2_048;

/** A bench that is set up. */
interface Bench {
  readonly options: Options;
  readonly disk: Disk;
  readonly servers: readonly Server[];
  readonly sink: Sink | undefined;
  readonly fanSink: FanSink | undefined;
  readonly drainPort: number;
  /** Processes of the load generator. */
  readonly clients: ProcessGroup;
  /** Every run, told as soon as it is measured. */
  readonly runs: Run[];
}

const START: Record<ServerName, (ground: Ground) => Promise<Server>> = {
  bulkhead: startBulkhead,
  postfix: startPostfix,
};

/** Measures and reports; returns the exit code. */
async function main(): Promise<number> {
  const options = parseOptions(Deno.args);
  if (options === "help") {
    console.log(HELP);
    return 0;
  }
  const stack = new AsyncDisposableStack();
  let ending: Promise<void> | undefined;
  const end = () => ending ??= stack.disposeAsync();
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    Deno.addSignalListener(signal, () => end().finally(() => Deno.exit(130)));
  }
  try {
    return await bench(options, stack);
  } finally {
    await end();
  }
}

async function bench(
  options: Options,
  stack: AsyncDisposableStack,
): Promise<number> {
  const at = new Date();
  const { chosen, remarks } = await possible(options);
  if (chosen.length === 0) {
    console.error(`bench: ${remarks.join("\n")}`);
    return 1;
  }
  tell("making the disk");
  const disk = await openDisk({ dir: options.dir, mib: DISK_MIB }, stack);
  const sinkPort = freePorts(26_990, 1);
  const sink = options.relay ? await startSink(sinkPort) : undefined;
  if (sink) stack.defer(() => sink.stop());
  const fanPort = freePorts(27_600, 1);
  const drainPort = freePorts(27_700, DRAINS.length);
  const fanSink = options.outbound ? await startFanSink(fanPort) : undefined;
  if (fanSink) stack.defer(() => fanSink.stop());
  const clients = groupOf("clients", stack);
  const servers: Server[] = [];
  for (const name of chosen) {
    tell(`starting ${name}`);
    const ground = {
      group: groupOf(name, stack),
      dir: `${disk.dir}/${name}`,
      port: freePorts(25_250, 4),
      sinkPort,
      fanPort,
      drainPort,
    };
    const server = await START[name](ground);
    stack.defer(() => server.stop());
    servers.push(server);
  }
  const set: Bench = {
    ...{ options, disk, servers, sink, fanSink, drainPort, clients },
    runs: [],
  };
  await measure(set);
  const report = reportOf(set.runs, {
    at,
    machine: describeMachine(),
    disk: disk.says,
    servers: new Map(servers.map(({ name, says }) => [name, says])),
    rounds: options.rounds,
    remarks,
  });
  if (!options.json) console.log(report);
  if (options.write) await writeDocument(report);
  return 0;
}

function groupOf(name: string, stack: AsyncDisposableStack): ProcessGroup {
  const group = ProcessGroup.open(name);
  stack.defer(() => group.end());
  return group;
}

/** Which of the wanted servers can be measured here, and why not the others. */
async function possible(
  { servers, relay }: Options,
): Promise<{ chosen: ServerName[]; remarks: string[] }> {
  const clients = ["smtp-source", ...(relay ? ["smtp-sink"] : [])];
  const noClients = await missingPrograms(clients);
  if (noClients.length > 0) {
    const remark = `${noClients.join(", ")} not found: install Postfix`;
    return { chosen: [], remarks: [remark] };
  }
  const isRoot = Deno.uid() === 0;
  const missing = await missingPrograms(["postfix"]);
  const canPostfix = isRoot && missing.length === 0;
  const remarks = isRoot ? [] : [
    "Not started as root: no disk of its own, all roles under one user.",
  ];
  if (servers.includes("postfix") && !canPostfix) {
    const why = isRoot ? "it is not installed" : "it needs root";
    remarks.push(`Postfix was not measured: ${why}.`);
  }
  const chosen = servers.filter((name) => name !== "postfix" || canPostfix);
  return { chosen, remarks };
}

async function measure(bench: Bench): Promise<void> {
  const { options, servers } = bench;
  await sleep(2_000);
  for (const server of servers) record(bench, memoryOf(server, "after start"));
  const destinations: Destination[] = ["maildir"];
  if (bench.sink) destinations.push("relay");
  for (const server of servers) await warmUp(bench, server);
  for (let round = 1; round <= options.rounds; round++) {
    await flush(bench.disk);
    const loadAverage = Deno.loadavg()[0]!;
    const rate = probeSyncs(bench.disk.dir);
    record(bench, { kind: "disk", round, ...rate, loadAverage });
    // Whoever goes first pays for a disk that is still busy: take turns.
    const order = round % 2 === 1 ? servers : servers.toReversed();
    if (options.outbound) await measureOutbound(bench, { round, order });
    if (!options.inbound) continue;
    for (const to of destinations) {
      await measureLoads(bench, { round, to, order });
    }
    for (const server of order) {
      const messages = options.latencyMessages;
      const { disk } = bench;
      record(bench, await measureLatency(server, { round, messages, disk }));
    }
    for (const door of DOORS) {
      const connections = options.connections;
      for (const server of order) {
        const load = { round, door, connections };
        const { clients, disk } = bench;
        const ground = { clients, dir: disk.dir };
        record(bench, await measureConnections(server, load, ground));
      }
    }
  }
  await sleep(2_000);
  for (const server of servers) record(bench, memoryOf(server, "after load"));
}

async function measureOutbound(
  bench: Bench,
  { round, order }: { round: number; order: readonly Server[] },
): Promise<void> {
  const { disk, clients, fanSink, drainPort, options } = bench;
  for (const server of order) {
    const sink = fanSink!;
    record(bench, await measureFanOut(server, { round, sink, disk }));
  }
  for (const [i, atOnce] of DRAINS.entries()) {
    for (const server of order) {
      const load = {
        ...{ round, atOnce, port: drainPort + i, sizeBytes: 2_048 },
        messages: Math.round((atOnce === 1 ? 1_000 : 3_000) * options.scale),
      };
      record(bench, await measureDrain(server, load, { disk, clients }));
    }
  }
}

async function measureLoads(
  bench: Bench,
  { round, to, order }: {
    round: number;
    to: Destination;
    order: readonly Server[];
  },
): Promise<void> {
  const { sizes, sessions, scale } = bench.options;
  for (const sizeBytes of sizes) {
    for (const count of sessions) {
      const size = { sizeBytes, sessions: count };
      const messages = messagesOf({ ...size, scale });
      for (const server of order) {
        const load = { round, to, ...size, messages };
        record(bench, await measureLoad(server, load, bench));
      }
    }
  }
}

/** The first messages pay for just-in-time compiling and for new processes. */
async function warmUp(bench: Bench, server: Server): Promise<void> {
  const load = { round: 0, sizeBytes: 2_048, sessions: 10, messages: 2_000 };
  const warm = await measureLoad(server, { ...load, to: "maildir" }, bench);
  if (warm.fault === null && warm.delivered !== null) return;
  throw new Error(
    `Cannot measure ${server.name}: ${warm.arrived} of ${warm.messages} ` +
      `messages arrived; ${warm.fault}`,
  );
}

function memoryOf(server: Server, when: MemoryRun["when"]): MemoryRun {
  return {
    kind: "memory",
    server: server.name,
    when,
    pssMib: server.group.pssMib() ?? null,
    processes: server.group.pids().length,
  };
}

function record({ runs, options }: Bench, one: Run): void {
  runs.push(one);
  const line = JSON.stringify(one);
  if (options.json) console.log(line);
  else tell(line);
}

function tell(text: string): void {
  console.error(`bench: ${text}`);
}

async function writeDocument(report: string): Promise<void> {
  const before = Deno.readTextFileSync(DOCUMENT);
  Deno.writeTextFileSync(DOCUMENT, withReport(before, report));
  await run([Deno.execPath(), "fmt", "--quiet", DOCUMENT.pathname]);
  tell("docs/performance.md is written");
}

Deno.exit(await main());
