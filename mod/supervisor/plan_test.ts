import assert from "node:assert/strict";
import { loadConfig } from "../config/load.ts";
import type { Config } from "../config/settings.ts";
import { permissionFlags } from "../walls/flags.ts";
import {
  hasGlobalIpv6,
  parseResolvConf,
  pathsOf,
  type PlanInputs,
  planServer,
  siteOf,
} from "./plan.ts";
import { NO_GATE_FILES } from "./gate_files.ts";
import { edgesOf, ROLES } from "./roles.ts";
import { MAX_SOCKET_PATH } from "./sockets.ts";

const LEAST = `
[server]
hostname = "mx.home.test"
local_domains = ["home.test"]
`;

function config(text: string, path = "/srv/bulkhead.toml"): Config {
  const loaded = loadConfig(text, path);
  assert.ok(loaded.ok, JSON.stringify(loaded));
  return loaded.config;
}

function inputs(text: string, over: Partial<PlanInputs> = {}): PlanInputs {
  return {
    config: config(text),
    mailboxes: [{ domain: "home.test", user: "me" }],
    tls: null,
    nameservers: ["192.0.2.53"],
    libc: "/lib/libc.so.6",
    hasIpv6: true,
    journalBytes: 0,
    ca: "",
    smarthostPassword: null,
    gateFiles: NO_GATE_FILES,
    localUsers: [{ uid: 1_000, name: "me" }],
    manifests: ROLES,
    ...over,
  };
}

// Settings at their bounds: a role checks its part again, and must agree.
const PARTS: { name: string; text: string }[] = [
  { name: "the defaults", text: LEAST },
  {
    name: "the least of everything",
    text: `${LEAST}
[smtp]
processes = 1
max_message_size = "1KiB"
max_recipients = 100
hop_limit = 10
command_timeout = "100ms"
message_timeout = "1s"
session_timeout = "1s"
max_sessions = 1
max_sessions_per_client = 1
[submission]
max_sessions = 1
[queue]
first_retry = "100ms"
max_retry = "100ms"
expire = "1s"
max_jobs = 1
max_jobs_per_destination = 1
max_active = 10
max_messages = 10
keep_events = "1m"
max_events_size = "1MiB"
forget_within = "1s"
min_free = "0B"
[spool]
segment_size = "64KiB"
ready_segments = 1
max_size = "128KiB"
min_free = "0B"
[outbound]
port = 1
connect_timeout = "100ms"
reply_timeout = "100ms"
max_hosts = 1
dns_timeout = "100ms"
ipv6 = "off"
[console]
listen = ""
[screening]
trusted = []
greet_wait = "0s"
dnsbl_threshold = 1
dnsbl_allow_threshold = -10000
dnsbl_timeout = "100ms"
greet_passes_for = "1s"
dnsbl_passes_for = "1s"
deep_passes_for = "1s"
max_clients = 100
keep_verdicts = "1s"
max_verdicts = 100
[rates]
unit = "1s"
concurrency = 0
connections = 0
messages = 0
recipients = 0
errors = 0
auth_failures = 0
tls_handshakes = 0
ipv4_prefix = 8
ipv6_prefix = 8
[greylist]
enabled = true
delay = "1s"
window = "1m"
passes_for = "1s"
clients_pass_after = 0
ipv4_prefix = 8
ipv6_prefix = 8
[verify]
recipients = true
positive_for = "1s"
negative_for = "1s"
`,
  },
  {
    name: "the most of everything",
    text: `${LEAST}
[smtp]
processes = 16
max_message_size = "4GiB"
max_recipients = 1000
hop_limit = 1000
command_timeout = "1h"
message_timeout = "1d"
session_timeout = "1d"
max_sessions = 20000
max_sessions_per_client = 20000
[submission]
max_sessions = 20000
hide_client = true
[queue]
first_retry = "1d"
max_retry = "7d"
expire = "100d"
max_jobs = 2000
max_jobs_per_destination = 2000
max_active = 1000000
max_messages = 100000000
keep_events = "365d"
max_events_size = "1TiB"
forget_within = "1d"
[spool]
segment_size = "1GiB"
ready_segments = 1000
max_size = "32TiB"
[outbound]
port = 65535
connect_timeout = "10m"
reply_timeout = "1h"
max_hosts = 100
dns_timeout = "1m"
ipv6 = "on"
[screening]
deny = ["192.0.2.0/24", "2001:db8::/32"]
shadow = true
deny_action = "drop"
greet_wait = "30s"
dnsbl_sites = ["bl.test=127.[0;1].0.[2..11;14]*1000", "wl.test*-1000"]
dnsbl_threshold = 10000
dnsbl_timeout = "10s"
greet_passes_for = "365d"
dnsbl_passes_for = "365d"
deep_passes_for = "365d"
max_clients = 300000
keep_verdicts = "365d"
max_verdicts = 10000000
[rates]
unit = "1d"
concurrency = 1000000
connections = 1000000
messages = 1000000
recipients = 1000000
errors = 1000000
auth_failures = 1000000
tls_handshakes = 1000000
ipv4_prefix = 32
ipv6_prefix = 128
[greylist]
enabled = true
delay = "1d"
window = "30d"
passes_for = "365d"
clients_pass_after = 1000
ipv4_prefix = 32
ipv6_prefix = 128
[verify]
recipients = true
positive_for = "365d"
negative_for = "365d"
`,
  },
];

