import assert from "node:assert/strict";
import { runFilter } from "./bpf_fixture.ts";
import { CALL_NAMES, callNumber } from "./drill/call_numbers.ts";
import {
  type Machine,
  REFUSED_CALLS,
  seccompFilter,
  type SeccompRules,
} from "./seccomp.ts";

const ALLOW = 0x7fff0000;
const EPERM = 0x00050001;
const ENOSYS = 0x00050026;
const KILL = 0x80000000;
const ARCH = { x86_64: 0xc000003e, aarch64: 0xc00000b7 } as const;
const MACHINES: readonly Machine[] = ["x86_64", "aarch64"];

const NOTHING: SeccompRules = {
  tcp: false,
  udp: false,
  unix: false,
  binds: false,
  handed: [],
};
const PATH = 0x7f12_3456_7890n;
const PID = 4_242;

// Of this test alone: numbers of calls that the filter treats specially.
const NUMBER = {
  read: [0, 63],
  close: [3, 57],
  ioctl: [16, 29],
  socket: [41, 198],
  connect: [42, 203],
  sendto: [44, 206],
  sendmsg: [46, 211],
  sendmmsg: [307, 269],
  bind: [49, 200],
  listen: [50, 201],
  clone: [56, 220],
  clone3: [435, 435],
  execve: [59, 221],
  dup3: [292, 24],
  close_range: [436, 436],
  fchmodat: [268, 53],
  fchmod: [91, 52],
  setxattrat: [463, 463],
  tgkill: [234, 131],
  openat: [257, 56],
  mmap: [9, 222],
  futex: [202, 98],
} as const;

function verdict(
  machine: Machine,
  rules: Partial<SeccompRules>,
  call: keyof typeof NUMBER | number,
  ...args: (number | bigint)[]
): number {
  const number = typeof call === "number"
    ? call
    : NUMBER[call][machine === "x86_64" ? 0 : 1];
  return runFilter(
    seccompFilter(machine, { ...NOTHING, ...rules }, PATH, PID),
    { number, arch: ARCH[machine], args: args.map(BigInt) },
  );
}

const SOCKETS: {
  name: string;
  rules: Partial<SeccompRules>;
  allows: (family: number, type: number, protocol: number) => boolean;
}[] = [
  {
    name: "TCP",
    rules: { tcp: true },
    allows: (family, type, protocol) =>
      [2, 10].includes(family) && type === 1 && [0, 6].includes(protocol),
  },
  {
    name: "UDP",
    rules: { udp: true },
    allows: (family, type, protocol) =>
      [2, 10].includes(family) && type === 2 && [0, 17].includes(protocol),
  },
  { name: "Unix", rules: { unix: true }, allows: (family) => family === 1 },
];

