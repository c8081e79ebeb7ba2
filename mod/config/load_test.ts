import { deepStrictEqual, match, ok, strictEqual } from "node:assert/strict";
import {
  faultText,
  loadConfig,
  MAX_CONFIG_OCTETS,
  MAX_FAULTS,
} from "./load.ts";
import { SECTION_LIST, SECTIONS } from "./settings.ts";

const SERVER = `[server]
hostname = "mx.home.test"
local_domains = ["home.test"]
`;
const PATH = "/srv/mail/bulkhead.toml";

function config(text: string) {
  const loaded = loadConfig(text, PATH);
  if (!loaded.ok) throw new Error(faultText(PATH, loaded.faults[0]!));
  return loaded.config;
}

/** The faults, each as `line: key message`. */
function faults(text: string): string[] {
  const loaded = loadConfig(text, PATH);
  return loaded.ok
    ? []
    : loaded.faults.map((one) => `${one.line}: ${one.key} ${one.message}`);
}

Deno.test("loadConfig() fills in the defaults", () => {
  const { smtp, queue, tls, console, ...rest } = config(SERVER);
  strictEqual(rest.server.home, "/srv/mail");
  strictEqual(rest.server.postmaster, null);
  deepStrictEqual(smtp.listen, [{ host: "127.0.0.1", port: 2525 }]);
  strictEqual(smtp.max_message_size, 50_000_000);
  strictEqual(queue.first_retry, 300_000);
  deepStrictEqual(tls, { mode: "self-signed", certificate: null, key: null });
  deepStrictEqual(console.listen, { host: "127.0.0.1", port: 2528 });
  deepStrictEqual([rest.aliases, rest.routes], [[], []]);
});

Deno.test("loadConfig() looks for the gate's files below the home", () => {
  const { screening, access } = config(
    `${SERVER}[screening]\ndeny_file = "lists/deny"\n` +
      '[access]\nsender = ["a", "/etc/b"]',
  );
  deepStrictEqual(screening.deny_file, "/srv/mail/lists/deny");
  deepStrictEqual(screening.allow_file, null);
  deepStrictEqual(access.sender, ["/srv/mail/a", "/etc/b"]);
});

Deno.test("every default and every example is within its own bounds", () => {
  for (const [name, section] of SECTION_LIST) {
    if (section.kind === "entries") {
      for (const [key, value] of section.examples) {
        ok(section.read(key, value).ok, `${name}.${key}`);
      }
      continue;
    }
    for (const [key, setting] of Object.entries(section.settings)) {
      for (const value of [setting.default, setting.example]) {
        if (value === undefined) continue;
        const read = setting.read(value);
        ok(read.ok, `${name}.${key}: ${read.ok ? "" : read.message}`);
      }
      ok(setting.need !== "required" || setting.example !== undefined);
    }
  }
});

Deno.test("loadConfig() reads every kind of value", () => {
  const read = config(`${SERVER}
postmaster = "Me@Home.Test"
relay_domains = ["a.test", ".B.test"]
home = "data"
[smtp]
listen = ["0.0.0.0:25", "[::]:25"]
max_message_size = 2048
message_timeout = "90s"
processes = 4
[tls]
mode = "files"
certificate = "tls/cert.pem"
key = "/etc/key.pem"
[aliases]
Root = "me"
"sales@Home.test" = ["me", "You@Remote.test", '"a b"@remote.test']
"@home.test" = "me"
[routes]
"Remote.test" = "Relay.test:2600"
".lab.test" = "[::1]:2600"
"[192.0.2.1]" = "mx"
"lists.test" = "lmtp:unix:/run/lists/lmtp.sock"
"box.test" = "lmtp:[::1]:24"
"*" = "mx"
[console]
listen = ""
`);
  strictEqual(read.server.home, "/srv/mail/data");
  strictEqual(read.server.postmaster, "me@home.test");
  deepStrictEqual(read.server.relay_domains, ["a.test", ".b.test"]);
  deepStrictEqual(read.smtp.listen[1], { host: "::", port: 25 });
  strictEqual(read.smtp.max_message_size, 2_048);
  strictEqual(read.smtp.message_timeout, 90_000);
  strictEqual(read.tls.certificate, "/srv/mail/data/tls/cert.pem");
  strictEqual(read.tls.key, "/etc/key.pem");
  deepStrictEqual(read.aliases, [
    { name: "root", targets: ["me"] },
    {
      name: "sales@home.test",
      targets: ["me", "You@Remote.test", '"a b"@remote.test'],
    },
    { name: "@home.test", targets: ["me"] },
  ]);
  deepStrictEqual(read.routes, [
    {
      domain: "remote.test",
      nextHop: { kind: "host", host: "relay.test", port: 2600 },
    },
    {
      domain: ".lab.test",
      nextHop: { kind: "host", host: "::1", port: 2600 },
    },
    { domain: "[192.0.2.1]", nextHop: { kind: "mx" } },
    {
      domain: "lists.test",
      nextHop: { kind: "unix", path: "/run/lists/lmtp.sock" },
    },
    {
      domain: "box.test",
      nextHop: { kind: "host", host: "::1", port: 24, protocol: "lmtp" },
    },
    { domain: "*", nextHop: { kind: "mx" } },
  ]);
  strictEqual(read.console.listen, null);
});

