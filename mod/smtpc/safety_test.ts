import assert from "node:assert/strict";
import type { NextHop } from "../core/shapes.ts";
import type { TlsaRecord } from "../dns/dns_ipc.ts";
import type { Reply } from "../ipc/call.ts";
import type { stsContract } from "../sts/sts_ipc.ts";
import { NO_NAMES, safetyOf } from "./delivery_fixture.ts";
import type { SmtpcPart } from "./role.ts";
import type { Candidate, HostSecurity } from "./route.ts";
import { decide } from "./safety.ts";
import { rememberingPolicies } from "./sts_memory.ts";

const MX: NextHop = { kind: "mx", domain: "x.test" };
const HOST: NextHop = { kind: "host", host: "relay.test", port: 2525 };
const UNUSABLE: TlsaRecord = {
  usage: 1,
  selector: 1,
  matching: 1,
  data: "ab".repeat(32),
};

function dns(over: Partial<HostSecurity> = {}): HostSecurity {
  return {
    mx: "secure",
    address: "secure",
    name: "secure",
    canonical: "mx.x.test",
    domain: "x.test",
    ...over,
  };
}

/** What is asked, and what it comes to. */
const ROWS: {
  name: string;
  tls: SmtpcPart["tls"];
  nextHop?: NextHop;
  host?: string;
  port?: number;
  dns?: HostSecurity;
  tlsa?: TlsaRecord[];
  exceptions?: string[];
  requireTls?: true;
  asked: string[];
  kind: string;
}[] = [
  {
    name: "nobody about a configured host that is an address",
    tls: "dane",
    nextHop: { kind: "host", host: "192.0.2.1", port: 25 },
    host: "192.0.2.1",
    asked: [],
    kind: "opportunistic",
  },
  {
    name: "nobody about a configured host that nobody signed",
    tls: "dane",
    nextHop: HOST,
    host: "relay.test",
    dns: dns({
      mx: undefined,
      address: "insecure",
      name: "insecure",
      canonical: "relay.test",
    }),
    asked: [],
    kind: "opportunistic",
  },
  {
    name: "about TLSA at the port of a configured host that is signed",
    tls: "dane",
    nextHop: HOST,
    host: "relay.test",
    port: 2525,
    dns: dns({ mx: undefined, canonical: "relay.test" }),
    asked: ["_2525._tcp.relay.test"],
    kind: "opportunistic",
  },
  ...(["none", "may", "encrypt", "verify", "secure"] as const).map((tls) => ({
    name: `nobody under ${tls}`,
    tls,
    dns: dns(),
    asked: [],
    kind: {
      none: "clear",
      may: "opportunistic",
      encrypt: "encrypted",
      verify: "verified",
      secure: "verified",
    }[tls],
  })),
  {
    name: "about the policy where no TLSA is to be had",
    tls: "dane",
    dns: dns({ mx: "insecure" }),
    asked: ["sts x.test"],
    kind: "opportunistic",
  },
  {
    name: "about the policy where TLSA is proven absent",
    tls: "dane",
    dns: dns(),
    asked: ["_25._tcp.mx.x.test", "sts x.test"],
    kind: "opportunistic",
  },
  {
    name: "about the end of aliases first",
    tls: "dane-only",
    dns: dns({ canonical: "real.test" }),
    asked: ["_25._tcp.real.test", "_25._tcp.mx.x.test"],
    kind: "unusable",
  },
  {
    name: "about the policy, too, where nobody can use the records",
    tls: "dane",
    dns: dns(),
    tlsa: [UNUSABLE],
    asked: ["_25._tcp.mx.x.test", "sts x.test"],
    kind: "encrypted",
  },
  {
    name: "nobody about an exception",
    tls: "dane",
    dns: dns(),
    exceptions: ["x.test"],
    asked: [],
    kind: "opportunistic",
  },
  {
    name: "about the policy, for REQUIRETLS",
    tls: "may",
    dns: dns({ mx: "insecure" }),
    requireTls: true,
    asked: ["sts x.test"],
    kind: "verified",
  },
  {
    name: "nobody about an address literal",
    tls: "dane",
    nextHop: { kind: "mx", domain: "[192.0.2.1]" },
    host: "192.0.2.1",
    asked: [],
    kind: "opportunistic",
  },
];

for (const row of ROWS) {
  Deno.test(`decide() asks ${row.name}`, async () => {
    const { tls, tlsa, exceptions = [], requireTls = false } = row;
    const asked: string[] = [];
    const to: Candidate = {
      host: row.host ?? "mx.x.test",
      address: "192.0.2.1",
      port: row.port ?? 25,
      ...row.dns && { dns: row.dns },
    };
    const { sts, ...means } = safetyOf({ tls, tlsExceptions: exceptions });
    const { wanted } = await decide(
      to,
      { nextHop: row.nextHop ?? MX, requireTls },
      {
        ...means,
        names: {
          ...NO_NAMES,
          tlsa: (name) => {
            asked.push(name);
            return Promise.resolve(
              tlsa === undefined
                ? { kind: "refused", refusal: "none" }
                : { kind: "answered", answer: { records: tlsa } },
            );
          },
        },
        sts: (domain) => {
          asked.push(`sts ${domain}`);
          return sts(domain);
        },
      },
    );
    assert.deepEqual(asked, row.asked);
    assert.equal(wanted.demand.kind, row.kind);
  });
}

Deno.test("rememberingPolicies() asks once in a while, and again after silence", async () => {
  let now = 0;
  let asked = 0;
  let reply: Reply<typeof stsContract.calls.policy> = {
    kind: "failed",
    why: "gone",
  };
  const policyOf = rememberingPolicies(() => {
    asked++;
    return Promise.resolve(reply);
  }, () => now);
  assert.equal((await policyOf("x.test")).isUnknown, true);
  reply = { kind: "refused", refusal: "sts-policy-fetch-error" };
  assert.equal((await policyOf("x.test")).trouble, "sts-policy-fetch-error");
  await policyOf("x.test");
  assert.equal(asked, 2);
  now = 10_001;
  reply = { kind: "refused", refusal: "none" };
  const { trouble, isUnknown } = await policyOf("x.test");
  assert.deepEqual([trouble, isUnknown, asked], ["", false, 3]);
});

Deno.test("rememberingPolicies() forgets the oldest of too many", async () => {
  let asked = 0;
  const policyOf = rememberingPolicies(() => {
    asked++;
    return Promise.resolve({ kind: "refused", refusal: "none" });
  }, () => 0);
  for (let n = 0; n <= 1_000; n++) await policyOf(`d${n}.test`);
  await policyOf("d1000.test");
  assert.equal(asked, 1_001);
  await policyOf("d0.test");
  assert.equal(asked, 1_002);
});
