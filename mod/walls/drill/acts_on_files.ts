/** Acts against files: secrets to read, and what must not be changed. */
import { type DrillAct, tried } from "./act.ts";
import type { Deed } from "./deed.ts";
import type { Targets } from "./targets.ts";

const read = (path: string): Deed => ({ do: "open", path, write: false });
const write = (path: string): Deed => ({ do: "open", path, write: true });
const list = (path: string): Deed => ({ do: "list", path });

/** Acts that would give something away. */
export function readingActs(at: Targets): DrillAct[] {
  const neighbour = `/proc/${at.neighbour}`;
  return [
    tried("read /etc/shadow", read("/etc/shadow")),
    tried("read /etc/passwd", read("/etc/passwd")),
    tried("list /root", list("/root")),
    tried("read the configuration", read(at.configuration)),
    tried("read the users file", read(at.users)),
    tried("read the password file", read(at.passwords)),
    tried("read the TLS private key", read(at.tlsKey)),
    tried("read the queue's database", read(at.queueDatabase)),
    tried("read the message keys", read(at.messageKeys)),
    tried("read a spool segment", read(at.segment)),
    tried("read a spent segment", read(at.spentSegment)),
    tried("read somebody's mail", read(at.mail)),
    tried("list the home directory", list(at.home)),
    tried("list the queue's directory", list(at.queueDir)),
    tried("list the history's directory", list(at.eventsDir)),
    tried("read what the gate remembers", read(at.gateDatabase)),
    tried("list the gate's directory", list(at.gateDir)),
    tried("read an MTA-STS policy", read(at.stsPolicy)),
    tried("list the MTA-STS policies", list(at.stsDir)),
    tried("read what a local user handed in", read(at.dropped)),
    tried("list the drop directory", list(at.dropDir)),
    tried("list the spool", list(at.spoolDir)),
    tried("list the spent segments", list(at.spentDir)),
    tried("list the mail directory", list(at.mailDir)),
    tried("list the password file's directory", list(at.authDir)),
    tried("list the sockets' directory", list(at.runDir)),
    tried("list /tmp", list("/tmp")),
    tried("list /sys/kernel", list("/sys/kernel")),
    tried("list all processes", list("/proc")),
    tried("read the runtime's executable", read(at.runtime)),
    tried("read the environment of process 1", read("/proc/1/environ")),
    tried(
      "read the supervisor's environment",
      read(`/proc/${at.supervisor}/environ`),
    ),
    tried("read a neighbour's memory", read(`${neighbour}/mem`)),
    tried("read a neighbour's memory map", read(`${neighbour}/maps`)),
    tried("read a neighbour's command line", read(`${neighbour}/cmdline`)),
    tried("list a neighbour's descriptors", list(`${neighbour}/fd`)),
    tried("read a neighbour's descriptor", read(`${neighbour}/fd/0`)),
    tried("read its own memory map", read("/proc/self/maps")),
    ...(at.device === null
      ? []
      : [tried(`read the device ${at.device}`, read(at.device))]),
  ];
}

/** Acts that would change something that stays. */
export function writingActs(at: Targets): DrillAct[] {
  const name = `.drill-${at.mark}-new`;
  const create = (dir: string): Deed => ({
    do: "create",
    path: `${dir}/${name}`,
  });
  return [
    tried("write the program", write(at.bundle)),
    tried("write the runtime", write(at.runtime)),
    tried("write the configuration", write(at.configuration)),
    tried("write the users file", write(at.users)),
    tried("write the password file", write(at.passwords)),
    tried("write the TLS private key", write(at.tlsKey)),
    tried("write the queue's database", write(at.queueDatabase)),
    tried("write the message keys", write(at.messageKeys)),
    tried("write what the gate remembers", write(at.gateDatabase)),
    tried("write an MTA-STS policy", write(at.stsPolicy)),
    tried("write what a local user handed in", write(at.dropped)),
    tried("write a spool segment", write(at.segment)),
    tried("write a spent segment", write(at.spentSegment)),
    tried("move a spool segment", {
      do: "move",
      path: at.segment,
      to: `${at.spoolDir}/${name}`,
    }),
    tried("move a spool segment to where shred writes", {
      do: "move",
      path: at.segment,
      to: `${at.spentDir}/${name}`,
    }, ["EXDEV"]),
    tried("move a spent segment", {
      do: "move",
      path: at.spentSegment,
      to: `${at.spentDir}/${name}`,
    }),
    tried("cut off a spool segment", {
      do: "truncate",
      path: at.segment,
      length: 0,
    }),
    tried("cut off a spent segment", {
      do: "truncate",
      path: at.spentSegment,
      length: 0,
    }),
    tried("write somebody's mail", write(at.mail)),
    tried("write a neighbour's memory", write(`/proc/${at.neighbour}/mem`)),
    tried(
      "write a setting of the kernel",
      write("/proc/sys/kernel/core_pattern"),
    ),
    tried("create a file in the home directory", create(at.home)),
    tried("create a file beside the program", create(`${at.home}/runtime`)),
    tried("create a file in the queue's directory", create(at.queueDir)),
    tried("create a file in the history's directory", create(at.eventsDir)),
    tried("create a file in the gate's directory", create(at.gateDir)),
    tried("create an MTA-STS policy", create(at.stsDir)),
    tried("create a file in the drop directory", create(at.dropDir)),
    tried("move what a local user handed in", {
      do: "move",
      path: at.dropped,
      to: `${at.dropDir}/${name}`,
    }),
    tried("create a file in the spool", create(at.spoolDir)),
    tried("create a file among the spent segments", create(at.spentDir)),
    tried("create a file in the mail directory", create(at.mailDir)),
    tried("create a file beside the password file", create(at.authDir)),
    tried("create a file beside the sockets", create(at.runDir)),
    tried("create a file in /tmp", create("/tmp")),
    tried("create a file in /etc", create("/etc")),
    tried("create a job for cron", create(at.cronDir)),
    tried("create a file in /dev/shm", create("/dev/shm")),
    tried("make a symbolic link to a secret", {
      do: "symlink",
      path: `${at.ownDir}/${name}`,
      to: at.secret,
    }),
    // EXDEV is Landlock's word for a link out of a tree; see `landlock(7)`.
    // Both ends are on one file system, so nothing else can mean it.
    tried("make a hard link to a secret", {
      do: "hardlink",
      path: `${at.ownDir}/${name}`,
      to: at.secret,
    }, ["EXDEV"]),
    tried("open a secret to all", {
      do: "chmod",
      path: at.secret,
      mode: 0o600,
    }),
    tried("give a secret to somebody", {
      do: "chown",
      path: at.secret,
      uid: 0,
      gid: 0,
    }),
    tried("cut off a secret", {
      do: "truncate",
      path: at.secret,
      length: at.secretBytes,
    }),
    tried("remove the queue's directory", {
      do: "remove-directory",
      path: at.queueDir,
    }),
  ];
}
