/** `bulkhead tls` about a signed internet: TLSA that fits, or does not. */
import assert from "node:assert/strict";
import { IS_ROOT, ROOT, run } from "../system/server_fixture.ts";
import { areInstalled } from "./peers.ts";
import type { LabFound } from "./tls_lab_main.ts";

const MAIN = `${ROOT}tests/interop/tls_lab_main.ts`;
const IP = "/usr/sbin/ip";

const ROWS: { domain: string; code: number; says: readonly RegExp[] }[] = [
  {
    domain: "good.s.test",
    code: 0,
    says: [
      /^MX good\.s\.test: secure$/m,
      /TLSA _\d+\._tcp\.mx\.good\.s\.test: secure/,
      /proof: /,
      /must have +dane: 1 usable of 1 TLSA/,
      /the very server that its signed TLSA records name/,
    ],
  },
  {
    domain: "wrong.s.test",
    code: 1,
    says: [/no TLSA record matches the certificate/, /nothing of it is sent/],
  },
  {
    domain: "bogus.s.test",
    code: 1,
    says: [/TLSA _\S+: bogus/, /TLSA records are bogus/, /shown 1/],
  },
  {
    domain: "plain.u.test",
    code: 0,
    says: [
      /^MX plain\.u\.test: insecure, u\.test has no DS in test$/m,
      /nobody vouches for/,
    ],
  },
  { domain: "gone.s.test", code: 66, says: [/is returned: 550 5\.1\.2/] },
];

Deno.test({
  name: "bulkhead tls explains what a signed internet says",
  ignore: !IS_ROOT,
  async fn(t) {
    if (!areInstalled("TLS", "/usr/sbin/nsd", "/usr/bin/ldns-signzone", IP)) {
      return;
    }
    const inside = `${IP} link set lo up && ` +
      `${IP} address add 192.0.2.1/32 dev lo && exec "$@"`;
    const ran = await run("unshare", [
      ...["-n", "sh", "-c", inside, "sh", Deno.execPath()],
      ...["run", "--no-check", "-A", MAIN],
      ...ROWS.map(({ domain }) => domain),
    ], { withinMs: 60_000 });
    assert.equal(ran.code, 0, ran.errors);
    const found: LabFound = JSON.parse(ran.out);
    for (const [i, { domain, code, says }] of ROWS.entries()) {
      await t.step(domain, () => {
        const { out, errors, code: was } = found.runs[i]!;
        assert.equal(was, code, out + errors);
        for (const one of says) assert.match(out, one);
      });
    }
    const verbs = found.heard.map((line) => line.split(" ")[0]);
    assert.deepEqual([...new Set(verbs)].sort(), ["EHLO", "QUIT", "STARTTLS"]);
  },
});
