/** Acts that would start a program, or touch another process. */
import { type DrillAct, tried } from "./act.ts";
import { callActs, struct, zeros } from "./call_act.ts";
import type { Targets } from "./targets.ts";

const CLONE_SIGHAND = 0x800; // without CLONE_VM: EINVAL once let through
const CLONE_NEWUSER = 0x1000_0000;
const AT_EMPTY_PATH = 0x1000;
const PTRACE_SEIZE = 0x4206; // does not stop its target
// The kernel looks at the file, and only then at this pointer: EFAULT means
// that the program would have been run.
const NO_ARGUMENTS = 1;

// A struct iovec; see process_vm_readv(2).
const EIGHT_BYTES = {
  ...struct([8, 0], [8, 8]),
  pointers: [{ at: 0, to: zeros(8) }],
};

/** All acts on processes. */
export function processActs(at: Targets): DrillAct[] {
  return [
    tried("run a shell", {
      do: "run",
      path: "/bin/sh",
      args: ["-c", "exit 0"],
    }),
    tried("run the runtime again", {
      do: "run",
      path: at.runtime,
      args: ["--version"],
    }),
    tried("signal a neighbour", { do: "signal", pid: at.neighbour }),
    tried("signal the supervisor", { do: "signal", pid: at.supervisor }),
    tried("signal process 1", { do: "signal", pid: 1 }),
    ...callActs(at.machine, [
      ["become a shell", ["execve", { text: "/bin/sh" }, NO_ARGUMENTS, 0]],
      ["become the runtime anew", [
        "execve",
        { text: at.runtime },
        NO_ARGUMENTS,
        0,
      ]],
      ["run a program from memory", ["memfd_create", { text: "x" }, 0], [
        "execveat",
        { step: 0 },
        { text: "" },
        NO_ARGUMENTS,
        0,
        AT_EMPTY_PATH,
      ]],
      ["make another process", ["clone", CLONE_SIGHAND, 0, 0, 0, 0]],
      ["make a process in a user namespace", [
        "clone",
        CLONE_NEWUSER + CLONE_SIGHAND,
        0,
        0,
        0,
        0,
      ]],
      ["attach a debugger to a neighbour", [
        "ptrace",
        PTRACE_SEIZE,
        at.neighbour,
        0,
        0,
      ]],
      ["attach a debugger to the supervisor", [
        "ptrace",
        PTRACE_SEIZE,
        at.supervisor,
        0,
        0,
      ]],
      ["copy a neighbour's memory", [
        "process_vm_readv",
        at.neighbour,
        EIGHT_BYTES,
        1,
        EIGHT_BYTES,
        1,
        0,
      ]],
      ["take a neighbour's descriptor", ["pidfd_open", at.neighbour, 0], [
        "pidfd_getfd",
        { step: 0 },
        0,
        0,
      ]],
      ["compare itself with a neighbour", [
        "kcmp",
        at.neighbour,
        at.supervisor,
        2,
        0,
        0,
      ]],
      ["send a neighbour's thread a signal", [
        "tgkill",
        at.neighbour,
        at.neighbour,
        0,
      ]],
      // SI_QUEUE, as sigqueue(3) would: everything else is forbidden anyway.
      ["queue a signal to a neighbour", [
        "rt_sigqueueinfo",
        at.neighbour,
        0,
        {
          bytes: [
            ...struct([4, 0], [4, 0], [4, -1]).bytes,
            ...zeros(116).bytes,
          ],
        },
      ]],
    ]),
  ];
}