for (const { name, text } of PARTS) {
  Deno.test(`planServer() gives every role a part that it takes: ${name}`, () => {
    const plan = planServer(inputs(text));
    // Those that are not started with these settings too.
    for (const manifest of ROLES) {
      const part = plan.parts.get(manifest.name);
      const parsed = manifest.part.safeParse(part);
      assert.ok(parsed.success, `${manifest.name}: ${parsed.error}`);
    }
  });
}

Deno.test("planServer() starts no console that listens nowhere", () => {
  const plan = planServer(inputs(`${LEAST}\n[console]\nlisten = ""`));
  assert.ok(!plan.manifests.some((one) => one.name === "console"));
  assert.ok(!plan.listen.has("console"));
});

const SUBMISSION = `${LEAST}
[submission]
listen = ["127.0.0.1:587"]
`;
const PEM = { cert: "", key: "" };

Deno.test("planServer() starts submission where it listens and has TLS", () => {
  const started = (text: string, tls: PlanInputs["tls"]) => {
    const { manifests, listen } = planServer(inputs(text, { tls }));
    const isThere = manifests.some((one) => one.name === "submission");
    assert.equal(isThere, listen.has("submission"));
    return isThere;
  };
  assert.equal(started(SUBMISSION, PEM), true);
  assert.equal(started(SUBMISSION, null), false);
  assert.equal(started(LEAST, PEM), false);
});

Deno.test("siteOf() lets smtpc reach routes and the MX port, no other", () => {
  const site = siteOf(inputs(`${LEAST}
[routes]
"a.test" = "127.0.0.1:2600"
"b.test" = "[::1]:2601"
"c.test" = "relay.test:587"
`));
  const smtpc = ROLES.find((one) => one.name === "smtpc")!;
  assert.deepEqual(permissionFlags(smtpc.needs(site), { plugs: [] }), [
    `--allow-read=${site.spoolDir}`,
    "--allow-net=0.0.0.0/0:25,127.0.0.1:2600,[::1]:2601," +
    "relay.test:587,0.0.0.0/0:587",
  ]);
});

Deno.test("siteOf() dials IPv6 as configured, else as the machine can", () => {
  const of = (value: string, hasIpv6: boolean) =>
    siteOf(inputs(`${LEAST}\n[outbound]\nipv6 = "${value}"`, { hasIpv6 })).ipv6;
  assert.equal(of("auto", true), true);
  assert.equal(of("auto", false), false);
  assert.equal(of("on", false), true);
  assert.equal(of("off", true), false);
});

Deno.test("hasGlobalIpv6() wants more than loopback and link-local", () => {
  const lo = "00000000000000000000000000000001 01 80 10 80       lo\n";
  const link = "fe8000000000000000fc00fffe000001 04 40 20 80     eth0\n";
  const global = "20010db8000000000000000000000002 04 40 00 82     eth0\n";
  assert.equal(hasGlobalIpv6(""), false);
  assert.equal(hasGlobalIpv6(lo + link), false);
  assert.equal(hasGlobalIpv6(lo + link + global), true);
});

Deno.test("pathsOf() keeps socket paths short, however long the home", () => {
  for (const length of [10, 80, 84, 85, 300]) {
    const home = "/" + "h".repeat(length - 1);
    const site = { ...siteOf(inputs(LEAST)), runDir: pathsOf(home).runDir };
    for (const { path } of edgesOf(ROLES, { ...site, smtpdProcesses: 16 })) {
      assert.ok(path.length <= MAX_SOCKET_PATH, path);
    }
  }
  const a = pathsOf("/" + "a".repeat(300)).runDir;
  const b = pathsOf("/" + "b".repeat(300)).runDir;
  assert.notEqual(a, b);
});

Deno.test("parseResolvConf() finds the name servers", () => {
  assert.deepEqual(
    parseResolvConf(
      "# a comment\nsearch x\nnameserver 192.0.2.1\n  nameserver\t2001:db8::1 \nnameserver\n",
    ),
    ["192.0.2.1", "2001:db8::1"],
  );
});

Deno.test("planServer() tells shred how large the journal is", () => {
  const { parts } = planServer(inputs(LEAST, { journalBytes: 4_096 }));
  assert.equal(
    (parts.get("shred") as { journalBytes: number }).journalBytes,
    4_096,
  );
});

Deno.test("planServer() tells smtpc alone the smart host's password", () => {
  const plan = planServer(inputs(
    `${LEAST}
[outbound]
smarthost = "submission://me:hunter2@smtp.provider.test"
[routes]
"a.test" = "127.0.0.1:2600"
`,
    { smarthostPassword: "hunter2" },
  ));
  for (const [role, part] of plan.parts) {
    const has = JSON.stringify(part).includes("hunter2");
    assert.equal(has, role === "smtpc", role);
  }
  assert.ok(!JSON.stringify(plan.site).includes("hunter2"));
  const { routes } = plan.parts.get("resolve") as { routes: unknown[] };
  assert.deepEqual(routes.at(-1), {
    domain: "*",
    nextHop: {
      kind: "host",
      host: "smtp.provider.test",
      port: 587,
      protocol: "submission",
    },
  });
  const smtpc = ROLES.find(({ name }) => name === "smtpc")!;
  const flags = permissionFlags(smtpc.needs(plan.site), { plugs: [] }).join();
  assert.match(flags, /0\.0\.0\.0\/0:587/);
});

Deno.test("siteOf() lets smtpc reach a socket that is a route", () => {
  const site = siteOf(inputs(`${LEAST}
[routes]
"lists.test" = "lmtp:unix:/run/lists/lmtp.sock"
`));
  assert.deepEqual(site.nextHopSockets, ["/run/lists/lmtp.sock"]);
});
