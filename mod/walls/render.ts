/**
 * Renders one process of a role into everything that will hold it: the
 * command line of the runtime, the user, the kernel's rules. What `bulkhead
 * roles` prints is exactly what the supervisor starts.
 */
import { permissionFlags } from "./flags.ts";
import type { JailSpec } from "./jail.ts";
import type { LandlockRules } from "./landlock.ts";
import type { RoleManifest, SharedGroup, Site } from "./manifest.ts";
import type { Machine, SeccompRules } from "./seccomp.ts";
import type { RoleName } from "../ipc/call.ts";

/** A user and group by number. */
export interface Account {
  readonly uid: number;
  readonly gid: number;
}

/** Where the program is, and who it can become. */
export interface Installation {
  /** The runtime, executable and not readable by any role. */
  readonly runtime: string;
  /** Path of a program: one file with one program's code and no other's. */
  readonly program: (name: ProgramName) => string;
  readonly machine: Machine;
  readonly libc: string;
  /** Shared libraries that the runtime loads, and the loader's index of them. */
  readonly libraries: readonly string[];
  /** Users of the roles; null if the supervisor is not root. */
  readonly accounts: ReadonlyMap<RoleName, Account> | null;
  readonly groups: ReadonlyMap<SharedGroup, number>;
  readonly veil: JailSpec["veil"];
}

/** What runs in a jail: a role, or one of the programs around them. */
export type ProgramName = RoleName | "jail" | "hostile" | "inspect";

/** One process to be started. */
export interface ProcessPlan {
  readonly manifest: RoleManifest;
  /** Role and number, such as `smtpd.0`. */
  readonly instance: string;
  /** Paths of the edges' sockets that it plugs in to. */
  readonly plugs: readonly string[];
  /** Inherited descriptors. */
  readonly fds: readonly number[];
}

/** Ways to weaken a jail, for the drill alone. */
export interface Weakened {
  /** `-A` in place of the flags. */
  readonly denoOff?: boolean;
  readonly landlockOff?: boolean;
  readonly seccompOff?: boolean;
}

/** The walls of one process, in a form to print and to start. */
export interface Walls {
  readonly flags: readonly string[];
  readonly spec: JailSpec;
}

/**
 * Renders a process.
 *
 * @param args The program and its arguments: `role smtpd`, `hostile`, or
 * `inspect DIR list`
 * @throws {ManifestError} If the manifest asks for too much
 */
export function renderWalls(
  plan: ProcessPlan,
  site: Site,
  installation: Installation,
  args: readonly string[],
  weakened: Weakened = {},
): Walls {
  const { manifest } = plan;
  const needs = manifest.needs(site);
  const ffi = manifest.ffi?.(site);
  const program = installation.program(programOf(args));
  const flags = permissionFlags(needs, { plugs: plan.plugs }, ffi);
  const landlock: LandlockRules = {
    read: [
      ...needs.read,
      ...installation.libraries,
      program,
      ...SYSTEM_FILES,
    ],
    write: needs.write,
    overwrite: needs.overwrite ?? [],
    remove: needs.remove ?? [],
    execute: [installation.runtime, ...installation.libraries.filter(isLoader)],
    connectPorts: [
      ...new Set([
        ...needs.connect.map((one) => one.port),
        ...needs.kernelConnect ?? [],
      ]),
    ],
    bindsAny: needs.kernelBind === true || (needs.bind ?? []).length > 0,
  };
  const seccomp: SeccompRules = {
    tcp: landlock.connectPorts.length > 0,
    udp: needs.udp === true,
    unix: plan.plugs.length + (needs.connectUnix ?? []).length > 0,
    binds: landlock.bindsAny,
    handed: plan.fds,
  };
  const account = installation.accounts?.get(manifest.name) ?? null;
  const spec: JailSpec = {
    libc: installation.libc,
    machine: installation.machine,
    user: account && {
      ...account,
      groups: manifest.groups.map((name) => groupId(installation, name)),
    },
    umask: manifest.umask ?? 0o077,
    openFiles: manifest.openFiles,
    threads: account === null ? null : 64 + 64 * manifest.instances(site),
    keepFds: plan.fds,
    veil: installation.veil,
    landlock: weakened.landlockOff ? null : landlock,
    seccomp: weakened.seccompOff ? null : seccomp,
    argv: [
      installation.runtime,
      ...RUN,
      "--no-code-cache",
      `--v8-flags=${V8},--max-semi-space-size=${manifest.youngMb ?? 8},` +
      `--max-old-space-size=${manifest.heapMb}`,
      ...(weakened.denoOff ? ["-A"] : flags),
      program,
      ...args,
    ],
    env: [
      "NO_COLOR=1",
      "DENO_NO_UPDATE_CHECK=1",
      "DENO_DIR=/dev/null",
      // One heap for all threads: what the runtime's start frees is used
      // again, and not kept by eight arenas.
      "MALLOC_ARENA_MAX=1",
    ],
  };
  return { flags, spec };
}

/** The command that starts the jail stage for `spec`. */
export function jailCommand(
  installation: Installation,
  spec: JailSpec,
  deno: string = Deno.execPath(),
): { command: string; args: string[] } {
  return {
    command: deno,
    args: [
      ...RUN,
      // Whole, because pointers need it; this stage is as mighty as libc is.
      "--allow-ffi",
      installation.program("jail"),
      "jail",
      JSON.stringify(spec),
    ],
  };
}

// Nothing is asked, fetched, or found in a directory above.
const RUN = [
  "run",
  "--quiet",
  "--no-prompt",
  "--no-config",
  "--no-lock",
  "--no-remote",
  "--no-npm",
];

// A role's heap is small, and a dozen roles collect theirs: helping threads
// cost more in waking them than they save (measured at 50 sessions: a quarter
// of all CPU time). Marking in small steps, which every 64 MiB of messages
// would begin, cost half of all CPU time with large ones. What is young is
// bounded, or each role would keep 32 MiB of garbage.
const V8 = "--single-threaded-gc,--no-incremental-marking," +
  // For `mod/core/read_buffers.ts`.
  "--expose-gc";

// Read by V8 for randomness.
const SYSTEM_FILES = ["/dev/urandom", "/dev/null"];

function isLoader(path: string): boolean {
  return /\/ld-[^/]*\.so(\.[0-9]+)?$/.test(path);
}

function groupId(installation: Installation, name: SharedGroup): number {
  const gid = installation.groups.get(name);
  if (gid === undefined) throw new Error(`Cannot find group ${name}`);
  return gid;
}

function programOf(args: readonly string[]): ProgramName {
  return (args[0] === "role" ? args[1] : args[0]) as ProgramName;
}
