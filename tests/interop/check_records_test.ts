/**
 * `check` against a real name server: nsd serves this server's zones as they
 * should be, and as they should not.
 */
import assert from "node:assert/strict";
import { hasNsd } from "../../mod/dns/nsd_fixture.ts";
import {
  ADDRESSES,
  CAN_MAKE_MACHINES,
  TestMachine,
} from "../system/machine_fixture.ts";

interface Upped {
  readonly records: readonly {
    readonly name: string;
    readonly type: string;
    readonly value: string;
    readonly state: string | null;
  }[];
}

interface Checked {
  readonly ok: boolean;
  readonly findings: readonly {
    readonly kind: string;
    readonly area: string;
    readonly what: string;
    readonly mend?: string;
  }[];
}

/** Where the zones of both reverse names begin. */
const REVERSE = ["51.198.in-addr.arpa", "8.b.d.0.1.0.0.2.ip6.arpa"];
const SOA = "@ 300 IN SOA ns.home.test. me.home.test. 1 1 1 1 1\n" +
  "@ 300 IN NS ns.home.test.\n";

/** Serves these records, and nobody's mail but that of `remote.test`. */
function served(records: readonly string[], remote: string): string {
  const zones = new Map([
    ["home.test", SOA],
    ["org", SOA],
    [
      "remote.test",
      `${SOA}@ 300 IN MX 1 mx.remote.test.\nmx 300 IN A ${remote}\n`,
    ],
    ...REVERSE.map((one) => [one, SOA] as const),
  ]);
  for (const record of records) {
    const name = record.slice(0, record.indexOf(" "));
    const zone = [...zones.keys()].find((one) => name.endsWith(`${one}.`))!;
    zones.set(zone, `${zones.get(zone)}${record}\n`);
  }
  const files = [...zones].map(([zone, text]) =>
    `cat >/mnt/zones/${zone} <<'END'\n${text}END\n` +
    `printf 'zone:\\n name: ${zone}\\n zonefile: ${zone}\\n' >>/mnt/nsd.conf\n`
  );
  return `mkdir -p /mnt/zones
[ ! -e /mnt/nsd.pid ] || { kill $(cat /mnt/nsd.pid); sleep 0.3; }
cat >/mnt/nsd.conf <<'END'
server:
  ip-address: 127.0.0.1@53
  username: ""
  zonesdir: "/mnt/zones"
  database: ""
  pidfile: "/mnt/nsd.pid"
  xfrdfile: "/mnt/xfrd"
  zonelistfile: "/mnt/zonelist"
  xfrdir: "/mnt"
remote-control:
  control-enable: no
END
${files.join("")}nsd -c /mnt/nsd.conf
for i in $(seq 100); do ss -lun | grep -q ':53 ' && break; sleep 0.05; done`;
}

/** What `check` says of each record, by name and type. */
function dnsKinds({ findings }: Checked): Map<string, string> {
  return new Map(
    findings.filter(({ area }) => area === "dns").map(({ kind, what }) =>
      [what.split(" ").slice(0, 2).join(" ").replace(/:$/, ""), kind] as const
    ),
  );
}

Deno.test({
  name: "check says of each record whether the DNS has it, and what harms",
  ignore: !CAN_MAKE_MACHINES || !hasNsd,
  fn: async (t) => {
    await using machine = await TestMachine.make();
    const upped = JSON.parse(
      await machine.good(
        "bulkhead up home.test --user me --offline --json",
      ),
    ) as Upped;
    const records = upped.records.map(({ name, type, value }) =>
      `${name}. 300 IN ${type} ${value}`
    );
    // This name server signs nothing, and there is no root.
    await machine.good(
      "printf '\\n[dns]\\nvalidate = false\\nresolve = \"forward\"\\n' " +
        ">>/etc/bulkhead/bulkhead.toml",
    );
    const check = "bulkhead check --reach remote.test --json";

    await t.step("all is right", async () => {
      await machine.good(served(records, ADDRESSES[0]));
      const { code, out, errors } = await machine.sh(check);
      assert.equal(code, 0, out + errors);
      const kinds = dnsKinds(JSON.parse(out));
      assert.equal(kinds.size, records.length);
      for (const [what, kind] of kinds) {
        // Without a signature above it TLSA is worth nothing.
        assert.equal(kind, what.endsWith("TLSA") ? "hint" : "good", what);
      }
      assert.match(
        out,
        /port 25 is open to the outside \(tried: remote\.test\)/,
      );
      const shown = JSON.parse(
        await machine.good(
          "bulkhead up home.test --reach remote.test --json",
        ),
      ) as Upped;
      assert.deepEqual(
        new Set(shown.records.map(({ state }) => state)),
        new Set(["right"]),
      );
    });

    await t.step("much is wrong", async () => {
      const spoilt = records
        .filter((one) => !one.includes(" PTR ") && !one.includes("_dmarc"))
        .map((one) => one.replace("MX 10 mx.", "MX 10 old."))
        .map((one) => one.replace(/(TLSA 3 1 1 ).*/, `$1${"0".repeat(64)}`))
        .concat('home.test. 300 IN TXT "v=spf1 include:old.test ~all"');
      await machine.good(served(spoilt, "192.0.2.99"));
      const { code, out } = await machine.sh(check);
      assert.equal(code, 1, out);
      const checked = JSON.parse(out) as Checked;
      const kinds = dnsKinds(checked);
      assert.equal(kinds.get("home.test MX"), "wrong");
      assert.equal(kinds.get("home.test TXT"), "wrong");
      assert.equal(kinds.get("_25._tcp.mx.home.test TLSA"), "wrong");
      assert.equal(kinds.get("_dmarc.home.test TXT"), "warning");
      assert.equal(kinds.get("7.100.51.198.in-addr.arpa PTR"), "wrong");
      assert.equal(kinds.get("mx.home.test A"), "good");
      const mends = checked.findings.map(({ mend }) => mend);
      assert.ok(mends.includes("home.test. MX 10 mx.home.test."));
      const out25 = checked.findings.find(({ area }) => area === "way out");
      assert.equal(out25?.kind, "wrong");
      assert.match(out25.mend ?? "", /outbound\.smarthost/);
    });
  },
});
