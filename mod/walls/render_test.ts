import assert from "node:assert/strict";
import { z } from "../ipc/schema.ts";
import type { RoleManifest, Site } from "./manifest.ts";
import { type Installation, jailCommand, renderWalls } from "./render.ts";

const SITE: Site = {
  home: "/h",
  spoolDir: "/h/spool",
  spentDir: "/h/spent",
  queueDir: "/h/queue",
  eventsDir: "/h/events",
  gateDir: "/h/gate",
  dropDir: "/h/drop",
  stsDir: "/h/sts",
  mailDir: "/h/mail",
  authDir: "/h/auth",
  runDir: "/h/run",
  nextHops: [],
  nextHopSockets: [],
  sources: [],
  nameservers: [],
  dnsPort: 53,
  dnsRecurses: false,
  outboundPort: 25,
  mtaSts: true,
  stsPort: 443,
  ipv6: true,
  smtpdProcesses: 2,
  libc: "/lib/libc.so.6",
};

const INSTALLATION: Installation = {
  runtime: "/h/runtime/deno",
  program: () => "/h/runtime/b.mjs",
  machine: "x86_64",
  libc: "/lib/libc.so.6",
  libraries: ["/lib/ld-linux-x86-64.so.2", "/lib/libc.so.6"],
  accounts: new Map([["spool", { uid: 70, gid: 71 }]]),
  groups: new Map([["content", 99]]),
  veil: null,
};

const SPOOL: RoleManifest = {
  name: "spool",
  job: "test",
  trust: 0,
  asks: [],
  listens: [],
  instances: () => 1,
  needs: (site) => ({
    read: [site.spoolDir],
    write: [site.spoolDir],
    connect: [],
  }),
  heapMb: 64,
  openFiles: 256,
  part: z.null(),
  groups: ["content"],
};

function render(
  change: Partial<RoleManifest> = {},
  weakened: Parameters<typeof renderWalls>[4] = {},
) {
  const plan = {
    manifest: { ...SPOOL, ...change },
    instance: "spool.0",
    plugs: [],
    fds: [7],
  };
  return renderWalls(plan, SITE, INSTALLATION, ["role", "spool"], weakened);
}

Deno.test("renderWalls gives every wall the same rights", () => {
  const { flags, spec } = render();
  assert.deepEqual(flags, [
    "--allow-read=/h/spool",
    "--allow-write=/h/spool",
  ]);
  assert.ok(spec.landlock?.read.includes("/h/spool"));
  assert.deepEqual(spec.landlock?.write, ["/h/spool"]);
  assert.deepEqual(spec.user, { uid: 70, gid: 71, groups: [99] });
  assert.deepEqual(spec.seccomp, {
    tcp: false,
    udp: false,
    unix: false,
    binds: false,
    handed: [7],
  });
  assert.deepEqual(spec.argv.slice(-5), [
    ...flags,
    "/h/runtime/b.mjs",
    "role",
    "spool",
  ]);
});

Deno.test("renderWalls grants one socket of others, and one address of ours", () => {
  const spool = {
    ...SPOOL,
    needs: () => ({
      read: [],
      write: [],
      connect: [],
      connectUnix: ["/run/x/lmtp.sock"],
      bind: ["192.0.2.7"],
    }),
  };
  const { flags, spec } = renderWalls(
    { manifest: spool, instance: "spool.0", plugs: [], fds: [] },
    SITE,
    INSTALLATION,
    ["role", "spool"],
  );
  assert.deepEqual(flags, [
    "--allow-read=/run/x/lmtp.sock",
    "--allow-write=/run/x/lmtp.sock",
    "--allow-net=unix:/run/x/lmtp.sock,192.0.2.7:0",
  ]);
  // It may not be there yet when the role starts, and Landlock knows no
  // connecting by path.
  assert.ok(!spec.landlock?.read.includes("/run/x/lmtp.sock"));
  assert.deepEqual(spec.landlock?.connectPorts, []);
  assert.equal(spec.landlock?.bindsAny, true);
  assert.deepEqual([spec.seccomp?.unix, spec.seccomp?.binds], [true, true]);
});

Deno.test("renderWalls executes the runtime and the loader, nothing else", () => {
  assert.deepEqual(render().spec.landlock?.execute, [
    "/h/runtime/deno",
    "/lib/ld-linux-x86-64.so.2",
  ]);
});

Deno.test("renderWalls never gives a role -A, --allow-run or --allow-all", () => {
  const { argv } = render().spec;
  assert.ok(!argv.some((one) => /^-A$|^--allow-(all|run|sys)/.test(one)));
  assert.ok(argv.includes("--no-prompt") && argv.includes("--no-remote"));
});

Deno.test("renderWalls weakens exactly the wall that it is told", () => {
  const { spec: deno } = render({}, { denoOff: true });
  assert.ok(deno.argv.includes("-A") && deno.landlock && deno.seccomp);
  const { spec: landlock } = render({}, { landlockOff: true });
  assert.ok(landlock.landlock === null && landlock.seccomp);
  const { spec: seccomp } = render({}, { seccompOff: true });
  assert.ok(seccomp.seccomp === null && seccomp.landlock);
});

Deno.test("renderWalls refuses a group that nobody made", () => {
  const installation = { ...INSTALLATION, groups: new Map() };
  const plan = { manifest: SPOOL, instance: "spool.0", plugs: [], fds: [] };
  assert.throws(() => renderWalls(plan, SITE, installation, []), /content/);
});

Deno.test("renderWalls refuses a manifest that asks for everything", () => {
  assert.throws(() =>
    render({ needs: () => ({ read: ["/"], write: [], connect: [] }) })
  );
});

Deno.test("jailCommand hands the specification over as one argument", () => {
  const { spec } = render();
  const { command, args } = jailCommand(INSTALLATION, spec, "/deno");
  assert.equal(command, "/deno");
  assert.deepEqual(args.slice(-3, -1), ["/h/runtime/b.mjs", "jail"]);
  assert.deepEqual(JSON.parse(args.at(-1)!), spec);
});
