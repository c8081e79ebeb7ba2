/** The small tables of `up`: addresses, names, files, sockets, words. */
import assert from "node:assert/strict";
import { isPublic, lastingAddresses } from "./addresses.ts";
import { parseListening, stopCommand } from "./holders.ts";
import { wrongLinks } from "./links.ts";
import { fileState } from "./manifest.ts";
import { isWhole } from "./probe_io.ts";
import { typed, upAgain } from "./program.ts";
import { hostnameFor, placesFor, targetOf } from "./target.ts";
import {
  openrcText,
  shellWord,
  unitText,
  unitWord,
  wrapperText,
} from "./unit.ts";

const NO_OPTIONS = {
  user: [],
  address: [],
  reach: "other.test",
  links: false,
  dryRun: false,
  offline: true,
  json: false,
};

const PUBLIC: readonly (readonly [string, boolean])[] = [
  ["192.0.2.7", true],
  ["9.255.255.255", true],
  ["10.0.0.1", false],
  ["100.63.255.255", true],
  ["100.64.0.1", false],
  ["127.0.0.1", false],
  ["169.254.1.1", false],
  ["172.15.255.255", true],
  ["172.31.0.1", false],
  ["192.168.1.1", false],
  ["224.0.0.1", false],
  ["255.255.255.255", false],
  ["2001:db8::1", true],
  ["::1", false],
  ["fe80::1", false],
  ["fd00::1", false],
];

for (const [address, want] of PUBLIC) {
  Deno.test(`isPublic() is ${want} of ${address}`, () => {
    assert.equal(isPublic(address), want);
  });
}

Deno.test("lastingAddresses() leaves out what passes, and takes one a network", () => {
  const table = [
    "20010db8000000000000000000000007 02 40 00 80 eth0",
    "20010db8000000000000000000000008 02 40 00 80 eth0",
    "20010db80000000000000000000000aa 02 40 00 01 eth0", // temporary
    "20010db80001000000000000000000bb 02 40 00 20 eth0", // deprecated
    "fe800000000000000000000000000001 02 40 20 80 eth0",
  ].join("\n");
  const all = [
    ...["127.0.0.1", "192.0.2.7", "10.1.1.1", "192.0.2.7"],
    ...["2001:db8::aa", "2001:db8::7", "2001:db8::8", "2001:db8:1::bb"],
    ...["fe80::1", "fe80::1%eth0"],
  ];
  assert.deepEqual(lastingAddresses(all, table), ["192.0.2.7", "2001:db8::7"]);
});

Deno.test("parseListening() finds what listens on the ports, and nothing else", () => {
  const head =
    "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode";
  const line = (local: string, state: string, inode: string) =>
    `   0: ${local} 00000000:0000 ${state} 00000000:00000000 00:00000000 00000000     0        0 ${inode} 1`;
  const table = [
    head,
    line("00000000:0019", "0A", "111"),
    line("0100007F:0019", "01", "222"), // a connection
    line("00000000000000000000000000000000:024B", "0A", "333"),
    line("00000000:0050", "0A", "444"),
  ].join("\n");
  assert.deepEqual(parseListening(table, [25, 587]), [
    { port: 25, inode: "111" },
    { port: 587, inode: "333" },
  ]);
  assert.deepEqual(parseListening("", [25]), []);
});

Deno.test("stopCommand() names the service, or the process", () => {
  assert.equal(
    stopCommand("master", 7, "systemd"),
    "systemctl disable --now postfix",
  );
  assert.equal(stopCommand("master", 7, "none"), "postfix stop");
  assert.match(stopCommand("python3", 7, "systemd"), /^kill 7/);
  assert.match(stopCommand("", null, "none"), /ss -ltnp/);
});

const FILES: {
  name: string;
  found: string | undefined;
  ours: string | undefined;
  want: ReturnType<typeof fileState>;
}[] = [
  {
    name: "none",
    found: undefined,
    ours: undefined,
    want: { kind: "missing" },
  },
  {
    name: "one that was removed",
    found: undefined,
    ours: "w",
    want: { kind: "missing" },
  },
  {
    name: "the wanted one",
    found: "w",
    ours: undefined,
    want: { kind: "right" },
  },
  {
    name: "an older one of ours",
    found: "o",
    ours: "o",
    want: { kind: "old" },
  },
  {
    name: "one of ours that was edited",
    found: "e",
    ours: "o",
    want: { kind: "foreign", wasOurs: true },
  },
  {
    name: "somebody else's",
    found: "e",
    ours: undefined,
    want: { kind: "foreign", wasOurs: false },
  },
];

for (const { name, found, ours, want } of FILES) {
  Deno.test(`fileState() is ${want.kind} of ${name}`, () => {
    assert.deepEqual(fileState({ found, ours, wanted: "w" }), want);
  });
}

