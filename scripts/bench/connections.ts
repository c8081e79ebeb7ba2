/** Connections a second: `connector.ts` comes and goes, some processes of it. */
import type { ProcessGroup } from "./process_group.ts";
import type { ConnectionRun, Door } from "./results.ts";
import type { Server } from "./server.ts";

const CONNECTOR = new URL("./connector.ts", import.meta.url).pathname;
const CLIENT_WITHIN_S = 60;
const SETTLE_WITHIN_MS = 15_000;
const PROCESSES = 2;
/** Comes from outside of what the servers trust. */
const STRANGER = "127.0.0.2";
/** In each process. */
const AT_ONCE = 16;

/** Makes connections through one door and measures them. */
export async function measureConnections(
  server: Server,
  load: { round: number; door: Door; connections: number },
  { clients, dir }: { clients: ProcessGroup; dir: string },
): Promise<ConnectionRun> {
  const { door } = load;
  const each = Math.ceil(load.connections / PROCESSES);
  const log = `${dir}/connector.log`;
  const from = door === "screened" ? STRANGER : "127.0.0.1";
  const visit = (count: number, atOnce: number) =>
    clients.start([
      ...["timeout", `${CLIENT_WITHIN_S}`, Deno.execPath(), "run"],
      ...["--allow-net", "--no-lock", CONNECTOR, `${server.doors[door]}`],
      ...[door === "tls" ? "tls" : "plain", `${count}`, `${atOnce}`, from],
    ] as [string, ...string[]], log).status;
  // The first visit passes the tests, if any are made, and is remembered.
  await visit(1, 1);
  const before = server.group.cpuMs();
  const start = performance.now();
  const statuses = await Promise.all(
    Array.from({ length: PROCESSES }, () => visit(each, AT_ONCE)),
  );
  const tookS = (performance.now() - start) / 1_000;
  await server.group.settle(SETTLE_WITHIN_MS);
  const connections = each * PROCESSES;
  const said = Deno.readTextFileSync(log).trimEnd();
  Deno.removeSync(log);
  const isGood = statuses.every((one) => one.success);
  return {
    kind: "connections",
    server: server.name,
    ...load,
    connections,
    atOnce: PROCESSES * AT_ONCE,
    perSecond: isGood ? connections / tookS : null,
    cpuMsPerConnection: (server.group.cpuMs() - before) / connections,
    fault: isGood ? null : said.split("\n").at(-1) ?? "it did not end",
  };
}
