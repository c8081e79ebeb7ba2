/**
 * The jail stage: a short life between the supervisor and a role.
 *
 * Runs as `deno run --allow-ffi jail.mjs SPEC`, still with the
 * supervisor's rights; takes them away one after the other, and then becomes
 * the role by execve(2). The role itself has no FFI. Reads no file, no
 * environment and no network; the specification comes on the command line
 * from the supervisor and holds no secret.
 */
import {
  addressOf,
  cString,
  errno,
  type Libc,
  must,
  openLibc,
  SystemCallError,
} from "./libc.ts";
import { type LandlockRules, restrict } from "./landlock.ts";
import {
  loadFilter,
  type Machine,
  seccompFilter,
  type SeccompRules,
} from "./seccomp.ts";

/** What the jail stage is told. */
export interface JailSpec {
  readonly libc: string;
  readonly machine: Machine;
  /** User to become; null if the supervisor is not root. */
  readonly user: {
    readonly uid: number;
    readonly gid: number;
    readonly groups: readonly number[];
  } | null;
  readonly umask: number;
  readonly openFiles: number;
  /** Most threads of the role's user; only where the user is its own. */
  readonly threads: number | null;
  /** Descriptors that the role inherits beside 0, 1 and 2. */
  readonly keepFds: readonly number[];
  /**
   * A directory that the role's user cannot search, and what must stay
   * reachable below it; null in the ordinary case. See {@link veil}.
   */
  readonly veil: { readonly cover: string; readonly keep: string } | null;
  /** null leaves the wall out: for the drill's attribution only. */
  readonly landlock: LandlockRules | null;
  readonly seccomp: SeccompRules | null;
  readonly argv: readonly string[];
  readonly env: readonly string[];
}

const PR_SET_NO_NEW_PRIVS = 38;
const PR_CAPBSET_DROP = 24;
const LAST_CAP = 63;
const RLIMIT = { core: 4, nproc: 6, nofile: 7 } as const;
const SYS_CLOSE_RANGE = 436n;
const CLOSE_RANGE_CLOEXEC = 4n;
const F_SETFD = 2;

/** Applies the walls and becomes the role. Returns only by throwing. */
export function enterJail(spec: JailSpec): never {
  const libc = openLibc(spec.libc);
  // A session of its own: Ctrl-C at the terminal is the supervisor's to obey.
  libc.setsid();
  limit(libc, RLIMIT.core, 0n);
  limit(libc, RLIMIT.nofile, BigInt(spec.openFiles));
  if (spec.threads !== null) limit(libc, RLIMIT.nproc, BigInt(spec.threads));
  libc.umask(spec.umask);
  if (spec.veil) veil(libc, spec.veil);
  must(libc, "chdir /", libc.chdir(cString("/")));
  if (spec.user) becomeUser(libc, spec.user);
  dieWithParent(libc);
  must(
    libc,
    "prctl(PR_SET_NO_NEW_PRIVS)",
    libc.prctl(PR_SET_NO_NEW_PRIVS, 1n, 0n, 0n, 0n),
  );
  if (spec.landlock) restrict(libc, spec.landlock);
  keepOnly(libc, spec.keepFds);
  return becomeRole(libc, spec);
}

/** Sets a resource limit, or the hard limit if that is lower. */
function limit(libc: Libc, resource: number, wanted: bigint): void {
  const now = new BigUint64Array(2);
  const bytes = new Uint8Array(now.buffer);
  must(libc, "getrlimit", libc.getrlimit(resource, bytes));
  const value = wanted < now[1]! ? wanted : now[1]!;
  now[0] = value;
  now[1] = value;
  must(libc, "setrlimit", libc.setrlimit(resource, bytes));
}

/**
 * Makes `keep` reachable although the role's user may not search `cover`,
 * one of its ancestors (a home directory, a temporary directory of mode
 * 0700): in a mount namespace of its own an empty directory lies over
 * `cover`, with `keep` bound back in its place. No permission on the disk is
 * loosened, and what else is in `cover` is out of sight.
 */
