import assert from "node:assert/strict";
import {
  askTlsa,
  type Demand,
  demandOf,
  type HostCase,
  type HostFacts,
  keyOfDemand,
  type TlsaAnswer,
  tlsaBases,
} from "./demand.ts";
import type { Policy } from "./sts.ts";
import type { TlsaRecord } from "./tlsa.ts";

const D256 = "ab".repeat(32);
const D512 = "cd".repeat(64);

/** `3 1 1 hex` as a record. */
function record(text: string): TlsaRecord {
  const [usage, selector, matching, data = ""] = text.split(" ");
  return {
    usage: Number(usage),
    selector: Number(selector),
    matching: Number(matching),
    data,
  };
}

const EE = `3 1 1 ${D256}`;

function found(...texts: string[]): TlsaAnswer {
  return { kind: "records", base: "mx.r.test", records: texts.map(record) };
}

const MX = {
  kind: "mx",
  domain: "r.test",
  canonical: "r.test",
  security: "secure",
} as const;
const INSECURE_MX = { ...MX, security: "insecure" } as const;
const HOST: HostFacts = {
  name: "mx.r.test",
  canonical: "mx.r.test",
  security: "secure",
  nameSecurity: "secure",
};
const UNSIGNED: HostFacts = {
  ...HOST,
  security: "insecure",
  nameSecurity: "insecure",
};
/** An alias, all of it secure. */
const ALIAS: HostFacts = { ...HOST, canonical: "real.p.test" };
/** A secure alias with an insecure end. */
const HALF_ALIAS: HostFacts = { ...ALIAS, security: "insecure" };
const NO_RECORDS: TlsaAnswer = { kind: "none" };

const BASE: HostCase = {
  profile: "dane",
  isException: false,
  hop: MX,
  host: HOST,
  tlsa: NO_RECORDS,
  sts: undefined,
  requireTls: false,
  match: null,
  fingerprints: null,
};

function policy(mode: Policy["mode"], ...mx: string[]): Policy {
  return { mode, id: "20261121", mx };
}

// Where records are asked for: RFC 7672 §2.1 and §2.2.
const BASES: {
  name: string;
  about: Partial<HostCase>;
  want: readonly string[];
}[] = [
  {
    name: "§2.2.3: at the MX host's name, not at the domain",
    about: {},
    want: ["mx.r.test"],
  },
  {
    name: "§2.2.1: nowhere if the MX records are insecure",
    about: { hop: INSECURE_MX },
    want: [],
  },
  {
    name: "§2.1.3: nowhere if the addresses are insecure",
    about: { host: UNSIGNED },
    want: [],
  },
  {
    name: "§2.2.2: at the end of secure aliases, then at their start",
    about: { host: ALIAS },
    want: ["real.p.test", "mx.r.test"],
  },
  {
    name: "§2.2.2: at the start alone if only that is secure",
    about: { host: HALF_ALIAS },
    want: ["mx.r.test"],
  },
  {
    name: "§2.2.2: nowhere if the alias itself is insecure",
    about: { host: { ...HALF_ALIAS, nameSecurity: "insecure" } },
    want: [],
  },
  {
    name: "§2.2.1: an insecure MX record helps no secure alias",
    about: { hop: INSECURE_MX, host: ALIAS },
    want: [],
  },
  {
    name: "§2.2.2: a configured host needs no MX record",
    about: { hop: { kind: "host" } },
    want: ["mx.r.test"],
  },
  {
    name: "§2.2.2: a configured host with insecure addresses",
    about: { hop: { kind: "host" }, host: UNSIGNED },
    want: [],
  },
  {
    name: "§2.2.2: a configured host that is a secure alias",
    about: { hop: { kind: "host" }, host: HALF_ALIAS },
    want: ["mx.r.test"],
  },
  {
    name: "dane-only asks, too",
    about: { profile: "dane-only" },
    want: ["mx.r.test"],
  },
  {
    name: "dane-only knows no exceptions",
    about: { profile: "dane-only", isException: true },
    want: ["mx.r.test"],
  },
  { name: "an exception does not ask", about: { isException: true }, want: [] },
  { name: "may does not ask", about: { profile: "may" }, want: [] },
  { name: "secure does not ask", about: { profile: "secure" }, want: [] },
];

