/**
 * Manifest -> a seccomp filter. A list of refusals, not of permissions: what
 * V8 needs changes with every version, what no mail role ever needs does not.
 * Everything refused gives EPERM.
 *
 * See seccomp(2), linux/filter.h, and the kernel's syscall tables.
 */
import { addressOf, type Libc, must } from "./libc.ts";

/** What a process may do beyond the common refusals. */
export interface SeccompRules {
  /** May make TCP sockets. */
  readonly tcp: boolean;
  /** May make UDP sockets, and bind them to a port of the kernel's choice. */
  readonly udp: boolean;
  /** May make Unix sockets, to plug in to its askers or to reach a next hop. */
  readonly unix: boolean;
  /** May bind its TCP sockets before it connects; Landlock holds the port. */
  readonly binds: boolean;
  /** Descriptors that it is handed, the only ones that it may listen on. */
  readonly handed: readonly number[];
}

/** Machines that we know the numbers of. */
export type Machine = "x86_64" | "aarch64";

// name: [x86_64, aarch64]; -1 where the machine has no such call.
const CALLS = {
  ptrace: [101, 117],
  process_vm_readv: [310, 270],
  process_vm_writev: [311, 271],
  process_madvise: [440, 440],
  kcmp: [312, 272],
  pidfd_open: [434, 434],
  pidfd_getfd: [438, 438],
  pidfd_send_signal: [424, 424],
  kill: [62, 129],
  tkill: [200, 130],
  rt_sigqueueinfo: [129, 138],
  rt_tgsigqueueinfo: [297, 240],
  mount: [165, 40],
  umount2: [166, 39],
  pivot_root: [155, 41],
  chroot: [161, 51],
  move_mount: [429, 429],
  open_tree: [428, 428],
  fsopen: [430, 430],
  fsconfig: [431, 431],
  fsmount: [432, 432],
  fspick: [433, 433],
  mount_setattr: [442, 442],
  unshare: [272, 97],
  setns: [308, 268],
  bpf: [321, 280],
  keyctl: [250, 219],
  add_key: [248, 217],
  request_key: [249, 218],
  kexec_load: [246, 104],
  kexec_file_load: [320, 294],
  perf_event_open: [298, 241],
  init_module: [175, 105],
  finit_module: [313, 273],
  delete_module: [176, 106],
  reboot: [169, 142],
  swapon: [167, 224],
  swapoff: [168, 225],
  sethostname: [170, 161],
  setdomainname: [171, 162],
  iopl: [172, -1],
  ioperm: [173, -1],
  modify_ldt: [154, -1],
  acct: [163, 89],
  quotactl: [179, 60],
  quotactl_fd: [443, 443],
  settimeofday: [164, 170],
  clock_settime: [227, 112],
  adjtimex: [159, 171],
  clock_adjtime: [305, 266],
  syslog: [103, 116],
  vhangup: [153, 58],
  userfaultfd: [323, 282],
  io_uring_setup: [425, 425],
  io_uring_enter: [426, 426],
  io_uring_register: [427, 427],
  fanotify_init: [300, 262],
  open_by_handle_at: [304, 265],
  name_to_handle_at: [303, 264],
  personality: [135, 92],
  execveat: [322, 281],
  fork: [57, -1],
  vfork: [58, -1],
  mknod: [133, -1],
  mknodat: [259, 33],
  symlink: [88, -1],
  symlinkat: [266, 36],
  // Landlock does not know these: a role that is the user of its server could
  // open other roles' files to everybody.
  chown: [92, -1],
  fchown: [93, 55],
  lchown: [94, -1],
  fchownat: [260, 54],
  chmod: [90, -1],
  fchmod: [91, 52],
  fchmodat: [268, 53],
  fchmodat2: [452, 452],
  setxattr: [188, 5],
  lsetxattr: [189, 6],
  fsetxattr: [190, 7],
  setxattrat: [463, 463],
  link: [86, -1],
  linkat: [265, 37],
  setuid: [105, 146],
  setgid: [106, 144],
  setreuid: [113, 145],
  setregid: [114, 143],
  setresuid: [117, 147],
  setresgid: [119, 149],
  setgroups: [116, 159],
  capset: [126, 91],
  seccomp: [317, 277],
  landlock_create_ruleset: [444, 444],
} as const;

/** Names of the system calls that every role is refused. */
export const REFUSED_CALLS = Object.keys(CALLS) as (keyof typeof CALLS)[];