Deno.test("isWhole() waits for a reply's last line, wherever it is cut", () => {
  const reply = "220-mx.home.test wait\r\n220 mx.home.test ready\r\n";
  for (let cut = 0; cut < reply.length; cut++) {
    assert.equal(isWhole(reply.slice(0, cut)), false, `cut at ${cut}`);
  }
  assert.equal(isWhole(reply), true);
});

Deno.test("hostnameFor() takes the machine's name only if it is in the domain", () => {
  assert.equal(hostnameFor("home.test", "Box.home.test"), "box.home.test");
  for (const machine of ["box", "home.test", "box.other.test", "xhome.test"]) {
    assert.equal(hostnameFor("home.test", machine), "mx.home.test", machine);
  }
});

const MEANT: readonly (readonly [string, string | undefined])[] = [
  ["home.test.", "home.test"],
  ["me@home.test", "home.test"],
  ["https://home.test/mail", "home.test"],
  ["münchen.test", "xn--mnchen-3ya.test"],
  ["дом.test", "xn--d1aqf.test"],
  ["", undefined],
  ["home..test", undefined],
  ["*.home.test", undefined],
  ["[192.0.2.1]", undefined],
  ["192.0.2.1", undefined],
];

for (const [asked, meant] of MEANT) {
  Deno.test(`targetOf() asks whether ${meant} is meant by ${asked}`, () => {
    const read = targetOf(
      asked,
      { ...NO_OPTIONS, user: ["me"] },
      { isRoot: false, userHome: "/home/me" },
    );
    assert.ok(!read.ok);
    assert.equal(
      read.fault,
      `${JSON.stringify(asked)} is not a domain such as home.test` +
        (meant === undefined ? "" : `: is ${meant} meant?`),
    );
  });
}

Deno.test("wrongLinks() wants no link where there is no directory", () => {
  const dir = Deno.makeTempDirSync();
  try {
    const paths = [`${dir}/sendmail`, `${dir}/lib/sendmail`];
    assert.deepEqual(wrongLinks("/b", paths), [paths[0]]);
    Deno.symlinkSync("/b", paths[0]!);
    assert.deepEqual(wrongLinks("/b", paths), []);
  } finally {
    Deno.removeSync(dir, { recursive: true });
  }
});

Deno.test("upAgain() is a command that can be typed as it stands", () => {
  const at = "/etc/bulkhead/bulkhead.toml";
  assert.equal(
    upAgain(["/usr/local/bin/bulkhead"], {
      domain: "home.test",
      configPath: at,
    }),
    "bulkhead up home.test",
  );
  assert.equal(
    upAgain(["/home/me/my bulkhead"], {
      domain: "home.test",
      configPath: "/home/me/b.toml",
    }),
    "'/home/me/my bulkhead' up home.test --config /home/me/b.toml",
  );
  assert.equal(typed(["/bin/deno", "run", "main.ts"]), "/bin/deno run main.ts");
});

Deno.test("placesFor() gives root the machine's places, and others their own", () => {
  const userHome = "/home/me";
  assert.deepEqual(placesFor({}, { isRoot: true, userHome: "/root" }), {
    configPath: "/etc/bulkhead/bulkhead.toml",
    home: "/var/lib/bulkhead",
    manifestPath: "/etc/bulkhead/made.json",
  });
  assert.deepEqual(placesFor({}, { isRoot: false, userHome }), {
    configPath: "/home/me/.local/share/bulkhead/bulkhead.toml",
    home: "/home/me/.local/share/bulkhead",
    manifestPath: "/home/me/.local/share/bulkhead/made.json",
  });
});

Deno.test("words are quoted for who reads them", async () => {
  assert.equal(unitWord("/a b/50%/$x"), '"/a b/50%%/$$x"');
  assert.equal(shellWord("it's"), `'it'\\''s'`);
  const facts = {
    command: ["/opt/my bin/bulkhead"],
    configPath: "/etc/x.toml",
    home: "/srv/mail box",
    runtimePlace: "/opt/x y",
  };
  assert.match(
    unitText(facts),
    /^ExecStart="\/opt\/my bin\/bulkhead" serve --config \/etc\/x\.toml$/m,
  );
  assert.match(unitText(facts), /^ReadWritePaths="\/srv\/mail box"$/m);
  assert.match(unitText(facts), /^Environment="BULKHEAD_RUNTIME=\/opt\/x y"$/m);
  // A shell reads the script as it is meant.
  const command = ["/bin/echo", "a b", "it's"];
  for (const text of [openrcText(facts), wrapperText(command, "/c d")]) {
    const run = await new Deno.Command("/bin/sh", { args: ["-nc", text] })
      .output();
    assert.ok(run.success, text);
  }
  const ran = await new Deno.Command("/bin/sh", {
    args: ["-c", wrapperText(command, "/c d"), "/usr/bin/mailq", "-v"],
  }).output();
  assert.equal(new TextDecoder().decode(ran.stdout), "a b it's mailq -v\n");
});