for (const { name, about, want } of BASES) {
  Deno.test(`tlsaBases() RFC 7672 ${name}`, () => {
    assert.deepEqual(tlsaBases({ ...BASE, ...about }), want);
  });
}

// What comes of the answers, RFC 7672 §2.1.1, §2.1.2.
const ASKED: {
  name: string;
  bases: string[];
  answers: Record<string, TlsaRecord[] | "none" | "try-later" | "bogus">;
  want: TlsaAnswer;
  asked: string[];
}[] = [
  {
    name: "takes the first that has any",
    bases: ["a", "b"],
    answers: { a: [record(EE)], b: [] },
    want: { kind: "records", base: "a", records: [record(EE)] },
    asked: ["a"],
  },
  {
    name: "goes on after a proven none",
    bases: ["a", "b"],
    answers: { a: "none", b: [record(EE)] },
    want: { kind: "records", base: "b", records: [record(EE)] },
    asked: ["a", "b"],
  },
  {
    name: "does not go on after a failure",
    bases: ["a", "b"],
    answers: { a: "try-later", b: [record(EE)] },
    want: { kind: "try-later" },
    asked: ["a"],
  },
  {
    name: "does not go on after a forgery",
    bases: ["a", "b"],
    answers: { a: "bogus", b: "none" },
    want: { kind: "bogus" },
    asked: ["a"],
  },
  {
    name: "tells of a forgery at the second",
    bases: ["a", "b"],
    answers: { a: "none", b: "bogus" },
    want: { kind: "bogus" },
    asked: ["a", "b"],
  },
  {
    name: "says none if there is none anywhere",
    bases: ["a", "b"],
    answers: { a: "none", b: "none" },
    want: { kind: "none" },
    asked: ["a", "b"],
  },
  {
    name: "asks nobody where nothing counts",
    bases: [],
    answers: {},
    want: { kind: "not-asked" },
    asked: [],
  },
];

for (const { name, bases, answers, want, asked } of ASKED) {
  Deno.test(`askTlsa() ${name}`, async () => {
    const seen: string[] = [];
    const answer = await askTlsa(bases, (base) => {
      seen.push(base);
      const one = answers[base]!;
      return Promise.resolve(typeof one === "string" ? one : { records: one });
    });
    assert.deepEqual(answer, want);
    assert.deepEqual(seen, asked);
  });
}

/** A demand in one line: what the tables below compare. */
function brief(demand: Demand): string {
  switch (demand.kind) {
    case "clear":
    case "opportunistic":
    case "encrypted":
      return demand.kind +
        (demand.testing === undefined
          ? ""
          : ` tests ${demand.testing.fault || demand.testing.names.join(" ")}`);
    case "verified":
      return `verified ${demand.names.join(" ")}` +
        (demand.mayCommonName ? "" : " by SAN");
    case "dane":
      return `dane ${
        demand.records.map((one) =>
          `${one.usage}${one.selector}${one.matching}`
        ).join(" ")
      } for ${demand.names.join(" ")}`;
    case "fingerprint":
      return `fingerprint ${demand.fingerprints.length}`;
    case "unusable":
      return `unusable: ${demand.why}${demand.result && ` (${demand.result})`}`;
  }
}

