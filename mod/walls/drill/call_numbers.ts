/**
 * Numbers of the system calls that the drill makes. Written down anew and not
 * taken from `seccomp.ts`: a wrong number there must not be wrong here too.
 */
import type { Machine } from "../seccomp.ts";

// name: [x86_64, aarch64]; null where the machine has no such call.
const NUMBERS = {
  ioctl: [16, 29],
  socket: [41, 198],
  connect: [42, 203],
  sendto: [44, 206],
  bind: [49, 200],
  listen: [50, 201],
  clone: [56, 220],
  execve: [59, 221],
  ptrace: [101, 117],
  setuid: [105, 146],
  setgid: [106, 144],
  syslog: [103, 116],
  setgroups: [116, 159],
  setresuid: [117, 147],
  capset: [126, 91],
  rt_sigqueueinfo: [129, 138],
  personality: [135, 92],
  pivot_root: [155, 41],
  chroot: [161, 51],
  acct: [163, 89],
  mount: [165, 40],
  umount2: [166, 39],
  swapoff: [168, 225],
  reboot: [169, 142],
  sethostname: [170, 161],
  iopl: [172, null],
  init_module: [175, 105],
  delete_module: [176, 106],
  tgkill: [234, 131],
  kexec_load: [246, 104],
  add_key: [248, 217],
  keyctl: [250, 219],
  mknodat: [259, 33],
  unlinkat: [263, 35],
  unshare: [272, 97],
  perf_event_open: [298, 241],
  fanotify_init: [300, 262],
  name_to_handle_at: [303, 264],
  open_by_handle_at: [304, 265],
  clock_adjtime: [305, 266],
  setns: [308, 268],
  process_vm_readv: [310, 270],
  kcmp: [312, 272],
  finit_module: [313, 273],
  memfd_create: [319, 279],
  bpf: [321, 280],
  execveat: [322, 281],
  userfaultfd: [323, 282],
  io_uring_setup: [425, 425],
  fsopen: [430, 430],
  pidfd_open: [434, 434],
  pidfd_getfd: [438, 438],
} as const;

/** A system call that the drill knows. */
export type CallName = keyof typeof NUMBERS;

/** All of {@link CallName}. */
export const CALL_NAMES = Object.keys(NUMBERS) as CallName[];

/** The number of a call, or null if this machine has none. */
export function callNumber(name: CallName, machine: Machine): number | null {
  return NUMBERS[name][machine === "x86_64" ? 0 : 1];
}
