import assert from "node:assert/strict";
import { ROLE_NAMES } from "../ipc/call.ts";
import type { RoleManifest, Site } from "../walls/manifest.ts";
import { edgesOf, instancesOf, ROLES } from "./roles.ts";

const site: Site = {
  home: "/srv/bulkhead",
  spoolDir: "/srv/bulkhead/spool",
  spentDir: "/srv/bulkhead/spent",
  queueDir: "/srv/bulkhead/queue",
  eventsDir: "/srv/bulkhead/events",
  gateDir: "/srv/bulkhead/gate",
  dropDir: "/srv/bulkhead/drop",
  stsDir: "/srv/bulkhead/sts",
  mailDir: "/srv/bulkhead/mail",
  authDir: "/srv/bulkhead/auth",
  runDir: "/srv/bulkhead/run",
  nextHops: [],
  nextHopSockets: [],
  sources: [],
  nameservers: ["127.0.0.1"],
  dnsPort: 53,
  dnsRecurses: false,
  outboundPort: 25,
  mtaSts: true,
  stsPort: 443,
  ipv6: true,
  smtpdProcesses: 3,
  libc: "/lib/libc.so.6",
};

function manifest(name: RoleManifest["name"]): RoleManifest {
  return ROLES.find((one) => one.name === name)!;
}

Deno.test("ROLES has every role once", () => {
  assert.deepEqual(
    ROLES.map((one) => one.name).sort(),
    [...ROLE_NAMES].sort(),
  );
});

Deno.test("instancesOf numbers the processes of a role", () => {
  assert.deepEqual(instancesOf(manifest("smtpd"), site), [
    "smtpd.0",
    "smtpd.1",
    "smtpd.2",
  ]);
  assert.deepEqual(instancesOf(manifest("queue"), site), ["queue.0"]);
});

Deno.test("edgesOf gives each asking instance a socket for each role", () => {
  const two = [manifest("smtpd"), manifest("resolve")];
  const edges = edgesOf(two, { ...site, smtpdProcesses: 1 });
  assert.deepEqual(
    edges,
    manifest("smtpd").asks.map((answerer) => ({
      asker: "smtpd",
      askerInstance: "smtpd.0",
      answerer,
      path: `/srv/bulkhead/run/smtpd.0-${answerer}.sock`,
    })),
  );
});

Deno.test("edgesOf shares no socket between two edges", () => {
  const edges = edgesOf(ROLES, site);
  assert.equal(new Set(edges.map((one) => one.path)).size, edges.length);
  assert.equal(
    edges.filter((one) => one.answerer === "resolve" && one.asker === "smtpd")
      .length,
    3,
  );
});

Deno.test("ROLES forms a graph in which nobody asks itself or in a circle", () => {
  const seen = new Set<string>();
  const visit = (name: RoleManifest["name"], way: readonly string[]) => {
    assert.ok(!way.includes(name), [...way, name].join(" asks "));
    seen.add(name);
    for (const next of manifest(name).asks) visit(next, [...way, name]);
  };
  for (const one of ROLES) visit(one.name, []);
  assert.equal(seen.size, ROLES.length);
});

Deno.test("ROLES leaves the world's door without any right of its own", () => {
  const { asks: _asks, listens, needs, ffi } = manifest("smtpd");
  assert.deepEqual(needs(site), { read: [], write: [], connect: [] });
  assert.equal(ffi, undefined);
  assert.ok(listens.length > 0);
});