const DEMANDS: { name: string; about: Partial<HostCase>; want: string }[] = [
  // The eight profiles.
  { name: "none", about: { profile: "none" }, want: "clear" },
  { name: "may", about: { profile: "may" }, want: "opportunistic" },
  { name: "encrypt", about: { profile: "encrypt" }, want: "encrypted" },
  {
    name: "verify: the host's name",
    about: { profile: "verify" },
    want: "verified mx.r.test",
  },
  {
    name: "verify: names of the configuration",
    about: { profile: "verify", match: ["mx.other.test", ".p.test"] },
    want: "verified mx.other.test .p.test",
  },
  {
    name: "secure: the domain's own names, not what MX records say",
    about: { profile: "secure", host: { ...HOST, name: "mx.evil.test" } },
    want: "verified r.test .r.test",
  },
  {
    name: "secure: a configured host",
    about: { profile: "secure", hop: { kind: "host" } },
    want: "verified mx.r.test .mx.r.test",
  },
  {
    name: "secure: names of the configuration",
    about: { profile: "secure", match: [".p.test"] },
    want: "verified .p.test",
  },
  {
    name: "fingerprint",
    about: { profile: "fingerprint", fingerprints: [D256] },
    want: "fingerprint 1",
  },
  // RFC 7672 §2.1, §2.2: the DNSSEC states.
  {
    name: "§2.1.1: a proven absence is as may",
    about: {},
    want: "opportunistic",
  },
  {
    name: "§2.1.1: usable records",
    about: { tlsa: found(EE) },
    want: "dane 311 for mx.r.test r.test",
  },
  {
    name: "§2.1.2: no answer about records",
    about: { tlsa: { kind: "try-later" } },
    want: "unusable: TLSA records cannot be looked up now (dnssec-invalid)",
  },
  {
    name: "§2.1.2: bogus records",
    about: { tlsa: { kind: "bogus" } },
    want: "unusable: DNSSEC: TLSA records are bogus (dnssec-invalid)",
  },
  {
    name: "§2.1.3: insecure addresses are as may",
    about: { host: UNSIGNED, tlsa: { kind: "not-asked" } },
    want: "opportunistic",
  },
  {
    name: "§2.1.3: records under insecure addresses are not believed",
    about: { host: UNSIGNED, tlsa: found(EE) },
    want: "opportunistic",
  },
  {
    name: "§2.2.1: insecure MX records are as may",
    about: { hop: INSECURE_MX, tlsa: { kind: "not-asked" } },
    want: "opportunistic",
  },
  {
    name: "§2.2.1: records behind insecure MX records are not believed",
    about: { hop: INSECURE_MX, tlsa: found(EE) },
    want: "opportunistic",
  },
  {
    name: "§2.2.1: nor is their forgery a reason to wait",
    about: { hop: INSECURE_MX, tlsa: { kind: "bogus" } },
    want: "opportunistic",
  },
  {
    name: "§2.2.2: a configured host",
    about: { hop: { kind: "host" }, tlsa: found(EE) },
    want: "dane 311 for mx.r.test",
  },
  {
    name: "§2.2.2: names follow the name with the records",
    about: {
      host: ALIAS,
      tlsa: { kind: "records", base: "real.p.test", records: [record(EE)] },
    },
    want: "dane 311 for real.p.test r.test",
  },
  {
    name: "§3.2.2: the domain's own name, and where its aliases end",
    about: { hop: { ...MX, canonical: "real.test" }, tlsa: found(EE) },
    want: "dane 311 for mx.r.test r.test real.test",
  },
  // RFC 7672 §3.1: usable records.
  {
    name: "§3.1.3: PKIX-TA alone: TLS, unverified",
    about: { tlsa: found(`0 0 1 ${D256}`) },
    want: "encrypted",
  },
  {
    name: "§3.1.3: PKIX-EE alone: TLS, unverified",
    about: { tlsa: found(`1 1 1 ${D256}`) },
    want: "encrypted",
  },
  {
    name: "§3.1.3: PKIX-EE beside DANE-EE does not count",
    about: { tlsa: found(`1 1 1 ${D256}`, EE) },
    want: "dane 311 for mx.r.test r.test",
  },
  {
    name: "§3.1.1: DANE-EE of a whole certificate",
    about: { tlsa: found(`3 0 1 ${D256}`) },
    want: "dane 301 for mx.r.test r.test",
  },
  {
    name: "§3.1.2: DANE-TA",
    about: { tlsa: found(`2 0 1 ${D256}`, `2 1 1 ${D256}`) },
    want: "dane 201 211 for mx.r.test r.test",
  },
  {
    name: "RFC 6698 §2.1.1: usage 4 is not known",
    about: { tlsa: found(`4 1 1 ${D256}`) },
    want: "encrypted",
  },
  {
    name: "RFC 6698 §2.1.2: selector 2 is not known",
    about: { tlsa: found(`3 2 1 ${D256}`) },
    want: "encrypted",
  },
  {
    name: "RFC 6698 §2.1.3: matching type 3 is not known",
    about: { tlsa: found(`3 1 3 ${D256}`) },
    want: "encrypted",
  },
  {
    name: "RFC 6698 §2.1.3: a SHA-256 digest that is too short",
    about: { tlsa: found(`3 1 1 ${D256.slice(2)}`) },
    want: "encrypted",
  },
  {
    name: "RFC 6698 §2.1.3: a SHA-512 digest of 32 octets",
    about: { tlsa: found(`3 1 2 ${D256}`) },
    want: "encrypted",
  },
  {
    name: "RFC 7671 §10.1.2: a whole certificate that is none",
    about: { tlsa: found("3 0 0 3003020101") },
    want: "encrypted",
  },
  {
    name: "RFC 7671 §10.1.2: a key that is none",
    about: { tlsa: found("2 1 0 ffff") },
    want: "encrypted",
  },
  {
    name: "RFC 6698 §2.1.4: no data at all",
    about: { tlsa: found("3 1 1 ") },
    want: "encrypted",
  },
  {
    name: "RFC 7671 §9: of two digests the stronger counts",
    about: { tlsa: found(EE, `3 1 2 ${D512}`) },
    want: "dane 312 for mx.r.test r.test",
  },
  {
    name: "RFC 7671 §9: for each usage and selector by itself",
    about: { tlsa: found(EE, `3 0 2 ${D512}`, `2 1 2 ${D512}`) },
    want: "dane 311 302 212 for mx.r.test r.test",
  },
  {
    name: "RFC 7671 §9: a broken digest weakens none",
    about: { tlsa: found(EE, `3 1 2 ${D256}`) },
    want: "dane 311 for mx.r.test r.test",
  },
  {
    name: "RFC 7671 §9: what is there in full counts beside digests",
    about: { tlsa: found(`3 1 0 3000`, `3 1 2 ${D512}`) },
    want: "dane 310 312 for mx.r.test r.test",
  },
  // dane-only.
  {
    name: "dane-only: usable records",
    about: { profile: "dane-only", tlsa: found(EE) },
    want: "dane 311 for mx.r.test r.test",
  },
  {
    name: "dane-only: none",
    about: { profile: "dane-only" },
    want: "unusable: no TLSA records (dane-required)",
  },
  {
    name: "dane-only: none that is usable",
    about: { profile: "dane-only", tlsa: found(`1 1 1 ${D256}`) },
    want: "unusable: no usable TLSA records (tlsa-invalid)",
  },
  {
    name: "dane-only: insecure MX records",
    about: { profile: "dane-only", hop: INSECURE_MX },
    want:
      "unusable: no TLSA records that DNSSEC could vouch for (dane-required)",
  },
  {
    name: "dane-only: a policy is no substitute",
    about: { profile: "dane-only", sts: policy("enforce", "mx.r.test") },
    want: "unusable: no TLSA records (dane-required)",
  },
  // Exceptions.
  {
    name: "an exception is as may",
    about: { isException: true, tlsa: { kind: "not-asked" } },
    want: "opportunistic",
  },
  {
    name: "an exception from a policy, too",
    about: { isException: true, sts: policy("enforce", "other.test") },
    want: "opportunistic",
  },
  {
    name: "an exception weakens no other profile",
    about: { profile: "secure", isException: true },
    want: "verified r.test .r.test",
  },
  // RFC 8461.
  {
    name: "RFC 8461 §5: enforce, listed",
    about: { sts: policy("enforce", "mx.r.test") },
    want: "verified mx.r.test by SAN",
  },
  {
    name: "RFC 8461 §4.1: enforce, listed by *.",
    about: { sts: policy("enforce", "*.r.test") },
    want: "verified mx.r.test by SAN",
  },
  {
    name: "RFC 8461 §4.1: enforce, not listed",
    about: { sts: policy("enforce", "mx2.r.test") },
    want:
      "unusable: the MTA-STS policy does not list the host (validation-failure)",
  },
  {
    name: "RFC 8461 §5: testing, listed",
    about: { sts: policy("testing", "mx.r.test") },
    want: "opportunistic tests mx.r.test",
  },
  {
    name: "RFC 8461 §5: testing, not listed",
    about: { sts: policy("testing", "mx2.r.test") },
    want: "opportunistic tests validation-failure",
  },
  {
    name: "RFC 8461 §5: none",
    about: { sts: policy("none") },
    want: "opportunistic",
  },
  {
    name: "RFC 8461 §2: DANE comes first",
    about: { tlsa: found(EE), sts: policy("enforce", "mx2.r.test") },
    want: "dane 311 for mx.r.test r.test",
  },
  {
    name: "RFC 8461 §2: and its failures are not covered up",
    about: { tlsa: { kind: "bogus" }, sts: policy("enforce", "mx.r.test") },
    want: "unusable: DNSSEC: TLSA records are bogus (dnssec-invalid)",
  },
  {
    name: "RFC 8461 §2: a policy where no record is usable",
    about: {
      tlsa: found(`1 1 1 ${D256}`),
      sts: policy("enforce", "mx.r.test"),
    },
    want: "verified mx.r.test by SAN",
  },
  {
    name: "RFC 8461 §5: testing lowers nothing where no record is usable",
    about: {
      tlsa: found(`1 1 1 ${D256}`),
      sts: policy("testing", "mx.r.test"),
    },
    want: "encrypted",
  },
  {
    name: "RFC 8461 §5: a policy for a domain that is not signed",
    about: { hop: INSECURE_MX, sts: policy("enforce", "mx.r.test") },
    want: "verified mx.r.test by SAN",
  },
  {
    name: "RFC 8461 §5: no policy for a configured host",
    about: { hop: { kind: "host" }, sts: policy("enforce", "mx2.r.test") },
    want: "opportunistic",
  },
  {
    name: "may looks at no policy",
    about: { profile: "may", sts: policy("enforce", "mx2.r.test") },
    want: "opportunistic",
  },
  // RFC 8689 §4.2.1.
  {
    name: "RFC 8689: a host by secure MX records",
    about: { requireTls: true, host: { ...HOST, name: "mx.p.test" } },
    want: "verified mx.p.test",
  },
  {
    name: "RFC 8689: a host that nobody vouches for",
    about: {
      requireTls: true,
      hop: INSECURE_MX,
      host: { ...UNSIGNED, name: "mx.p.test" },
    },
    want: "unusable: REQUIRETLS, and nobody vouches for the host's name",
  },
  {
    name: "RFC 8689: a host in the recipients' domain",
    about: { requireTls: true, hop: INSECURE_MX },
    want: "verified mx.r.test",
  },
  {
    name: "RFC 8689: a host that a policy lists",
    about: {
      requireTls: true,
      hop: INSECURE_MX,
      host: { ...UNSIGNED, name: "mx.p.test" },
      sts: policy("testing", "mx.p.test"),
    },
    want: "verified mx.p.test",
  },
  {
    name: "RFC 8689: a configured host",
    about: { requireTls: true, hop: { kind: "host" } },
    want: "verified mx.r.test",
  },
  {
    name: "RFC 8689: DANE is enough",
    about: { requireTls: true, tlsa: found(EE) },
    want: "dane 311 for mx.r.test r.test",
  },
  {
    name: "RFC 8689: records of which none is usable are not",
    about: { requireTls: true, tlsa: found(`1 1 1 ${D256}`) },
    want: "verified mx.r.test",
  },
  {
    name: "RFC 8689: with the profile none nothing goes",
    about: { requireTls: true, profile: "none" },
    want: "unusable: REQUIRETLS, and its profile is none",
  },
  {
    name: "RFC 8689: an exception is none from this",
    about: { requireTls: true, isException: true },
    want: "verified mx.r.test",
  },
  {
    name: "RFC 8689: with encrypt it is more",
    about: { requireTls: true, profile: "encrypt" },
    want: "verified mx.r.test",
  },
];

