/** Throughput: smtp-source sends, and the mail is counted where it arrives. */
import process from "node:process";
import { attempt, until } from "./command.ts";
import { type Disk, flush } from "./disk.ts";
import { busyMs } from "./machine.ts";
import { countMessages, emptyBox } from "./mailbox.ts";
import type { ProcessGroup } from "./process_group.ts";
import type { Destination, LoadRun } from "./results.ts";
import { BOX_DOMAIN, RELAY_DOMAIN, type Server } from "./server.ts";
import type { Sink } from "./sink.ts";

const CLIENT_WITHIN_S = 120;
const ARRIVAL_WITHIN_MS = 60_000;
const SETTLE_WITHIN_MS = 15_000;

/** One load. */
export interface Load {
  readonly round: number;
  readonly to: Destination;
  readonly sizeBytes: number;
  readonly sessions: number;
  readonly messages: number;
}

/**
 * How many messages make a load of a few seconds.
 *
 * @param scale 1, or a part of it
 */
export function messagesOf(
  { sizeBytes, sessions, scale }: {
    sizeBytes: number;
    sessions: number;
    scale: number;
  },
): number {
  const many = sizeBytes <= 8_192 ? 4_000 : sizeBytes <= 131_072 ? 2_000 : 200;
  return Math.max(
    sessions,
    Math.round(many * scale / (sessions === 1 ? 4 : 1)),
  );
}

/** Makes a load and measures it. */
export async function measureLoad(
  server: Server,
  load: Load,
  { disk, sink, clients }: {
    disk: Disk;
    sink: Sink | undefined;
    /** Takes the load generator; whoever made it ends it. */
    clients: ProcessGroup;
  },
): Promise<LoadRun> {
  emptyBox(server.box);
  await flush(disk);
  const { to, messages } = load;
  const already = sink?.received() ?? 0;
  const arrived = () =>
    to === "relay" ? sink!.received() - already : countMessages(server.box);
  const before = reading(server, clients);
  const start = performance.now();
  const fault = await send(server, load, { clients, dir: disk.dir });
  const acceptedS = (performance.now() - start) / 1_000;
  const isAll = await until(() => arrived() >= messages, {
    withinMs: fault === null ? ARRIVAL_WITHIN_MS : 2_000,
    everyMs: 10,
  });
  const deliveredS = (performance.now() - start) / 1_000;
  const { foreignCores } = spent(before, reading(server, clients));
  await server.group.settle(SETTLE_WITHIN_MS);
  const whole = spent(before, reading(server, clients));
  return {
    kind: "load",
    server: server.name,
    ...load,
    accepted: fault === null ? messages / acceptedS : null,
    delivered: isAll ? messages / deliveredS : null,
    arrived: arrived(),
    cpuMsPerMessage: whole.cpuMs / messages,
    cpuMsByPart: Object.fromEntries(
      whole.byPart.map(([part, ms]) => [part, ms / messages]),
    ),
    foreignCores,
    fault,
  };
}

/** Sends, and returns what went wrong. */
async function send(
  { port }: Server,
  { to, sizeBytes, sessions, messages }: Load,
  { clients, dir }: { clients: ProcessGroup; dir: string },
): Promise<string | null> {
  const log = `${dir}/smtp-source.log`;
  const domain = to === "relay" ? RELAY_DOMAIN : BOX_DOMAIN;
  const child = clients.start([
    ...["timeout", `${CLIENT_WITHIN_S}`, "smtp-source", "-d"],
    ...["-s", `${sessions}`, "-m", `${messages}`, "-l", `${sizeBytes}`],
    ...["-f", "a@from.test", "-t", `u@${domain}`, `127.0.0.1:${port}`],
  ] as [string, ...string[]], log);
  const { success, code } = await child.status;
  const said = (await attempt(["tail", "-n", "2", log])).out;
  Deno.removeSync(log);
  if (success) return null;
  return code === 124 ? `not done in ${CLIENT_WITHIN_S} s` : said;
}

interface Reading {
  readonly atMs: number;
  readonly busyMs: number;
  readonly serverMs: number;
  readonly clientsMs: number;
  readonly ownMs: number;
  /** Time of each living process. */
  readonly byPid: Map<number, { part: string; cpuMs: number }>;
  readonly isExact: boolean;
}

function reading(server: Server, clients: ProcessGroup): Reading {
  const { user, system } = process.cpuUsage();
  return {
    atMs: performance.now(),
    busyMs: busyMs(),
    serverMs: server.group.cpuMs(),
    clientsMs: clients.cpuMs(),
    ownMs: (user + system) / 1_000,
    byPid: new Map(
      server.group.members().map(({ pid, args, cpuMs }) => [
        pid,
        { part: server.partOf(args), cpuMs },
      ]),
    ),
    isExact: clients.isExact,
  };
}

function spent(
  before: Reading,
  after: Reading,
): {
  cpuMs: number;
  byPart: [string, number][];
  foreignCores: number | null;
} {
  const cpuMs = after.serverMs - before.serverMs;
  const ours = cpuMs + after.clientsMs - before.clientsMs + after.ownMs -
    before.ownMs;
  const foreignMs = after.busyMs - before.busyMs - ours;
  const parts = new Map<string, number>();
  for (const [pid, { part, cpuMs }] of after.byPid) {
    const more = cpuMs - (before.byPid.get(pid)?.cpuMs ?? 0);
    parts.set(part, (parts.get(part) ?? 0) + more);
  }
  return {
    cpuMs,
    byPart: [...parts].filter(([, ms]) => ms > 0)
      .sort(([, a], [, b]) => b - a),
    foreignCores: after.isExact
      ? Math.max(0, foreignMs / (after.atMs - before.atMs))
      : null,
  };
}