const SPECIAL = {
  execve: [59, 221],
  clone: [56, 220],
  clone3: [435, 435],
  socket: [41, 198],
  bind: [49, 200],
  listen: [50, 201],
  sendto: [44, 206],
  sendmsg: [46, 211],
  sendmmsg: [307, 269],
  close: [3, 57],
  close_range: [436, 436],
  dup2: [33, -1],
  dup3: [292, 24],
  tgkill: [234, 131],
  ioctl: [16, 29],
} as const;

const AUDIT_ARCH = { x86_64: 0xc000003e, aarch64: 0xc00000b7 } as const;

const LD_ABS = 0x20;
const JEQ = 0x15;
const JGE = 0x35;
const JSET = 0x45;
const AND = 0x54;
const RET = 0x06;
const ALLOW = 0x7fff0000;
const REFUSE = 0x00050001; // SECCOMP_RET_ERRNO | EPERM
const NO_SUCH_CALL = 0x00050026; // SECCOMP_RET_ERRNO | ENOSYS
const KILL = 0x80000000;

const CLONE_THREAD = 0x0001_0000;
const CLONE_NEW = 0x7e02_0080; // every namespace flag that clone(2) takes
const AF = { unix: 1, inet: 2, inet6: 10 } as const;
const PROTOCOL = { any: 0, tcp: 6, udp: 17 } as const;
const TIOCSTI = 0x5412;
const MSG_FASTOPEN = 0x2000_0000;

type Instruction = readonly [code: number, jt: number, jf: number, k: number];

/**
 * Builds the filter.
 *
 * @param execPathAddress Address of the pathname that the jail stage passes
 * to execve(2). That one call is let through; afterwards the address means
 * nothing, so the role executes nothing at all, not even the runtime.
 * @param pid The process, the only one that it may signal
 */
export function seccompFilter(
  machine: Machine,
  rules: SeccompRules,
  execPathAddress: bigint,
  pid: number,
): Instruction[] {
  const column = machine === "x86_64" ? 0 : 1;
  const program: Instruction[] = [
    [LD_ABS, 0, 0, 4],
    [JEQ, 1, 0, AUDIT_ARCH[machine]],
    [RET, 0, 0, KILL],
    [LD_ABS, 0, 0, 0],
  ];
  // The x32 numbers name the same calls again.
  if (machine === "x86_64") {
    program.push([JGE, 0, 1, 0x4000_0000], [RET, 0, 0, REFUSE]);
  }
  for (const numbers of Object.values(CALLS)) {
    const number = numbers[column];
    if (number >= 0) program.push([JEQ, 0, 1, number], [RET, 0, 0, REFUSE]);
  }
  /** Adds checks for one call; they must end in a return on every path. */
  const on = (call: keyof typeof SPECIAL, checks: readonly Instruction[]) => {
    const number = SPECIAL[call][column];
    if (number < 0) return;
    program.push([JEQ, 0, checks.length, number], ...checks);
  };

  const low = Number(execPathAddress & 0xffff_ffffn);
  const high = Number(execPathAddress >> 32n);
  on("execve", [
    [LD_ABS, 0, 0, 16],
    [JEQ, 0, 3, low],
    [LD_ABS, 0, 0, 20],
    [JEQ, 0, 1, high],
    [RET, 0, 0, ALLOW],
    [RET, 0, 0, REFUSE],
  ]);
  // glibc falls back to clone(2), whose flags can be read here.
  on("clone3", [[RET, 0, 0, NO_SUCH_CALL]]);
  on("clone", [
    [LD_ABS, 0, 0, 16],
    [JSET, 2, 0, CLONE_NEW],
    [JSET, 0, 1, CLONE_THREAD],
    [RET, 0, 0, ALLOW],
    [RET, 0, 0, REFUSE],
  ]);
  on("tgkill", [
    [LD_ABS, 0, 0, 16],
    [JEQ, 0, 1, pid],
    [RET, 0, 0, ALLOW],
    [RET, 0, 0, REFUSE],
  ]);
  on("ioctl", [
    [LD_ABS, 0, 0, 24],
    [JEQ, 0, 1, TIOCSTI],
    [RET, 0, 0, REFUSE],
    [RET, 0, 0, ALLOW],
  ]);
  on("socket", socketChecks(rules));
  // It would connect without connect(2), and so past Landlock's ports.
  on("sendto", refuseFlag(3, MSG_FASTOPEN));
  on("sendmsg", refuseFlag(2, MSG_FASTOPEN));
  on("sendmmsg", refuseFlag(3, MSG_FASTOPEN));
  if (rules.tcp) {
    // listen(2) on a new TCP socket would bind it, past Landlock's ports. So
    // only on what was handed over, whose numbers must then stay what they
    // are: no new socket may take their place.
    on("listen", [...oneOf(0, rules.handed, ALLOW), [RET, 0, 0, REFUSE]]);
    on("close", [...oneOf(0, rules.handed, REFUSE), [RET, 0, 0, ALLOW]]);
    on("dup2", [...oneOf(1, rules.handed, REFUSE), [RET, 0, 0, ALLOW]]);
    on("dup3", [...oneOf(1, rules.handed, REFUSE), [RET, 0, 0, ALLOW]]);
    on("close_range", [[RET, 0, 0, REFUSE]]);
  }
  if (!rules.udp && !rules.binds) on("bind", [[RET, 0, 0, REFUSE]]);
  program.push([RET, 0, 0, ALLOW]);
  return program;
}

