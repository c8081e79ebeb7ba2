/**
 * The walls around every role of a running server, as the kernel tells of
 * them in /proc, next to a table of rights that is written here by hand.
 */
import assert from "node:assert/strict";
import {
  type Installation,
  IS_ROOT,
  type RoleStatus,
  server,
} from "./server_fixture.ts";

/** What a role's flags grant; sockets of its edges come on top. */
interface Rights {
  /** Instances that ask it. */
  readonly answers: readonly string[];
  /** Roles that it asks. */
  readonly asks: readonly string[];
  /** Below the home. */
  readonly read?: readonly string[];
  readonly write?: readonly string[];
  readonly net?: readonly string[];
  readonly sys?: string;
  readonly ffi?: boolean;
  /** The group that may read contents. */
  readonly isReader?: boolean;
  /** Which TCP port it takes connections from. */
  readonly listens?: "smtp" | "submission" | "console";
}

const SMTPD = ["smtpd.0", "smtpd.1"];
/** Everybody whom strangers and users reach. */
const DOORS = [...SMTPD, "submission.0"];
/** Everybody who hands mail to spool and queue. */
const TAKERS = [...DOORS, "pickup.0"];

const RIGHTS: Readonly<Record<string, Rights>> = {
  smtpd: {
    answers: [],
    asks: ["resolve", "spool", "queue", "gate"],
    listens: "smtp",
  },
  submission: {
    answers: [],
    asks: ["resolve", "spool", "queue", "gate", "auth"],
    listens: "submission",
  },
  console: { answers: [], asks: ["queue", "gate"], listens: "console" },
  resolve: { answers: [...DOORS, "queue.0", "gate.0"], asks: [] },
  pickup: {
    answers: [],
    asks: ["spool", "queue"],
    read: ["/drop"],
    write: ["/drop"],
  },
  spool: {
    answers: [...TAKERS, "queue.0"],
    asks: ["shred"],
    read: ["/spool/segments", "/spool/spent"],
    write: ["/spool/segments", "/spool/spent"],
    sys: "statfs",
    isReader: true,
  },
  shred: {
    answers: ["spool.0"],
    asks: [],
    read: ["/spool/spent"],
    write: ["/spool/spent"],
  },
  auth: { answers: ["submission.0"], asks: [], read: ["/auth"] },
  queue: {
    answers: [...TAKERS, "console.0"],
    asks: ["resolve", "spool", "maildir", "smtpc", "dns"],
    read: ["/queue", "/events"],
    write: ["/queue", "/events"],
  },
  gate: {
    answers: [...DOORS, "console.0"],
    asks: ["dns", "resolve", "smtpc"],
    read: ["/gate"],
    write: ["/gate"],
  },
  maildir: {
    answers: ["queue.0"],
    asks: ["sync"],
    read: ["/spool/segments", "/mail"],
    write: ["/mail"],
    isReader: true,
  },
  sync: { answers: ["maildir.0"], asks: [], read: ["/mail/.sync"], ffi: true },
  smtpc: {
    answers: ["queue.0", "gate.0"],
    asks: ["dns", "dial", "sts"],
    read: ["/spool/segments"],
    net: ["0.0.0.0/0:25", "192.0.2.7:2600"],
    isReader: true,
  },
  dns: {
    answers: ["smtpc.0", "gate.0", "sts.0", "queue.0"],
    asks: [],
    // Any name server, if those of the system strip signatures; and the
    // sockets that datagrams come from.
    net: ["0.0.0.0/0:53", "0.0.0.0:0", "192.0.2.53:53"],
  },
  dial: { answers: ["smtpc.0"], asks: [], ffi: true },
  sts: {
    answers: ["smtpc.0"],
    asks: ["dns"],
    read: ["/sts"],
    write: ["/sts"],
    net: ["0.0.0.0/0:443"],
  },
};

/** A server with two smtpd processes, and everything that a flag may name. */
function walledServer(): Promise<Installation> {
  return server({
    routes: ["remote.test=192.0.2.7:2600"],
    settings: `
[smtp]
processes = 2
[outbound]
nameservers = ["192.0.2.53"]
`,
  });
}

function roleOf({ instance }: RoleStatus): string {
  return instance.slice(0, instance.indexOf("."));
}

/** The permissions on a process's command line, by name. */
function flagsOf(pid: number): Map<string, readonly string[]> {
  const found = new Map<string, readonly string[]>();
  for (
    const word of Deno.readTextFileSync(`/proc/${pid}/cmdline`).split("\0")
  ) {
    if (/^-[A-Za-z]*A/.test(word)) assert.fail(`${word} grants everything`);
    if (!/^--(allow|deny|unstable|permission)/.test(word)) continue;
    const granted = /^--allow-([a-z]+)=(.+)$/.exec(word);
    assert.ok(granted, `${word} is not narrow`);
    assert.ok(!found.has(granted[1]!), `${word} comes twice`);
    found.set(granted[1]!, granted[2]!.split(",").sort());
  }
  return found;
}

