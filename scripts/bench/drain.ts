/**
 * Draining: messages that wait because their next hop was away, which is back
 * now and takes so many sessions at once. What is measured is the way out
 * alone.
 */
import { attempt, sleep, until } from "./command.ts";
import { type Disk, flush } from "./disk.ts";
import type { ProcessGroup } from "./process_group.ts";
import type { DrainRun } from "./results.ts";
import { drainDomain, type Server } from "./server.ts";
import { startSink } from "./sink.ts";

const CLIENT_WITHIN_S = 60;
const FIRST_WITHIN_MS = 60_000;
const ALL_WITHIN_MS = 60_000;

/** Fills the queue, lets it out, and measures from the first to the last. */
export async function measureDrain(
  server: Server,
  load: {
    round: number;
    atOnce: number;
    port: number;
    messages: number;
    sizeBytes: number;
  },
  { disk, clients }: { disk: Disk; clients: ProcessGroup },
): Promise<DrainRun> {
  const { round, atOnce, port, messages, sizeBytes } = load;
  const log = `${disk.dir}/smtp-source.log`;
  const filled = await clients.start([
    ...["timeout", `${CLIENT_WITHIN_S}`, "smtp-source", "-d"],
    ...["-s", "20", "-m", `${messages}`, "-l", `${sizeBytes}`],
    ...["-f", "a@from.test", "-t", `u@${drainDomain(atOnce)}`],
    ...[`127.0.0.1:${server.port}`],
  ] as [string, ...string[]], log).status;
  const said = (await attempt(["tail", "-n", "2", log])).out;
  Deno.removeSync(log);
  const run = { kind: "drain", server: server.name, round, atOnce } as const;
  if (!filled.success) {
    return {
      ...run,
      messages,
      arrived: 0,
      perSecond: null,
      cpuMs: 0,
      fault: said,
    };
  }
  await server.group.settle(15_000);
  await sleep(500);
  await flush(disk);
  const sink = await startSink(port);
  try {
    const cpuMs = server.group.cpuMs();
    void server.flush(drainDomain(atOnce));
    await until(() => sink.received() > 0, {
      withinMs: FIRST_WITHIN_MS,
      everyMs: 1,
    });
    const start = performance.now();
    const already = sink.received();
    const isAll = await until(() => sink.received() >= messages, {
      withinMs: ALL_WITHIN_MS,
      everyMs: 2,
    });
    const tookS = (performance.now() - start) / 1_000;
    await server.group.settle(15_000);
    return {
      ...run,
      messages,
      arrived: sink.received(),
      perSecond: isAll ? (messages - already) / tookS : null,
      cpuMs: (server.group.cpuMs() - cpuMs) / messages,
      fault: isAll ? null : "not all arrived",
    };
  } finally {
    await sink.stop();
  }
}
