/**
 * All processes of one server: their processor time and their memory.
 *
 * Counted by a control group where one can be made (version 1 `cpuacct`, or
 * version 2), because that also knows processes that have ended. Else the
 * tree below the process that was started is added up.
 */
import { run, sleep, until } from "./command.ts";

const TICKS_A_SECOND = 100; // What Linux shows in /proc, on every architecture.

/** One process of a group. */
export interface Member {
  readonly pid: number;
  readonly args: readonly string[];
  /** User and system time, without that of children. */
  readonly cpuMs: number;
}

/** See the head of this file. */
export class ProcessGroup {
  readonly #cgroup: string | undefined;
  readonly #roots: number[] = [];

  private constructor(cgroup: string | undefined) {
    this.#cgroup = cgroup;
  }

  /** Makes an empty group. */
  static open(name: string): ProcessGroup {
    const unique = `bulkhead-bench-${Deno.pid}-${name}`;
    for (const base of CGROUP_BASES) {
      try {
        Deno.mkdirSync(`${base}/${unique}`);
        readCgroupCpu(`${base}/${unique}`);
        return new ProcessGroup(`${base}/${unique}`);
      } catch {
        // No such hierarchy here, or not ours to use: the next one.
      }
    }
    return new ProcessGroup(undefined);
  }

  /** Whether processes that have ended are counted too. */
  get isExact(): boolean {
    return this.#cgroup !== undefined;
  }

  /** Starts a program in the group; both its outputs go to `log`. */
  start(line: readonly [string, ...string[]], log: string): Deno.ChildProcess {
    const enter = this.#cgroup ? 'echo $$ > "$GROUP/cgroup.procs"; ' : "";
    // So that it can be read at once.
    Deno.openSync(log, { create: true, append: true }).close();
    const child = new Deno.Command("/bin/sh", {
      args: ["-c", `${enter}exec "$@" >> "$LOG" 2>&1`, "sh", ...line],
      env: { GROUP: this.#cgroup ?? "", LOG: log },
      stdin: "null",
      stdout: "null",
      stderr: "null",
    }).spawn();
    this.#roots.push(child.pid);
    return child;
  }

  /** Counts a daemon that left the tree, too. */
  adopt(pid: number): void {
    this.#roots.push(pid);
  }

  /** User and system time of all processes so far. */
  cpuMs(): number {
    if (this.#cgroup !== undefined) return readCgroupCpu(this.#cgroup);
    let ticks = 0;
    for (const pid of this.pids()) {
      const stat = readStat(pid);
      if (stat) ticks += stat.own + stat.children;
    }
    return ticks * 1_000 / TICKS_A_SECOND;
  }

  /** The living processes. */
  pids(): number[] {
    if (this.#cgroup === undefined) return tree(this.#roots);
    return Deno.readTextFileSync(`${this.#cgroup}/cgroup.procs`)
      .split("\n").filter((line) => line !== "").map(Number);
  }

  /** The living processes, each with its arguments and time. */
  members(): Member[] {
    return this.pids().flatMap((pid) => {
      const stat = readStat(pid);
      const args = read(`/proc/${pid}/cmdline`)?.split("\0").slice(0, -1);
      if (stat === undefined || args === undefined) return [];
      return [{ pid, args, cpuMs: stat.own * 1_000 / TICKS_A_SECOND }];
    });
  }

  /**
   * Memory of all living processes, pages that several share counted once.
   *
   * @returns MiB; undefined if one may not be looked at
   */
  pssMib(): number | undefined {
    let kib = 0;
    for (const pid of this.pids()) {
      const text = read(`/proc/${pid}/smaps_rollup`);
      const line = /^Pss:\s+(\d+) kB/m.exec(text ?? "");
      if (line === null) {
        if (readStat(pid) === undefined) continue;
        return undefined;
      }
      kib += Number(line[1]);
    }
    return kib / 1_024;
  }

  /** Waits until the processes do nothing, so that nothing is left to count. */
  async settle(withinMs: number): Promise<void> {
    const end = performance.now() + withinMs;
    let quiet = 0;
    while (quiet < 2 && performance.now() < end) {
      const before = this.cpuMs();
      await sleep(200);
      quiet = this.cpuMs() - before < 10 ? quiet + 1 : 0;
    }
  }

  /** Ends every process that is left, gently and then not. */
  async end(): Promise<void> {
    for (const signal of ["SIGTERM", "SIGKILL", "SIGKILL"] as const) {
      for (const pid of this.pids()) kill(pid, signal);
      const isGone = await until(() => this.pids().length === 0, {
        withinMs: 12_000,
      });
      if (isGone) break;
    }
    if (this.#cgroup !== undefined) await run(["rmdir", this.#cgroup]);
  }
}

const CGROUP_BASES = [
  "/sys/fs/cgroup/cpuacct",
  "/sys/fs/cgroup",
  "/sys/fs/cgroup/unified",
];

function readCgroupCpu(group: string): number {
  const nanoseconds = read(`${group}/cpuacct.usage`);
  if (nanoseconds !== undefined) return Number(nanoseconds) / 1e6;
  const stat = Deno.readTextFileSync(`${group}/cpu.stat`);
  return Number(/^usage_usec (\d+)/m.exec(stat)?.[1]) / 1e3;
}

function tree(roots: readonly number[]): number[] {
  const children = new Map<number, number[]>();
  for (const { name } of Deno.readDirSync("/proc")) {
    const stat = /^\d+$/.test(name) ? readStat(Number(name)) : undefined;
    if (stat === undefined) continue;
    const siblings = children.get(stat.parent);
    if (siblings) siblings.push(Number(name));
    else children.set(stat.parent, [Number(name)]);
  }
  const found = new Set(roots.filter((pid) => readStat(pid) !== undefined));
  for (const pid of found) {
    for (const child of children.get(pid) ?? []) found.add(child);
  }
  return [...found];
}

/** Time in ticks; undefined for what is gone or waits to be reaped. */
function readStat(
  pid: number,
): { parent: number; own: number; children: number } | undefined {
  const text = read(`/proc/${pid}/stat`);
  // The name in parentheses may hold anything, even spaces.
  const field = text?.slice(text.lastIndexOf(")") + 2).split(" ");
  if (field === undefined || field[0] === "Z") return undefined;
  return {
    parent: Number(field[1]),
    own: Number(field[11]) + Number(field[12]),
    children: Number(field[13]) + Number(field[14]),
  };
}

function read(path: string): string | undefined {
  try {
    return Deno.readTextFileSync(path);
  } catch {
    return undefined;
  }
}

function kill(pid: number, signal: Deno.Signal): void {
  try {
    Deno.kill(pid, signal);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}