/** One line of a /proc/PID/status, as words. */
function statusOf(pid: number, name: string): string[] {
  const status = Deno.readTextFileSync(`/proc/${pid}/status`);
  const line = status.split("\n").find((one) => one.startsWith(`${name}:`));
  assert.ok(line !== undefined, `${name} in /proc/${pid}/status`);
  return line.slice(name.length + 1).trim().split(/\s+/).filter(Boolean);
}

if (!IS_ROOT) console.log("walls_test: users and groups are seen as root only");

Deno.test("every role of a running server stands behind its walls", async (t) => {
  await using made = await walledServer();
  const roles = await made.roles();

  await t.step("it has its flags, and not one more", () => {
    const seen = new Set(roles.map(roleOf));
    for (const role of Object.keys(RIGHTS)) {
      // The machine decides whether it has IPv6 and a dial.
      if (role !== "dial") assert.ok(seen.has(role), `${role} runs`);
    }
    for (const one of roles) compareFlags(made.home, one);
  });

  await t.step("it is held by seccomp and cannot gain a right", () => {
    for (const { instance, pid } of roles) {
      assert.deepEqual(statusOf(pid, "NoNewPrivs"), ["1"], instance);
      assert.deepEqual(statusOf(pid, "Seccomp"), ["2"], instance);
      for (const set of ["CapEff", "CapPrm", "CapInh", "CapAmb"]) {
        assert.match(statusOf(pid, set)[0]!, /^0+$/, `${set} of ${instance}`);
      }
      const limits = Deno.readTextFileSync(`/proc/${pid}/limits`);
      assert.match(limits, /^Max core file size +0 +0 /m, instance);
    }
  });

  await t.step({
    name: "it has a user of its own",
    ignore: !IS_ROOT,
    fn: () => {
      const content = String(Deno.statSync(`${made.home}/spool/segments`).gid);
      const users = new Map<string, string>();
      for (const one of roles) compareUser(one, content, users);
      assert.equal(users.size, new Set(roles.map(roleOf)).size);
    },
  });

  await t.step({
    name: "it holds its own sockets and files, and no others",
    ignore: !IS_ROOT,
    fn: () => {
      const names = listeningSockets();
      for (const one of roles) compareOpen(made, one, names);
    },
  });

  await t.step({
    name: "the drill breaks in to it and gets nowhere",
    ignore: !IS_ROOT,
    fn: async () => {
      const { code, out, errors } = await made.command("drill", "--json");
      const { acts } = JSON.parse(out) as { acts: Act[] };
      assert.deepEqual(acts.filter(({ denied }) => !denied), []);
      assert.equal(code, 0, errors);
      for (const { mode, act, wall } of acts) {
        assert.match(wall, /^(deno|uid|landlock|seccomp)$/, act);
        if (mode === "kernel") assert.notEqual(wall, "deno", act);
      }
      for (const role of new Set(roles.map(roleOf))) {
        for (const mode of ["flags", "kernel"]) {
          const words = acts.filter((one) =>
            one.role === role && one.mode === mode
          ).map(({ act }) => act);
          assert.ok(
            new Set(words).size >= 40,
            `${words.length} acts of ${role} with ${mode}`,
          );
          for (const act of OBVIOUS) {
            assert.ok(words.includes(act), `${act}, by ${role} with ${mode}`);
          }
        }
      }
    },
  });

  await made.stopCleanly();
});

/** One act of `drill --json`. */
interface Act {
  readonly role: string;
  readonly mode: string;
  readonly act: string;
  readonly denied: boolean;
  readonly wall: string;
}

/** What every attacker would try first. */
const OBVIOUS = [
  "read /etc/shadow",
  "read the TLS private key",
  "run a shell",
  "connect to another role's edge",
  "attach a debugger to a neighbour",
  "signal a neighbour",
  "write the program",
];

