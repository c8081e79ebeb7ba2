/**
 * Acts on the kernel's rarer doors. Where a success would change the machine,
 * an argument is wrong in a way that is noticed only after the right to make
 * the call was checked: EINVAL, ENODEV or ENOENT then tell of a missing wall.
 */
import type { DrillAct } from "./act.ts";
import { callActs, struct, zeros } from "./call_act.ts";
import type { Targets } from "./targets.ts";

const AT_FDCWD = -100;
const NONE = { text: "drill-none" };
const KEYCTL_GET_KEYRING_ID = 0;
const KEY_SPEC_THREAD_KEYRING = -1;
const CLONE_NEWUSER = 0x1000_0000;
const CLONE_NEWNET = 0x4000_0000;
const TIOCSTI = 0x5412;
const CAPABILITY_VERSION_3 = 0x2008_0522;
const ALL = 0xffff_ffff;
const ADJ_SETOFFSET = 0x0100;
const TIMEX_BYTES = 208;
const UFFD_USER_MODE_ONLY = 1;

/** All acts on the kernel. */
export function kernelActs(at: Targets): DrillAct[] {
  return [...fileSystemActs(at), ...identityActs(at), ...machineActs(at)];
}

function fileSystemActs(at: Targets): DrillAct[] {
  const place = { text: `${at.home}/runtime` }; // never a mount point
  const device = { text: `${at.ownDir}/.drill-${at.mark}-device` };
  return callActs(at.machine, [
    ["mount a file system", ["mount", NONE, place, NONE, 0, 0]],
    ["unmount a file system", ["umount2", place, 0]],
    ["open a file system to mount", ["fsopen", { text: "tmpfs" }, 0]],
    ["change the root by pivot_root", ["pivot_root", place, place]],
    ["change the root by chroot", ["chroot", { text: "/" }]],
    ["make a device", ["mknodat", AT_FDCWD, device, 0o060600, 0x0800], [
      "unlinkat",
      AT_FDCWD,
      device,
      0,
    ]],
    ["make a FIFO", ["mknodat", AT_FDCWD, device, 0o010600, 0], [
      "unlinkat",
      AT_FDCWD,
      device,
      0,
    ]],
    ["learn a file's handle", [
      "name_to_handle_at",
      AT_FDCWD,
      { text: "/dev/null" },
      struct([4, 0], [4, 0], [8, 0]),
      zeros(8),
      0,
    ]],
    ["open a file by its handle", [
      "open_by_handle_at",
      AT_FDCWD,
      struct([4, 8], [4, 1], [8, 2]),
      0,
    ]],
    ["watch all files", ["fanotify_init", 0, 0]],
  ]);
}

function identityActs(at: Targets): DrillAct[] {
  return callActs(at.machine, [
    ["become root by setuid", ["setuid", 0]],
    ["become root by setresuid", ["setresuid", 0, 0, 0]],
    ["become root's group", ["setgid", 0]],
    ["join other groups", ["setgroups", 1, struct([4, 0])]],
    ["take capabilities", [
      "capset",
      struct([4, CAPABILITY_VERSION_3], [4, 0]),
      struct([4, ALL], [4, ALL], [4, 0], [4, 511], [4, 511], [4, 0]),
    ]],
    ["make a user namespace", ["unshare", CLONE_NEWUSER]],
    ["make a network namespace", ["unshare", CLONE_NEWNET]],
    ["enter a namespace", ["setns", 0, CLONE_NEWNET]],
    ["use the kernel's keys", [
      "keyctl",
      KEYCTL_GET_KEYRING_ID,
      KEY_SPEC_THREAD_KEYRING,
      1,
      0,
      0,
    ]],
    ["store a key in the kernel", [
      "add_key",
      { text: "user" },
      { text: "drill" },
      { text: "x" },
      1,
      KEY_SPEC_THREAD_KEYRING,
    ]],
    ["change how it is laid out in memory", ["personality", 0x0004_0000]],
  ]);
}

function machineActs(at: Targets): DrillAct[] {
  return callActs(at.machine, [
    ["load a program into the kernel", [
      "bpf",
      0, // BPF_MAP_CREATE, of an array of one word
      struct([4, 2], [4, 4], [4, 4], [4, 1], ...words(28)),
      128,
    ]],
    ["measure the processor", [
      "perf_event_open",
      struct([4, 1], [4, 112], ...words(26)),
      0,
      -1,
      -1,
      0,
    ]],
    ["load a module", ["init_module", zeros(16), 0, { text: "" }]],
    ["load a module from a file", ["finit_module", 0, { text: "" }, 0]],
    ["unload a module", ["delete_module", NONE, 0]],
    ["load another kernel", ["kexec_load", 0, 1_000, 0, 0x8000]],
    ["restart the machine", ["reboot", 1, 2, 3, 0]],
    ["set the clock", ["clock_adjtime", 0, {
      // An offset of more than a second's worth of microseconds is invalid.
      bytes: struct([8, ADJ_SETOFFSET], ...doubleWords(8), [8, 0], [
        8,
        2_000_000,
      ], ...doubleWords(TIMEX_BYTES / 8 - 11)).bytes,
    }]],
    ["name the machine", ["sethostname", NONE, 65_535]],
    ["stop swapping", ["swapoff", NONE]],
    ["account for processes", ["acct", NONE]],
    ["read the kernel's log", ["syslog", 3, zeros(16), 16]],
    ["use the processor's ports", ["iopl", 3]],
    ["use io_uring", ["io_uring_setup", 1, zeros(120)]],
    ["handle page faults", ["userfaultfd", UFFD_USER_MODE_ONLY]],
    ["type into a terminal", ["ioctl", 0, TIOCSTI, { text: "x" }]],
  ]);
}

function words(count: number): (readonly [4, number])[] {
  return new Array(count).fill([4, 0]);
}

function doubleWords(count: number): (readonly [8, number])[] {
  return new Array(count).fill([8, 0]);
}
