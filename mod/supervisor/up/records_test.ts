import assert from "node:assert/strict";
import { makeCertificate } from "../certificate.ts";
import type { LookedUp } from "./ask_dns.ts";
import { recordFindings } from "./network_findings.ts";
import {
  type FoundRecords,
  judge,
  type Judged,
  type RecordFacts,
  reverseName,
  textOf,
  tlsaOf,
  type WantedRecord,
  wantedRecords,
} from "./records.ts";

const { cert } = makeCertificate("mx.home.test", Date.now());
const { cert: otherCert } = makeCertificate("mx.home.test", Date.now());

const FACTS: RecordFacts = {
  domains: ["home.test"],
  hostname: "mx.home.test",
  addresses: ["192.0.2.7"],
  certificate: cert,
  submission: 587,
  submissions: 465,
  hasSmarthost: false,
};

function wanted(what: WantedRecord["what"]): WantedRecord {
  const found = wantedRecords(FACTS).find((one) => one.what === what);
  assert.ok(found, what);
  return found;
}

function found(
  type: string,
  data: readonly string[],
  rest: Partial<FoundRecords> = {},
): FoundRecords {
  return {
    status: data.length === 0 ? "NXDOMAIN" : "NOERROR",
    security: "insecure",
    records: data.map((one) => `x. 300 IN ${type} ${one}`),
    why: "",
    ...rest,
  };
}

const JUDGED: {
  name: string;
  what: WantedRecord["what"];
  type: string;
  data: readonly string[];
  state: Judged["state"];
}[] = [
  { name: "no MX", what: "mx", type: "MX", data: [], state: "missing" },
  {
    name: "an MX of any preference, in any case",
    what: "mx",
    type: "MX",
    data: ["5 other.test.", "50 MX.home.test."],
    state: "right",
  },
  {
    name: "an MX elsewhere",
    what: "mx",
    type: "MX",
    data: ["5 other.test."],
    state: "other",
  },
  {
    name: "an alias before no address",
    what: "address",
    type: "CNAME",
    data: ["other.test."],
    state: "missing",
  },
  {
    name: "another address",
    what: "address",
    type: "A",
    data: ["192.0.2.8"],
    state: "other",
  },
  {
    name: "a reverse name that is not ours",
    what: "reverse",
    type: "PTR",
    data: ["host-7.provider.test."],
    state: "other",
  },
  {
    name: "a policy with the MX",
    what: "spf",
    type: "TXT",
    data: ['"google-site-verification=x"', '"v=spf1 include:x.test MX -all"'],
    state: "right",
  },
  {
    name: "a policy with the address, in two strings",
    what: "spf",
    type: "TXT",
    data: ['"v=spf1 ip4:192" ".0.2.7 -all"'],
    state: "right",
  },
  {
    name: "a policy without this server",
    what: "spf",
    type: "TXT",
    data: ['"v=spf1 include:other.test -all"'],
    state: "other",
  },
  {
    name: "two policies, which are none (RFC 7208 §4.5)",
    what: "spf",
    type: "TXT",
    data: ['"v=spf1 mx -all"', '"v=spf1 a -all"'],
    state: "harmful",
  },
  {
    name: "another version",
    what: "spf",
    type: "TXT",
    data: ['"v=spf10 mx"'],
    state: "missing",
  },
  {
    name: "any DMARC policy",
    what: "dmarc",
    type: "TXT",
    data: ['"v=DMARC1;p=reject"'],
    state: "right",
  },
  {
    name: "the certificate's TLSA beside an old one",
    what: "tlsa",
    type: "TLSA",
    data: [tlsaOf(otherCert), tlsaOf(cert)],
    state: "right",
  },
  {
    name: "TLSA of another key only",
    what: "tlsa",
    type: "TLSA",
    data: [tlsaOf(otherCert)],
    state: "harmful",
  },
  {
    name: "TLSA of an authority, which is not at hand",
    what: "tlsa",
    type: "TLSA",
    data: [`2 1 1 ${"0".repeat(64)}`],
    state: "other",
  },
  {
    name: "the service record",
    what: "client",
    type: "SRV",
    data: ["0 1 465 mx.home.test."],
    state: "right",
  },
];

for (const { name, what, type, data, state } of JUDGED) {
  Deno.test(`judge() says ${state} of ${name}`, () => {
    const judged = judge(wanted(what), found(type, data), FACTS);
    assert.equal(judged.state, state, judged.found);
    assert.equal(judged.found === "", state === "right" || state === "missing");
  });
}

Deno.test("judge() says nothing of what was not answered or not proven", () => {
  const failed = found("MX", [], { status: "SERVFAIL" });
  assert.equal(judge(wanted("mx"), failed, FACTS).state, "unknown");
  const forged = found("MX", ["10 mx.home.test."], { security: "bogus" });
  assert.equal(judge(wanted("mx"), forged, FACTS).state, "unknown");
});

Deno.test("wantedRecords() asks for MTA-STS only with an authority's certificate", () => {
  const whats = (facts: RecordFacts) =>
    new Set(wantedRecords(facts).map(({ what }) => what));
  assert.ok(!whats(FACTS).has("mta-sts"));
  assert.ok(whats(FACTS).has("tlsa"));
  const bare = whats({ ...FACTS, certificate: null, addresses: [] });
  assert.ok(!bare.has("tlsa") && !bare.has("address") && bare.has("mx"));
});

Deno.test("wantedRecords() wants one policy of a name", () => {
  const same = { ...FACTS, domains: ["mx.home.test", "home.test"] };
  for (const domain of same.domains) {
    const policies = wantedRecords(same).filter(({ name, value }) =>
      name === domain && value.includes("v=spf1")
    );
    assert.equal(policies.length, 1, domain);
  }
});

Deno.test("reverseName() turns addresses round", () => {
  assert.equal(reverseName("192.0.2.7"), "7.2.0.192.in-addr.arpa");
  // RFC 3596 §2.5 has this one.
  assert.equal(
    reverseName("4321:0:1:2:3:4:567:89ab"),
    "b.a.9.8.7.6.5.0.4.0.0.0.3.0.0.0.2.0.0.0.1.0.0.0.0.0.0.0.1.2.3.4.ip6.arpa",
  );
});

Deno.test("textOf() joins strings and undoes what was escaped", () => {
  assert.equal(textOf('"a b" "c\\"d" "e"'), 'a bc"de');
  assert.equal(textOf('"open'), "open");
});

Deno.test("recordFindings() says once what keeps all from being seen", () => {
  const unseen = (name: string, found: string): LookedUp => ({
    record: {
      what: "mx",
      name,
      type: "MX",
      value: "10 mx.home.test.",
      weight: "needed",
      why: "it says where mail goes",
    },
    state: "unknown",
    found,
    security: "bogus",
  });
  const one = recordFindings([unseen("a.test", "no keys")]);
  assert.deepEqual(one.map(({ what }) => what), [
    "a.test MX cannot be seen: no keys",
  ]);
  const same = recordFindings([
    unseen("a.test", "no keys"),
    unseen("b.test", "no keys"),
  ]);
  assert.deepEqual(same.map(({ what }) => what), [
    "2 records cannot be seen: no keys",
  ]);
  const other = recordFindings([
    unseen("a.test", "no keys"),
    unseen("b.test", "no answer"),
  ]);
  assert.equal(other.length, 2);
});