Deno.test("loadConfig() takes dotted keys and inline tables", () => {
  const read = config(`
server = { hostname = "mx.home.test", local_domains = ["home.test"] }
smtp.hop_limit = 20
`);
  strictEqual(read.smtp.hop_limit, 20);
});

Deno.test("loadConfig() limits sessions of a client by where it listens", () => {
  const limit = (smtp: string) =>
    config(`${SERVER}[smtp]\n${smtp}`).smtp.max_sessions_per_client;
  strictEqual(limit("max_sessions = 400"), 360);
  strictEqual(limit("max_sessions = 1"), 1);
  strictEqual(limit('listen = ["127.0.0.1:25", "[::1]:25"]'), 9_000);
  strictEqual(limit('listen = ["127.0.0.1:25", "0.0.0.0:26"]'), 50);
  strictEqual(limit('listen = ["[::]:25"]\nmax_sessions = 30'), 30);
  strictEqual(limit("max_sessions_per_client = 7"), 7);
});

// Each row: what is appended to a good file from line 4 on, and what it says.
const MISTAKES: [name: string, text: string, want: RegExp][] = [
  [
    "a network with bits beyond its prefix",
    `[screening]\ntrusted = ["::1", "192.0.2.1/24"]`,
    /^5: screening\.trusted entry 2 .*it should be 192\.0\.2\.0\/24/,
  ],
  [
    "a network twice, in two spellings",
    `[screening]\ndeny = ["192.0.2.1", "192.0.2.1/32"]`,
    /^5: screening\.deny names "192\.0\.2\.1\/32" twice/,
  ],
  [
    "a network allowed and denied",
    `[screening]\nallow = ["::1"]\ndeny = ["0:0::1"]`,
    /^6: screening\.deny ::1 is in screening\.allow too/,
  ],
  [
    "a DNSBL with a filter of three parts",
    `[screening]\ndnsbl_sites = ["bl.test=127.0.[2..3]"]`,
    /^5: screening\.dnsbl_sites entry 1 .*3 parts/,
  ],
  [
    "a DNSBL whose weight is a word",
    `[screening]\ndnsbl_sites = ["bl.test*much"]`,
    /^5: screening\.dnsbl_sites entry 1 .*weight/,
  ],
  [
    "an action that is none",
    `[screening]\ngreet_action = "reject"`,
    /^5: screening\.greet_action must be one of "ignore", "enforce", "drop"/,
  ],
  [
    "a threshold that allows and is positive",
    `[screening]\ndnsbl_allow_threshold = 2`,
    /^5: screening\.dnsbl_allow_threshold must be 0, or -10000 to -1/,
  ],
  [
    "greylisting in which nothing ever passes",
    `[greylist]\ndelay = "1h"\nwindow = "1h"`,
    /^6: greylist\.window is 1h, not more than greylist\.delay/,
  ],
  // Unknown keys
  [
    "an unknown key, and what was meant",
    "[smtp]\nlistne = 1",
    /^5: smtp\.listne is no setting: did you mean smtp\.listen\?$/,
  ],
  [
    "a key with hyphens",
    "[smtp]\nhop-limit = 20",
    /^5: .*did you mean smtp\.hop_limit\?$/,
  ],
  [
    "a key of another section",
    "[smtp]\nfirst_retry = '5m'",
    /^5: .*did you mean queue\.first_retry\?$/,
  ],
  [
    "a key that nobody could mean",
    "[smtp]\nx = 1",
    /^5: smtp\.x is no setting: `bulkhead config doc` lists/,
  ],
  [
    "an unknown section",
    "[smpt]\nlisten = 1",
    /^4: smpt is no section .*did you mean smtp\?$/,
  ],
  ["a section in capitals", "[SMTP]", /^4: SMTP .*did you mean smtp\?$/],
  [
    "__proto__ as a key",
    "[smtp]\n__proto__ = 1",
    /^5: smtp\.__proto__ is no setting/,
  ],
  [
    "__proto__ as a section",
    "[__proto__]\nlisten = 1",
    /^4: __proto__ is no section/,
  ],
  [
    "constructor as a key",
    "[queue]\nconstructor = 1",
    /^5: queue\.constructor is no setting/,
  ],
  [
    "toString as a dotted key",
    "smtp.toString.x = 1",
    /^4: server\.smtp is no setting/,
  ],
  [
    "hasOwnProperty as a section",
    "[hasOwnProperty]",
    /^4: hasOwnProperty is no section/,
  ],
  [
    "a key with a line end, escaped",
    '[smtp]\n"a\\nb" = 1',
    /^5: smtp\."a\\nb" is no setting/,
  ],
  [
    "a section twice as a list",
    "[[smtp]]\n[[smtp]]",
    /^4: smtp is one section: write \[smtp\], with single brackets$/,
  ],
  // Types
  [
    "a word for a number",
    '[smtp]\nhop_limit = "20"',
    /^5: smtp\.hop_limit must be a whole number, without quotes; it is "20"$/,
  ],
  [
    "a broken number",
    "[smtp]\nhop_limit = 20.5",
    /must be a whole number.*it is the number 20\.5$/,
  ],
  ["infinity", "[smtp]\nhop_limit = inf", /must be a whole number/],
  [
    "a number for a duration",
    "[queue]\nexpire = 5",
    /^5: queue\.expire must be a duration such as .*it is the number 5$/,
  ],
  ["a duration without unit", '[queue]\nexpire = "5"', /must be a duration/],
  [
    "a date for a size",
    "[spool]\nmin_free = 2026-01-01",
    /must be a size .*it is a date$/,
  ],
  ["a negative size", "[spool]\nmin_free = -1", /must be a size/],
  [
    "a string for a list",
    '[smtp]\nlisten = "127.0.0.1:25"',
    /must be a list, in square brackets; it is "127/,
  ],
  [
    "a table for a string",
    "[tls]\nmode = {}",
    /must be one of .*it is a table$/,
  ],
  ["a list for a section", "routes = []", /^4: server\.routes is no setting/],
  [
    "a number in a list",
    "[smtp]\nlisten = [25]",
    /entry 1 must be an IP address and a port/,
  ],
  [
    "another word",
    '[tls]\nmode = "on"',
    /must be one of "self-signed", "files", "off"; it is "on"$/,
  ],
  // Bounds
  [
    "too little",
    "[smtp]\nmax_recipients = 99",
    /^5: smtp\.max_recipients must be 100 to 1000; it is 99$/,
  ],
  ["too much", "[smtp]\nprocesses = 17", /must be 0, or 1 to 16; it is 17$/],
  ["too long", '[queue]\nexpire = "101d"', /must be 1s to 100d; it is 101d$/],
  [
    "too large",
    '[smtp]\nmax_message_size = "5GiB"',
    /must be 1KiB to 4GiB; it is 5GiB$/,
  ],
  [
    "an empty list",
    "[smtp]\nlisten = []",
    /must have 1 to 8 entries; it has 0$/,
  ],
  [
    "the same entry twice",
    '[outbound]\nnameservers = ["::1", "::1"]',
    /names "::1" twice: remove one$/,
  ],
  [
    "a long wrong value, cut",
    `[tls]\nmode = "${"x".repeat(500)}"`,
    /it is "x{60}…"$/,
  ],
  // Names
  [
    "a name to listen on",
    '[smtp]\nlisten = ["localhost:25"]',
    /must be an IP address and a port/,
  ],
  [
    "a name server with a port",
    '[outbound]\nnameservers = ["127.0.0.1:53"]',
    /must be an IP address/,
  ],
  [
    "nine delimiters",
    '[resolve]\nrecipient_delimiter = "+-=_.#~^+"',
    /must be up to 8 different characters/,
  ],
  [
    "a letter as delimiter",
    '[resolve]\nrecipient_delimiter = "a"',
    /must be up to 8 different characters/,
  ],
  [
    "an alias that is a path",
    '[aliases]\n"../x" = "me"',
    /^5: aliases\."\.\.\/x" is no name for an alias/,
  ],
  [
    "an alias that is a route",
    '[aliases]\n"a%b" = "me"',
    /is no name for an alias/,
  ],
  [
    "an alias to a command",
    '[aliases]\nx = "|/bin/sh"',
    /"\|\/bin\/sh" is none \(commands, files/,
  ],
  ["an alias to a file", '[aliases]\nx = "/var/mail/x"', /must name addresses/],
  [
    "an alias to a list in a file",
    '[aliases]\nx = ":include:/x"',
    /must name addresses/,
  ],
  [
    "an alias to a line end",
    '[aliases]\nx = "a\\nb@c.test"',
    /must name addresses/,
  ],
  [
    "an alias to nobody",
    "[aliases]\nx = []",
    /must be an address or a list of them; it is a list$/,
  ],
  [
    "an alias to a number",
    "[aliases]\nx = [1]",
    /must name addresses; the number 1 is none/,
  ],
  [
    "an alias twice",
    '[aliases]\nx = "me"\nX = "me"',
    /^6: aliases\.X is the same as "x"$/,
  ],
  [
    "a route without a port",
    '[routes]\n"a.test" = "b.test"',
    /^5: routes\."a\.test" must be "mx", a host and a port/,
  ],
  [
    "a relative socket path",
    '[routes]\n"a.test" = "lmtp:unix:run/x"',
    /must be "mx", a host and a port/,
  ],
  [
    "a socket path that no flag can hold",
    '[routes]\n"a.test" = "lmtp:unix:/run/../x"',
    /must be "mx", a host and a port/,
  ],
  ["a route for no domain", '[routes]\n"a b" = "mx"', /is no domain: write/],
  [
    "a route for __proto__",
    '[routes]\n__proto__ = "mx"',
    /^5: routes\.__proto__ is no domain/,
  ],
  // Contradictions
  [
    "a local domain with a route",
    '[routes]\n"Home.test" = "mx"',
    /^5: routes\."Home\.test" home\.test is in server\.local_domains too/,
  ],
  [
    "a local domain that is relayed",
    'relay_domains = ["home.test"]',
    /^4: server\.relay_domains home\.test is in server\.local_domains too/,
  ],
  [
    "an alias of another domain",
    '[aliases]\n"x@Else.test" = "me"',
    /^5: aliases\."x@Else\.test" is not in a domain of server\.local_domains/,
  ],
  [
    "postmaster elsewhere",
    'postmaster = "me@else.test"',
    /^4: server\.postmaster else\.test is not in server\.local_domains/,
  ],
  [
    "two sources of one family",
    '[outbound]\nsource = ["192.0.2.1", "192.0.2.2"]',
    /^5: outbound\.source has two addresses of one family/,
  ],
  ...[
    "0.0.0.0",
    "224.0.0.1",
    "255.255.255.255",
    "::",
    "ff02::1",
    "fe80::1",
    "::ffff:192.0.2.1",
  ].map((one): [string, string, RegExp] => [
    `${one} to connect from`,
    `[outbound]\nsource = ["${one}"]`,
    /^5: outbound\.source .*an IP address of this machine/,
  ]),
  [
    "a smart host beside a route for all",
    '[outbound]\nsmarthost = "smtp://a.test"\n[routes]\n"*" = "b.test:25"',
    /^7: routes\."\*" says where all other mail goes, and so does/,
  ],
  [
    "a smart host that is ourselves",
    '[smtp]\nlisten = ["127.0.0.1:26"]\n[outbound]\n' +
    'smarthost = "smtp://127.0.0.1:26"',
    /^7: outbound\.smarthost is an address of smtp\.listen/,
  ],
  [
    "a smart host's user without a password",
    '[outbound]\nsmarthost = "submission://me@a.test"',
    /^5: outbound\.smarthost has a user and no password/,
  ],
  [
    "two passwords for a smart host",
    '[outbound]\nsmarthost = "submission://me:x@a.test"\n' +
    'smarthost_password_file = "pw"',
    /^6: outbound\.smarthost_password_file holds a password, and so does/,
  ],
  [
    "a password for no login",
    '[outbound]\nsmarthost = "smtp://a.test"\nsmarthost_password_file = "pw"',
    /^6: outbound\.smarthost_password_file is only used by/,
  ],
  [
    "files without a key",
    '[tls]\nmode = "files"\ncertificate = "c.pem"',
    /^5: tls\.mode is "files", which needs tls\.key too$/,
  ],
  [
    "a certificate without files",
    '[tls]\ncertificate = "c.pem"',
    /^5: tls\.certificate is only used with tls\.mode = "files"; it is "self-signed"/,
  ],
  [
    "a key and TLS off",
    '[tls]\nmode = "off"\nkey = "k.pem"',
    /^6: tls\.key is only used with/,
  ],
  [
    "submission where smtp listens",
    '[submission]\ntls_listen = ["127.0.0.1:2525"]',
    /^5: submission\.tls_listen 127\.0\.0\.1:2525 cannot be opened beside 127\.0\.0\.1:2525 of smtp\.listen/,
  ],
  [
    "max_retry below first_retry",
    '[queue]\nmax_retry = "1m"',
    /^5: queue\.max_retry is 1m, less than queue\.first_retry \(5m\)$/,
  ],
  [
    "expire below first_retry",
    '[queue]\nexpire = "1m"',
    /^5: queue\.expire is 1m, less than queue\.first_retry \(5m\)/,
  ],
  [
    "more jobs to one than to all",
    "[queue]\nmax_jobs = 5",
    /^4: queue\.max_jobs_per_destination is 20, more than queue\.max_jobs \(5\)$/,
  ],
  [
    "a spool without room for its segments",
    '[smtp]\nmax_message_size = "1MB"\n[spool]\nmax_size = "20MiB"',
    /^7: spool\.max_size is 20MiB, less than 2 segments of 16MiB/,
  ],
  [
    "a spool without room for one message",
    '[spool]\nmax_size = "40MiB"',
    /^5: spool\.max_size is 40MiB, less than one message may have \(smtp\.max_message_size, 50MB\)$/,
  ],
  [
    "a session shorter than a message",
    '[smtp]\nsession_timeout = "10m"',
    /^5: smtp\.session_timeout is 10m, less than smtp\.message_timeout \(30m\)$/,
  ],
  [
    "more sessions of one than of all",
    "[smtp]\nmax_sessions_per_client = 20000",
    /^5: smtp\.max_sessions_per_client is 20000, more than smtp\.max_sessions \(10000\)$/,
  ],
  [
    "an address twice",
    '[smtp]\nlisten = ["[::1]:25", "[0:0:0:0:0:0:0:1]:25"]',
    /^5: smtp\.listen names "\[0:0:0:0:0:0:0:1\]:25" twice/,
  ],
  [
    "the console on the port of SMTP",
    '[console]\nlisten = "127.0.0.1:2525"',
    /^5: console\.listen 127\.0\.0\.1:2525 cannot be opened beside 127\.0\.0\.1:2525 of smtp\.listen/,
  ],
  [
    "a console without TLS for everybody",
    '[console]\nlisten = "0.0.0.0:2528"',
    /^5: console\.listen 0\.0\.0\.0:2528 is no loopback address.*console\.tls/,
  ],
  [
    "a console that shows everything to everybody",
    '[console]\nlisten = "192.0.2.1:2528"\ntls = true\nopen = true',
    /^7: console\.open would show everybody's mail/,
  ],
  [
    "a console with TLS and no certificate",
    '[console]\ntls = true\n[tls]\nmode = "off"',
    /^5: console\.tls needs a certificate/,
  ],
  [
    "a wildcard beside one address",
    '[smtp]\nlisten = ["0.0.0.0:25", "127.0.0.1:25"]',
    /^5: smtp\.listen 127\.0\.0\.1:25 cannot be opened beside 0\.0\.0\.0:25/,
  ],
  [
    "a route to ourselves",
    '[routes]\n"a.test" = "127.0.0.1:2525"',
    /^5: routes\."a\.test" is an address of smtp\.listen/,
  ],
];

for (const [name, text, want] of MISTAKES) {
  Deno.test(`loadConfig() names ${name}, once`, () => {
    const found = faults(SERVER + text);
    strictEqual(found.length, 1, found.join("\n"));
    match(found[0]!, want);
  });
}

const SYNTAX: [name: string, text: string, want: RegExp][] = [
  ["no value", "a = \n", /^1: +This is no TOML at column 5/],
  ["a key twice", "\na = 1\na = 2", /^3: +This is no TOML/],
  ["an open list", "a = [1,\n\n", /^[123]: +This is no TOML/],
  [
    "deep nesting",
    `a = ${"[".repeat(50_000)}`,
    /^1: +This is no TOML .*nested/,
  ],
  ["a huge number", "a = 99999999999999999999", /^1: +This is no TOML/],
  ["NUL", "a = '\0'", /^1: +This is no TOML/],
];

for (const [name, text, want] of SYNTAX) {
  Deno.test(`loadConfig() names the line of ${name}`, () => {
    const found = faults(text);
    strictEqual(found.length, 1);
    match(found[0]!, want);
    ok(!found[0]!.includes("\n"));
  });
}

Deno.test("loadConfig() tells what is missing, and where it belongs", () => {
  const found = faults("# nothing\n\n[server]\nhostname = 5\n");
  deepStrictEqual(found.map((one) => one.split(" must ")[0]!.slice(0, 35)), [
    "3: server.local_domains is missing:",
    "4: server.hostname",
  ]);
  match(faults("")[0]!, /^1: server\.hostname is missing: write hostname = /);
});

Deno.test("loadConfig() tells all faults at once, in the file's order", () => {
  const found = faults(`[server]
hostname = "not a name"
local_domains = ["home.test", "home test"]
postmaster = "me@else.test"
[queue]
first_retry = "1h"
max_retry = "1m"
frobnicate = 1
[routes]
"home.test" = "mx"
`);
  deepStrictEqual(
    found.map((one) => one.slice(0, one.indexOf(" ", 3))),
    [
      "2: server.hostname",
      "3: server.local_domains",
      "7: queue.max_retry",
      "8: queue.frobnicate",
    ],
  );
});

Deno.test("loadConfig() asks no rule about what it could not read", () => {
  // Without the check `less than` would be said of a value nobody gave.
  const found = faults(`${SERVER}[queue]\nfirst_retry = 5\nmax_retry = "1m"`);
  strictEqual(found.length, 1);
  match(found[0]!, /first_retry must be a duration/);
  strictEqual(
    faults(`${SERVER.replace("[server]", "spool = 1\n[server]")}`).length,
    1,
  );
});

Deno.test("loadConfig() refuses a file over 1 MiB before it reads it", () => {
  const text = SERVER + "#".repeat(MAX_CONFIG_OCTETS);
  match(faults(text)[0]!, /^1: +The file is larger than 1048576 octets$/);
  const wide = SERVER + "#" + "é".repeat(MAX_CONFIG_OCTETS / 2);
  match(faults(wide)[0]!, /larger/);
});

Deno.test("loadConfig() bounds what it says of a hopeless file", () => {
  const keys = Array.from({ length: 20_000 }, (_, at) => `listen_${at} = 1`);
  const before = performance.now();
  const found = faults(`${SERVER}[smtp]\n${keys.join("\n")}`);
  ok(performance.now() - before < 5_000);
  strictEqual(found.length, MAX_FAULTS + 1);
  match(found.at(-1)!, /and 19900 more faults$/);
});

Deno.test("faultText() is a line that an editor can jump to", () => {
  const loaded = loadConfig(`${SERVER}[smtp]\nhop_limit = 1\n`, PATH);
  ok(!loaded.ok);
  strictEqual(
    faultText("bulkhead.toml", loaded.faults[0]!),
    "bulkhead.toml:5: smtp.hop_limit must be 10 to 1000; it is 1",
  );
});

Deno.test("the table has no setting of a prototype's name", () => {
  for (const section of Object.keys(SECTIONS)) {
    ok(!(section in Object.prototype));
  }
});