for (const { name, about, want } of DEMANDS) {
  Deno.test(`demandOf() ${name}`, () => {
    const demand = demandOf({ ...BASE, ...about });
    assert.equal(brief(demand), want);
    assert.ok(demand.says.length > 0 && demand.says.length <= 200);
  });
}

Deno.test("demandOf() throws when TLSA records were forgotten", () => {
  assert.throws(
    () => demandOf({ ...BASE, tlsa: { kind: "not-asked" } }),
    RangeError,
  );
});

Deno.test("demandOf() names the TLSA base domain for SNI, RFC 7672 §8.1", () => {
  const tlsa: TlsaAnswer = {
    kind: "records",
    base: "real.p.test",
    records: [record(EE)],
  };
  assert.equal(demandOf({ ...BASE, host: ALIAS, tlsa }).sni, "real.p.test");
  assert.equal(demandOf({ ...BASE, host: ALIAS }).sni, "mx.r.test");
});

for (const name of ["192.0.2.1", "2001:db8::1"]) {
  Deno.test(`demandOf() has no SNI for ${name}, RFC 6066 §3`, () => {
    const host = { ...UNSIGNED, name, canonical: name };
    const demand = demandOf({ ...BASE, profile: "may", host });
    assert.equal(demand.sni, "");
  });
}

