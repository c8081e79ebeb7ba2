/**
 * Who listens on a port that is wanted: the kernel's tables of sockets, read
 * as text, and the processes that hold their descriptors.
 */
import type { ServiceKind } from "./service.ts";

/** A socket that listens. */
export interface Listening {
  readonly port: number;
  readonly inode: string;
}

/** Who holds a port, and what ends that. */
export interface Holder {
  readonly port: number;
  /** The process's name; empty if another user's, and so not to be seen. */
  readonly name: string;
  readonly pid: number | null;
  /** The command that stops it. */
  readonly mend: string;
}

/** State of a listening socket in the kernel's tables. */
const LISTEN = "0A";

/** Reads a table such as /proc/net/tcp: what listens on one of `ports`. */
export function parseListening(
  table: string,
  ports: readonly number[],
): Listening[] {
  return table.split("\n").slice(1).flatMap((line) => {
    const fields = line.trim().split(/\s+/);
    const [, local, , state] = fields;
    if (state !== LISTEN || local === undefined) return [];
    const port = parseInt(local.slice(local.lastIndexOf(":") + 1), 16);
    return ports.includes(port) ? [{ port, inode: fields[9] ?? "" }] : [];
  });
}

/** Services by the names of their processes. */
const SERVICES: ReadonlyMap<string, string> = new Map([
  ["master", "postfix"],
  ["exim4", "exim4"],
  ["exim", "exim"],
  ["sendmail-mta", "sendmail"],
  ["sendmail", "sendmail"],
  ["smtpd", "opensmtpd"],
  ["dovecot", "dovecot"],
  ["stalwart", "stalwart"],
  ["maddy", "maddy"],
  ["chasquid", "chasquid"],
  ["mox", "mox"],
  ["haraka", "haraka"],
]);

/** What stops a process, in words to be typed. */
export function stopCommand(
  name: string,
  pid: number | null,
  service: ServiceKind,
): string {
  const known = SERVICES.get(name);
  if (known !== undefined && service === "systemd") {
    return `systemctl disable --now ${known}`;
  }
  if (known !== undefined && service === "openrc") {
    return `rc-service ${known} stop; rc-update del ${known}`;
  }
  if (known === "postfix") return "postfix stop";
  return pid === null
    ? "as root, `ss -ltnp` shows whose it is"
    : `kill ${pid}, and keep it from starting again`;
}

/** Everybody who listens on one of the ports, each port once. */
export function holdersOf(
  ports: readonly number[],
  service: ServiceKind,
): Holder[] {
  const listening = ["tcp", "tcp6"].flatMap((table) =>
    parseListening(readIfThere(`/proc/net/${table}`), ports)
  );
  if (listening.length === 0) return [];
  const owners = ownersOf(new Set(listening.map(({ inode }) => inode)));
  return ports.flatMap((port): Holder[] => {
    const found = listening.find((one) => one.port === port);
    if (found === undefined) return [];
    const owner = owners.get(found.inode);
    const name = owner?.name ?? "";
    const pid = owner?.pid ?? null;
    return [{ port, name, pid, mend: stopCommand(name, pid, service) }];
  });
}

/** Processes that hold these sockets, by inode. */
function ownersOf(
  inodes: ReadonlySet<string>,
): Map<string, { pid: number; name: string }> {
  const owners = new Map<string, { pid: number; name: string }>();
  for (const { name: entry } of Deno.readDirSync("/proc")) {
    const pid = Number(entry);
    if (!Number.isInteger(pid)) continue;
    for (const inode of socketsOf(pid)) {
      // The lowest pid: a master was there before the workers it made.
      const before = owners.get(inode);
      if (!inodes.has(inode) || (before && before.pid < pid)) continue;
      const name = readIfThere(`/proc/${pid}/comm`).trim();
      owners.set(inode, { pid, name });
    }
  }
  return owners;
}

function socketsOf(pid: number): string[] {
  const dir = `/proc/${pid}/fd`;
  try {
    return [...Deno.readDirSync(dir)].flatMap(({ name }) => {
      const target = linkOf(`${dir}/${name}`);
      return target.startsWith("socket:[") ? [target.slice(8, -1)] : [];
    });
  } catch {
    return []; // another user's, or gone
  }
}

function linkOf(path: string): string {
  try {
    return Deno.readLinkSync(path);
  } catch {
    return "";
  }
}

function readIfThere(path: string): string {
  try {
    return Deno.readTextFileSync(path);
  } catch {
    return "";
  }
}