/** Fails unless a process's flags are those of {@link RIGHTS}. */
function compareFlags(home: string, one: RoleStatus): void {
  const role = roleOf(one);
  const rights = RIGHTS[role];
  assert.ok(rights, `${role} is a role that this test knows`);
  const edges = rights.answers.map((asker) =>
    `${home}/run/${asker}-${role}.sock`
  );
  const below = (paths: readonly string[] = []) =>
    paths.map((path) => home + path);
  const want: Record<string, string[]> = {
    read: [...below(rights.read), ...edges],
    write: [...below(rights.write), ...edges],
    net: [...edges.map((path) => `unix:${path}`), ...rights.net ?? []],
    sys: rights.sys === undefined ? [] : [rights.sys],
  };
  const got = flagsOf(one.pid);
  for (const [name, values] of Object.entries(want)) {
    assert.deepEqual(
      got.get(name) ?? [],
      values.sort(),
      `--allow-${name} of ${role}`,
    );
    got.delete(name);
  }
  const ffi = got.get("ffi") ?? [];
  assert.equal(ffi.length, rights.ffi ? 1 : 0, `--allow-ffi of ${role}`);
  for (const path of ffi) assert.match(path, /^\/.*\/libc\.so\.6$/);
  got.delete("ffi");
  assert.deepEqual([...got.keys()], [], `further flags of ${role}`);
}

/** Fails unless a process's user is nobody else's; notes it in `users`. */
function compareUser(
  one: RoleStatus,
  content: string,
  users: Map<string, string>,
): void {
  const role = roleOf(one);
  const uids = statusOf(one.pid, "Uid");
  const gids = statusOf(one.pid, "Gid");
  assert.equal(new Set(uids).size, 1, "real, effective, saved, files");
  assert.equal(new Set(gids).size, 1);
  assert.notEqual(uids[0], "0", role);
  assert.notEqual(gids[0], "0", role);
  assert.notEqual(gids[0], content, role);
  const owner = users.get(uids[0]!);
  assert.ok(owner === undefined || owner === role, `${owner} and ${role}`);
  users.set(uids[0]!, role);
  assert.deepEqual(
    statusOf(one.pid, "Groups"),
    RIGHTS[role]!.isReader ? [content] : [],
    `groups of ${role}`,
  );
  assert.match(statusOf(one.pid, "CapBnd")[0]!, /^0+$/, role);
  // Not dumpable: what is in its /proc directory is root's.
  assert.equal(Deno.statSync(`/proc/${one.pid}/environ`).uid, 0, role);
}

/** Fails if a process has a listening socket or a file that is not its own. */
function compareOpen(
  made: Installation,
  one: RoleStatus,
  names: ReadonlyMap<string, string>,
): void {
  const role = roleOf(one);
  const rights = RIGHTS[role]!;
  const got: string[] = [];
  for (const link of openFiles(one.pid)) {
    const inode = /^socket:\[(\d+)\]$/.exec(link)?.[1];
    const name = inode === undefined ? undefined : names.get(inode);
    if (name !== undefined) got.push(name);
    if (!link.startsWith(made.home)) continue;
    const own = [...rights.read ?? [], ...rights.write ?? []];
    assert.ok(
      own.some((path) => link.startsWith(made.home + path)),
      `${one.instance} has ${link} open`,
    );
  }
  const want = rights.asks.map((asked) =>
    `${made.home}/run/${one.instance}-${asked}.sock`
  );
  if (rights.listens === "smtp") want.push(`tcp:${made.smtpPort}`);
  if (rights.listens === "submission") {
    want.push(`tcp:${made.smtpPort + 1}`, `tcp:${made.smtpPort + 2}`);
  }
  if (rights.listens === "console") want.push(`tcp:${made.consolePort}`);
  const noDial = (name: string) => !name.endsWith("-dial.sock");
  assert.deepEqual(
    got.filter(noDial).sort(),
    want.filter(noDial).sort(),
    `sockets on which ${one.instance} listens`,
  );
}

/** Names of all listening sockets, TCP and Unix, by inode. */
function listeningSockets(): Map<string, string> {
  const names = new Map<string, string>();
  const rows = (path: string) =>
    Deno.readTextFileSync(path).split("\n").slice(1)
      .map((line) => line.trim().split(/\s+/));
  for (const path of ["/proc/net/tcp", "/proc/net/tcp6"]) {
    for (const row of rows(path)) {
      if (row[3] !== "0A") continue;
      names.set(row[9]!, `tcp:${parseInt(row[1]!.split(":")[1]!, 16)}`);
    }
  }
  for (const row of rows("/proc/net/unix")) {
    // __SO_ACCEPTCON
    if (row[3] === "00010000") names.set(row[6]!, row[7] ?? "");
  }
  return names;
}

/** Where a process's descriptors lead. */
function openFiles(pid: number): string[] {
  return [...Deno.readDirSync(`/proc/${pid}/fd`)].flatMap(({ name }) => {
    try {
      return [Deno.readLinkSync(`/proc/${pid}/fd/${name}`)];
    } catch (error) {
      // It was closed meanwhile.
      if (error instanceof Deno.errors.NotFound) return [];
      throw error;
    }
  });
}