/** Loads the low half of an argument; every argument looked at is an int. */
function loadArgument(n: number): Instruction {
  return [LD_ABS, 0, 0, 16 + 8 * n];
}

/** Returns `verdict` if argument `n` is one of `values`; else goes on. */
function oneOf(
  n: number,
  values: readonly number[],
  verdict: number,
): Instruction[] {
  return [
    loadArgument(n),
    ...values.flatMap((value): Instruction[] => [
      [JEQ, 0, 1, value],
      [RET, 0, 0, verdict],
    ]),
  ];
}

/** Refuses the call if a bit of `flag` is set in argument `n`. */
function refuseFlag(n: number, flag: number): Instruction[] {
  return [
    loadArgument(n),
    [JSET, 0, 1, flag],
    [RET, 0, 0, REFUSE],
    [RET, 0, 0, ALLOW],
  ];
}

function socketChecks(rules: SeccompRules): Instruction[] {
  const checks: Instruction[] = [loadArgument(0)];
  if (rules.unix) {
    checks.push([JEQ, 0, 1, AF.unix], [RET, 0, 0, ALLOW]);
  }
  if (rules.tcp || rules.udp) {
    // Family is internet, or refuse; then the type without its flag bits.
    checks.push(
      [JEQ, 2, 0, AF.inet],
      [JEQ, 1, 0, AF.inet6],
      [RET, 0, 0, REFUSE],
      loadArgument(1),
      [AND, 0, 0, 0xf],
    );
    // Landlock's ports are TCP's alone: Multipath TCP and SCTP go past them.
    if (rules.tcp) checks.push(...allowType(1, PROTOCOL.tcp));
    if (rules.udp) checks.push(...allowType(2, PROTOCOL.udp));
  }
  checks.push([RET, 0, 0, REFUSE]);
  return checks;
}

/** For a socket of `type`: its usual protocol by name or default, or none. */
function allowType(type: number, protocol: number): Instruction[] {
  const checks: Instruction[] = [
    loadArgument(2),
    [JEQ, 1, 0, PROTOCOL.any],
    [JEQ, 0, 1, protocol],
    [RET, 0, 0, ALLOW],
    [RET, 0, 0, REFUSE],
  ];
  return [[JEQ, 0, checks.length, type], ...checks];
}

/** Puts a filter in force for the calling thread and what it executes. */
export function loadFilter(libc: Libc, filter: readonly Instruction[]): void {
  const code = new Uint8Array(filter.length * 8);
  const view = new DataView(code.buffer);
  filter.forEach(([op, jt, jf, k], i) => {
    view.setUint16(i * 8, op, true);
    view.setUint8(i * 8 + 2, jt);
    view.setUint8(i * 8 + 3, jf);
    view.setUint32(i * 8 + 4, k >>> 0, true);
  });
  const program = new Uint8Array(16);
  const head = new DataView(program.buffer);
  head.setUint16(0, filter.length, true);
  head.setBigUint64(8, addressOf(code), true);
  const PR_SET_SECCOMP = 22;
  must(
    libc,
    "prctl(PR_SET_SECCOMP)",
    libc.prctl(PR_SET_SECCOMP, 2n, addressOf(program), 0n, 0n),
  );
}