Deno.test("demandOf() shows the policy for TLSRPT, RFC 8460 §4.4", () => {
  const dane = demandOf({ ...BASE, tlsa: found(EE) });
  assert.equal(dane.policy, "tlsa");
  assert.deepEqual(dane.policyLines, [EE]);
  const sts = demandOf({ ...BASE, sts: policy("testing", "*.r.test") });
  assert.equal(sts.policy, "sts");
  assert.deepEqual(sts.policyLines, [
    "version: STSv1",
    "mode: testing",
    "mx: *.r.test",
  ]);
  assert.equal(sts.mtaSts, "testing 20261121");
  assert.equal(demandOf(BASE).policy, "no-policy-found");
});

Deno.test("demandOf() keeps to the bounds of the event store", () => {
  const long = `${"a".repeat(60)}.`.repeat(4) + "test";
  const host = { ...HOST, name: long, canonical: long };
  const many = Array(300).fill(`3 0 0 30820fa0${"00".repeat(4000)}`);
  for (const texts of [[EE], many, many.map(() => EE)]) {
    const tlsa: TlsaAnswer = {
      kind: "records",
      base: long,
      records: texts.map(record),
    };
    for (const profile of ["dane", "dane-only", "verify"] as const) {
      const demand = demandOf({ ...BASE, profile, host, tlsa });
      assert.ok(demand.says.length <= 200);
      assert.ok(demand.policyLines.length <= 20);
      assert.ok(demand.policyLines.every((line) => line.length <= 300));
      assert.ok(demand.kind !== "dane" || demand.records.length <= 100);
    }
  }
});

Deno.test("keyOfDemand() differs where a session of one is too weak for the other", () => {
  const demands = [
    demandOf(BASE),
    demandOf({ ...BASE, profile: "none" }),
    demandOf({ ...BASE, profile: "encrypt" }),
    demandOf({ ...BASE, profile: "verify" }),
    demandOf({ ...BASE, profile: "verify", match: ["mx.p.test"] }),
    demandOf({ ...BASE, profile: "fingerprint", fingerprints: [D256] }),
    demandOf({ ...BASE, tlsa: found(EE) }),
    demandOf({ ...BASE, tlsa: found(`3 1 2 ${D512}`) }),
    demandOf({ ...BASE, sts: policy("enforce", "mx.r.test") }),
    demandOf({ ...BASE, sts: policy("testing", "mx.r.test") }),
  ];
  assert.equal(new Set(demands.map(keyOfDemand)).size, demands.length);
  assert.equal(
    keyOfDemand(demandOf({ ...BASE, tlsa: found(EE) })),
    keyOfDemand(demandOf({ ...BASE, tlsa: found(EE) })),
  );
});