for (const machine of MACHINES) {
  Deno.test(`seccompFilter on ${machine} allows what a role needs`, () => {
    for (const call of ["read", "openat", "mmap", "futex"] as const) {
      assert.equal(verdict(machine, {}, call), ALLOW, call);
    }
  });

  Deno.test(`seccompFilter on ${machine} kills on another machine's calls`, () => {
    const other = machine === "x86_64" ? "aarch64" : "x86_64";
    const filter = seccompFilter(machine, NOTHING, PATH, PID);
    const call = { number: 0, arch: ARCH[other], args: [] };
    assert.equal(runFilter(filter, call), KILL);
  });

  Deno.test(`seccompFilter on ${machine} refuses the calls that the drill tries`, () => {
    const both = CALL_NAMES.filter((name) =>
      (REFUSED_CALLS as string[]).includes(name)
    );
    assert.ok(both.length >= 35, `${both.length} calls`);
    for (const name of both) {
      const number = callNumber(name, machine);
      if (number === null) continue;
      const all = { tcp: true, udp: true, unix: true };
      assert.equal(verdict(machine, all, number), EPERM, name);
    }
  });

  Deno.test(`seccompFilter on ${machine} lets only the jail's own execve through`, () => {
    assert.equal(verdict(machine, {}, "execve", PATH), ALLOW);
    assert.equal(verdict(machine, {}, "execve", PATH + 1n), EPERM);
    // The same low half, and the same high half, at another address.
    assert.equal(verdict(machine, {}, "execve", PATH + (1n << 32n)), EPERM);
    assert.equal(verdict(machine, {}, "execve", PATH & ~0xffn), EPERM);
  });

  Deno.test(`seccompFilter on ${machine} lets threads begin, not processes`, () => {
    const threadFlags = 0x3d0f00;
    assert.equal(verdict(machine, {}, "clone", threadFlags), ALLOW);
    assert.equal(verdict(machine, {}, "clone", 17), EPERM); // SIGCHLD: fork
    const CLONE_NEWUSER = 0x1000_0000;
    assert.equal(
      verdict(machine, {}, "clone", threadFlags | CLONE_NEWUSER),
      EPERM,
    );
    assert.equal(verdict(machine, {}, "clone3", 0), ENOSYS);
  });

  Deno.test(`seccompFilter on ${machine} lets a role signal itself alone`, () => {
    assert.equal(verdict(machine, {}, "tgkill", PID, 7, 6), ALLOW);
    assert.equal(verdict(machine, {}, "tgkill", PID + 1, 7, 6), EPERM);
  });

  Deno.test(`seccompFilter on ${machine} refuses typing into a terminal`, () => {
    assert.equal(verdict(machine, {}, "ioctl", 0, 0x5412), EPERM);
    assert.equal(verdict(machine, {}, "ioctl", 0, 0x5413), ALLOW);
  });

  Deno.test(`seccompFilter on ${machine} allows no sockets by default`, () => {
    for (let family = 0; family < 46; family++) {
      assert.equal(verdict(machine, {}, "socket", family, 1, 0), EPERM);
    }
    assert.equal(verdict(machine, {}, "bind"), EPERM);
  });

  for (const { name, rules, allows } of SOCKETS) {
    Deno.test(`seccompFilter on ${machine} allows ${name} sockets and no others`, () => {
      const SOCK_CLOEXEC_NONBLOCK = 0o2004000;
      for (const family of [1, 2, 10, 16, 17, 38, 40]) {
        for (const type of [1, 2, 3, 5]) {
          for (const protocol of [0, 1, 6, 17, 132, 262]) {
            const flags = type | SOCK_CLOEXEC_NONBLOCK;
            assert.equal(
              verdict(machine, rules, "socket", family, flags, protocol),
              allows(family, type, protocol) ? ALLOW : EPERM,
              `socket ${family} ${type} ${protocol}`,
            );
          }
        }
      }
    });
  }

  Deno.test(`seccompFilter on ${machine} refuses TCP Fast Open to everybody`, () => {
    const MSG_FASTOPEN = 0x2000_0000;
    const MSG_NOSIGNAL = 0x4000;
    const at = { sendto: 3, sendmsg: 2, sendmmsg: 3 } as const;
    for (const call of ["sendto", "sendmsg", "sendmmsg"] as const) {
      const args = [9, 9, 9, 9].map(BigInt);
      args[at[call]] = BigInt(MSG_NOSIGNAL);
      assert.equal(verdict(machine, { tcp: true }, call, ...args), ALLOW);
      args[at[call]] = BigInt(MSG_NOSIGNAL | MSG_FASTOPEN);
      assert.equal(verdict(machine, { tcp: true }, call, ...args), EPERM);
    }
  });

  Deno.test(`seccompFilter on ${machine} lets a TCP role listen on what it was handed`, () => {
    const rules = { tcp: true, handed: [5, 9] };
    for (const fd of [5, 9]) {
      assert.equal(verdict(machine, rules, "listen", fd, 128), ALLOW);
      assert.equal(verdict(machine, rules, "close", fd), EPERM);
      assert.equal(verdict(machine, rules, "dup3", 7, fd, 0), EPERM);
    }
    assert.equal(verdict(machine, rules, "listen", 7, 128), EPERM);
    assert.equal(verdict(machine, rules, "close", 7), ALLOW);
    assert.equal(verdict(machine, rules, "dup3", 5, 7, 0), ALLOW);
    assert.equal(verdict(machine, rules, "close_range", 3, 9), EPERM);
    assert.equal(verdict(machine, { tcp: true }, "listen", 5, 1), EPERM);
  });

  Deno.test(`seccompFilter on ${machine} lets nobody change owners and modes`, () => {
    for (const call of ["fchmodat", "fchmod", "setxattrat"] as const) {
      assert.equal(verdict(machine, {}, call), EPERM);
    }
  });
}

Deno.test("seccompFilter refuses x32's names of the calls", () => {
  assert.equal(verdict("x86_64", {}, 0x4000_0000 + 1), EPERM);
});

// The kernel's own tables, where they are installed (linux-libc-dev).
const TABLES: { machine: Machine; path: string }[] = [
  {
    machine: "x86_64",
    path: "/usr/include/x86_64-linux-gnu/asm/unistd_64.h",
  },
  { machine: "aarch64", path: "/usr/include/asm-generic/unistd.h" },
];

for (const { machine, path } of TABLES) {
  const table = readTable(path);
  Deno.test({
    name: `seccompFilter on ${machine} has the kernel's numbers`,
    ignore: table === undefined,
    fn() {
      for (const name of REFUSED_CALLS) {
        const number = table!.get(name);
        // Made after the installed headers, or not on this machine.
        if (number === undefined) continue;
        assert.equal(verdict(machine, {}, number), EPERM, name);
      }
      for (const name of CALL_NAMES) {
        const number = table!.get(name);
        if (number === undefined) continue;
        assert.equal(callNumber(name, machine), number, name);
      }
      for (const [name, numbers] of Object.entries(NUMBER)) {
        const number = table!.get(name);
        if (number === undefined) continue;
        assert.equal(numbers[machine === "x86_64" ? 0 : 1], number, name);
      }
    },
  });
}

function readTable(path: string): Map<string, number> | undefined {
  let text: string;
  try {
    text = Deno.readTextFileSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
  return new Map(
    text.matchAll(/#define __NR(?:3264)?_([a-z0-9_]+)\s+([0-9]+)/g)
      .map(([, name, number]) => [name!, Number(number)]),
  );
}