function veil(libc: Libc, at: { cover: string; keep: string }): void {
  const CLONE_NEWNS = 0x0002_0000;
  const MS = { rdonly: 1n, nosuid: 2n, nodev: 4n, remount: 32n };
  const MS_BIND = 4096n;
  const MS_REC = 16384n;
  const MS_PRIVATE = 1n << 18n;
  const O_PATH = 0o10000000;
  const none = cString("none");
  must(libc, "unshare(CLONE_NEWNS)", libc.unshare(CLONE_NEWNS));
  must(
    libc,
    "mount / private",
    libc.mount(none, cString("/"), none, MS_REC | MS_PRIVATE, none),
  );
  const kept = libc.open(cString(at.keep), O_PATH, 0);
  must(libc, `open ${at.keep}`, kept);
  must(
    libc,
    `mount over ${at.cover}`,
    libc.mount(
      cString("tmpfs"),
      cString(at.cover),
      cString("tmpfs"),
      MS.nosuid | MS.nodev,
      cString("mode=0755,size=64k"),
    ),
  );
  let path = at.cover;
  for (const part of at.keep.slice(at.cover.length + 1).split("/")) {
    path += "/" + part;
    must(libc, `mkdir ${path}`, libc.mkdir(cString(path), 0o755));
  }
  must(
    libc,
    `bind ${at.keep}`,
    libc.mount(
      cString(`/proc/self/fd/${kept}`),
      cString(at.keep),
      none,
      MS_BIND | MS_REC,
      none,
    ),
  );
  must(
    libc,
    `remount ${at.cover}`,
    libc.mount(
      none,
      cString(at.cover),
      none,
      MS.remount | MS.rdonly | MS.nosuid | MS.nodev | MS_BIND,
      none,
    ),
  );
  libc.close(kept);
}

/**
 * The kernel kills the role when the supervisor dies, be it hung: a successor
 * must find the ports free and the queue's files unused. After the change of
 * user, which would clear it.
 */
function dieWithParent(libc: Libc): void {
  const PR_SET_PDEATHSIG = 1;
  const SIGKILL = 9n;
  must(
    libc,
    "prctl(PR_SET_PDEATHSIG)",
    libc.prctl(PR_SET_PDEATHSIG, SIGKILL, 0n, 0n, 0n),
  );
}

function becomeUser(
  libc: Libc,
  user: { uid: number; gid: number; groups: readonly number[] },
): void {
  // EINVAL tells where this kernel's capabilities end.
  for (let cap = 0; cap <= LAST_CAP; cap++) {
    if (libc.prctl(PR_CAPBSET_DROP, BigInt(cap), 0n, 0n, 0n) < 0) break;
  }
  const groups = new Uint32Array(Math.max(1, user.groups.length));
  groups.set(user.groups);
  must(
    libc,
    "setgroups",
    libc.setgroups(
      BigInt(user.groups.length),
      new Uint8Array(groups.buffer),
    ),
  );
  must(libc, "setresgid", libc.setresgid(user.gid, user.gid, user.gid));
  must(libc, "setresuid", libc.setresuid(user.uid, user.uid, user.uid));
}

/** Every other descriptor, the supervisor's sockets above all, ends at exec. */
function keepOnly(libc: Libc, fds: readonly number[]): void {
  must(
    libc,
    "close_range",
    libc.syscall(
      SYS_CLOSE_RANGE,
      3n,
      0xffff_ffffn,
      CLOSE_RANGE_CLOEXEC,
      0n,
      0n,
      0n,
    ),
  );
  for (const fd of fds) {
    must(libc, `keep descriptor ${fd}`, libc.fcntl(fd, F_SETFD, 0n));
  }
}

function becomeRole(libc: Libc, spec: JailSpec): never {
  const path = cString(spec.argv[0]!);
  const argv = pointers(spec.argv);
  const env = pointers(spec.env);
  if (spec.seccomp) {
    loadFilter(
      libc,
      seccompFilter(
        spec.machine,
        spec.seccomp,
        addressOf(path),
        libc.getpid(),
      ),
    );
  }
  libc.execve(path, argv.list, env.list);
  throw new SystemCallError(`execve ${spec.argv[0]}`, errno(libc));
}

/** A NULL-terminated array of strings, and the strings, kept alive. */
function pointers(
  texts: readonly string[],
): { list: Uint8Array<ArrayBuffer>; kept: readonly Uint8Array[] } {
  const kept = texts.map(cString);
  const list = new BigUint64Array(kept.length + 1);
  kept.forEach((text, i) => list[i] = addressOf(text));
  return { list: new Uint8Array(list.buffer), kept };
}
