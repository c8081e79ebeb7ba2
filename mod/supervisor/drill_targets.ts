/**
 * Prepares what the drill aims at, and clears it away.
 *
 * Root makes files only in directories of root. In a role's own directory the
 * role makes the bait itself, from its jail: root following names in there
 * could be led anywhere by a role that was taken over.
 */
import type { RoleName } from "../ipc/call.ts";
import type { Bait } from "../walls/drill/deed.ts";
import type { Targets } from "../walls/drill/targets.ts";
import {
  cString,
  errno,
  errnoName,
  type Libc,
  openLibc,
} from "../walls/libc.ts";
import type { Site } from "../walls/manifest.ts";
import type { DrillOptions } from "./drill.ts";
import { newDropName, PART } from "../submit/drop_file.ts";
import { HostileProcess } from "./drill_jail.ts";
import { ROLES } from "./roles.ts";
import { listenUnix } from "./sockets.ts";

/** The prepared targets. */
export interface Aims {
  /**
   * The targets as `role` sees them: its neighbour is another role. Each call
   * gives other names to what is made, so that no jail is in another's way.
   */
  targetsOf(role: RoleName): Targets;
  /** Ends the neighbours, closes sockets and removes files. */
  clear(): Promise<void>;
}

/** Things to undo, in reverse order. */
type Undo = (() => unknown)[];

const KEEPERS = ["queue", "spool", "maildir", "gate", "sts"] as const;
type Keeper = (typeof KEEPERS)[number];

const DEVICES = ["/dev/kmsg", "/dev/mem", "/dev/vda", "/dev/sda", "/dev/port"];
const SECRET = "drill\n";

/**
 * Prepares everything.
 *
 * @throws {Error} If something cannot be prepared; nothing is left behind
 */
export async function prepareAims(options: DrillOptions): Promise<Aims> {
  const undo: Undo = [];
  const clear = async () => {
    for (const one of undo.reverse()) await one();
  };
  try {
    return { targetsOf: await prepare(options, undo), clear };
  } catch (error) {
    await clear();
    throw error;
  }
}

async function prepare(
  options: DrillOptions,
  undo: Undo,
): Promise<Aims["targetsOf"]> {
  const { site, installation } = options;
  const mark = crypto.randomUUID().slice(0, 8);
  const bait = baitOf(options, mark);
  const keepers = await startKeepers(options, bait, undo);
  const sockets = await openSockets(options, mark, undo);
  const secret = makeSecret(`${site.home}/.drill-${mark}-secret`, undo);
  const dropped = makeDropped(site.dropDir, undo);
  const orSecret = (path: string) => exists(path) ? path : secret;
  const ownDirs = new Map<RoleName, string>([
    ["queue", site.queueDir],
    ["spool", site.spoolDir],
    ["maildir", site.mailDir],
    ["shred", site.spentDir],
    ["gate", site.gateDir],
    ["sts", site.stsDir],
  ]);
  let jails = 0;
  return (role) => ({
    machine: installation.machine,
    mark: `${mark}-${jails++}`,
    home: site.home,
    runtime: installation.runtime,
    bundle: installation.program("hostile"),
    configuration: orSecret(`${site.home}/bulkhead.toml`),
    users: orSecret(`${site.home}/users`),
    passwords: orSecret(`${site.authDir}/passwords`),
    authDir: site.authDir,
    tlsKey: orSecret(`${site.home}/tls/key.pem`),
    secret,
    secretBytes: SECRET.length,
    queueDir: site.queueDir,
    eventsDir: site.eventsDir,
    queueDatabase: bait.queue[0]!.path,
    messageKeys: bait.queue[1]!.path,
    gateDir: site.gateDir,
    gateDatabase: bait.gate[0]!.path,
    stsDir: site.stsDir,
    stsPolicy: bait.sts[0]!.path,
    dropDir: site.dropDir,
    dropped,
    spoolDir: site.spoolDir,
    segment: bait.spool[0]!.path,
    spentDir: site.spentDir,
    spentSegment: bait.spool[1]!.path,
    mailDir: site.mailDir,
    mail: bait.maildir[0]!.path,
    runDir: site.runDir,
    ownDir: ownDirs.get(role) ?? "/tmp",
    device: DEVICES.find(exists) ?? null,
    cronDir: ["/etc/cron.d", "/etc"].find(exists)!,
    library: installation.libraries.find((one) => one !== installation.libc)!,
    ...sockets,
    neighbour: keepers.get(role === "queue" ? "spool" : "queue")!.pid,
    supervisor: Deno.pid,
  });
}

/** The bait as loose as the real thing: see the owning roles. */
function baitOf(
  { site }: DrillOptions,
  mark: string,
): Readonly<Record<Keeper, readonly Bait[]>> {
  const name = `.drill-${mark}`;
  return {
    queue: [
      { path: `${site.queueDir}/${name}-database`, mode: 0o600 },
      { path: `${site.queueDir}/${name}-keys`, mode: 0o600 },
    ],
    spool: [
      { path: `${site.spoolDir}/${name}-segment`, mode: 0o646 },
      { path: `${site.spentDir}/${name}-segment`, mode: 0o646 },
    ],
    gate: [{ path: `${site.gateDir}/${name}-database`, mode: 0o600 }],
    sts: [{ path: `${site.stsDir}/${name}-policy`, mode: 0o600 }],
    maildir: [{ path: `${site.mailDir}/${name}-mail`, mode: 0o600 }],
  };
}

/** Scripts that do nothing but live: they lay bait and are neighbours. */
async function startKeepers(
  { site, manifests, installation }: DrillOptions,
  bait: Readonly<Record<Keeper, readonly Bait[]>>,
  undo: Undo,
): Promise<ReadonlyMap<Keeper, HostileProcess>> {
  const started = KEEPERS.map((name) => {
    const manifest = ROLES.find((one) => one.name === name)!;
    const keeper = new HostileProcess(
      { site, manifests, installation, manifest, weakened: {} },
      { libc: installation.libc, acts: [], bait: bait[name], stay: true },
    );
    undo.push(() => keeper.end());
    return [name, keeper] as const;
  });
  await Promise.all(started.map(([, keeper]) => keeper.ready()));
  return new Map(started);
}

async function openSockets(
  { site, installation, tcpPort = 0 }: DrillOptions,
  mark: string,
  undo: Undo,
) {
  const libc = openLibc(installation.libc);
  const edgeSocket = `${site.runDir}/.drill-${mark}.sock`;
  const openSocket = `${site.runDir}/.drill-${mark}-open.sock`;
  const listen = (path: string, mode: number) => {
    const fd = listenUnix(libc, path, { gid: null, mode });
    undo.push(() => {
      libc.close(fd);
      Deno.removeSync(path);
    });
  };
  // As an edge that the role does not answer: of a group that is not its own.
  listen(edgeSocket, installation.accounts === null ? 0o600 : 0o660);
  listen(openSocket, 0o666);
  const abstractSocket = `bulkhead-drill-${mark}`;
  const abstract = listenAbstract(libc, abstractSocket);
  undo.push(() => libc.close(abstract));

  const tcp = freeListener(site, tcpPort);
  undo.push(() => tcp.close());
  const tcp6 = listenV6();
  undo.push(() => tcp6?.close());
  const { createSocket } = await import("node:dgram");
  const udp = createSocket("udp4");
  await new Promise<void>((resolve) => udp.bind(0, "127.0.0.1", resolve));
  undo.push(() => udp.close());
  return {
    edgeSocket,
    openSocket,
    abstractSocket,
    tcpPort: tcp.addr.port,
    tcp6Port: tcp6?.addr.port ?? null,
    udpPort: udp.address().port,
  };
}

/** Listens on a port that is no next hop. */
function freeListener(site: Site, port: number): Deno.TcpListener {
  const allowed = [25, 53, ...site.nextHops.map((one) => one.port)];
  while (true) {
    const listener = Deno.listen({ hostname: "127.0.0.1", port });
    if (port !== 0 || !allowed.includes(listener.addr.port)) return listener;
    listener.close();
  }
}

function listenV6(): Deno.TcpListener | null {
  try {
    return Deno.listen({ hostname: "::1", port: 0 });
  } catch {
    // A machine without IPv6: nothing to connect to.
    return null;
  }
}

function listenAbstract(libc: Libc, name: string): number {
  const fd = libc.socket(1, 1, 0);
  const path = cString(name).subarray(0, -1);
  const address = new Uint8Array(3 + path.length);
  address[0] = 1; // AF_UNIX; an abstract name follows a NUL, unix(7)
  address.set(path, 3);
  if (
    fd < 0 || libc.bind(fd, address, address.length) < 0 ||
    libc.listen(fd, 4_096) < 0
  ) {
    throw new Error(
      `Cannot open an abstract socket: ${errnoName(errno(libc))}`,
    );
  }
  return fd;
}

function makeSecret(path: string, undo: Undo): string {
  Deno.writeTextFileSync(path, SECRET, { createNew: true, mode: 0o600 });
  undo.push(() => Deno.removeSync(path));
  return path;
}

/**
 * In a directory that all may write to: made anew, so no link is followed. By
 * its name it is not complete, so a running pickup leaves it alone.
 */
function makeDropped(dir: string, undo: Undo): string {
  const path = `${dir}/${newDropName(Date.now())}${PART}`;
  Deno.writeTextFileSync(path, SECRET, { createNew: true, mode: 0o644 });
  undo.push(() => {
    if (exists(path)) Deno.removeSync(path);
  });
  return path;
}

function exists(path: string): boolean {
  try {
    Deno.statSync(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
