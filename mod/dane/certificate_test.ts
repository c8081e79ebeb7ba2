import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { createHash } from "node:crypto";
import net from "node:net";
import tls from "node:tls";
import { judge, judgeWithoutTls } from "./certificate.ts";
import {
  issue,
  type Issued,
  keysOf,
  pemOf,
  type Wish,
} from "./certificate_fixture.ts";
import type { Demand } from "./demand.ts";
import { hexOf, type TlsaRecord } from "./tlsa.ts";

const NOW = Date.UTC(2026, 10, 21, 12);
const DAY_MS = 86_400_000;
const NAME = "mx.r.test";
const SAID = {
  says: "a test",
  sni: NAME,
  policy: "tlsa",
  policyLines: [],
  mtaSts: "",
} as const;

/** A TLSA record about a certificate. */
function about(
  certificate: Issued,
  usage: number,
  selector: number,
  matching: number,
): TlsaRecord {
  const octets = selector === 0 ? certificate.der : certificate.spki;
  const data = matching === 0
    ? hexOf(octets)
    : createHash(matching === 1 ? "sha256" : "sha512").update(octets)
      .digest("hex");
  return { usage, selector, matching, data };
}

const ROOT = issue({ subject: "Root", ca: true, keyUsage: 0x04 }, NOW);
const MIDDLE = issue({ subject: "Middle", issuer: ROOT, ca: true }, NOW);
const OTHER = issue({ subject: "Other", ca: true }, NOW);

/** A server's certificate under {@link MIDDLE}. */
function leafOf(wish: Wish = {}): Issued {
  return issue({ names: [NAME], issuer: MIDDLE, ...wish }, NOW);
}

const LEAF = leafOf();
const CHAIN = [LEAF, MIDDLE, ROOT];

interface Row {
  name: string;
  chain?: readonly Issued[];
  records: readonly TlsaRecord[];
  names?: readonly string[];
  /** Empty if it is to be met; else the result for TLSRPT. */
  want: string;
}

/** A chain of three with something odd about one of them. */
function under(middle: Wish, leaf: Wish = {}): readonly Issued[] {
  const odd = issue({ subject: "Odd", issuer: ROOT, ...middle }, NOW);
  return [leafOf({ issuer: odd, ...leaf }), odd, ROOT];
}

const MISMATCH = "certificate-not-trusted";
const EXPIRED = "certificate-expired";
const HOST = "certificate-host-mismatch";

const expired = leafOf({ from: NOW - 9 * DAY_MS, to: NOW - DAY_MS });
const future = leafOf({ from: NOW + DAY_MS, to: NOW + 2 * DAY_MS });
const foreign = leafOf({ names: ["mx.other.test"] });
const selfSigned = issue({ subject: "whoever" }, NOW);
const oldRoot = issue({
  subject: "Old",
  ca: true,
  from: NOW - 9 * DAY_MS,
  to: NOW - DAY_MS,
}, NOW);

/** An authority that allows none below itself, and one below. */
const SHORT = issue({ subject: "Short", ca: true, pathLength: 0 }, NOW);
const BELOW = issue({ subject: "Below", issuer: SHORT, ca: true }, NOW);
const selfSignedCa = issue({ subject: "self", names: [NAME], ca: true }, NOW);

const ROWS: Row[] = [
  // DANE-EE, RFC 7672 §3.1.1.
  ...[0, 1].flatMap((selector) =>
    [0, 1, 2].map((matching) => ({
      name: `§3.1.1: 3 ${selector} ${matching}`,
      records: [about(LEAF, 3, selector, matching)],
      want: "",
    }))
  ),
  {
    name: "§3.1.1: DANE-EE of another certificate",
    records: [about(selfSigned, 3, 1, 1)],
    want: MISMATCH,
  },
  {
    name: "§3.1.1: DANE-EE of an authority in the chain",
    records: [about(ROOT, 3, 0, 1)],
    want: MISMATCH,
  },
  {
    name: "§3.1.1: DANE-EE looks at no name",
    chain: [foreign],
    records: [about(foreign, 3, 1, 1)],
    want: "",
  },
  {
    name: "§3.1.1: DANE-EE looks at no date",
    chain: [expired],
    records: [about(expired, 3, 1, 1)],
    want: "",
  },
  {
    name: "§3.1.1: DANE-EE looks at no chain",
    chain: [selfSigned, OTHER],
    records: [about(selfSigned, 3, 0, 2)],
    want: "",
  },
  {
    name: "§3.1.1: one of many records is enough, for keys that roll over",
    records: [about(selfSigned, 3, 1, 1), about(LEAF, 3, 1, 1)],
    want: "",
  },
  {
    name: "§3.1.1: a renewed certificate with the same key, by selector 1",
    chain: [LEAF],
    records: [
      about(
        { ...selfSigned, spki: LEAF.spki },
        3,
        1,
        1,
      ),
    ],
    want: "",
  },
  // DANE-TA, RFC 7672 §3.1.2.
  ...[0, 1].flatMap((selector) =>
    [0, 1, 2].map((matching) => ({
      name: `§3.1.2: 2 ${selector} ${matching} of the root`,
      records: [about(ROOT, 2, selector, matching)],
      want: "",
    }))
  ),
  {
    name: "§3.1.2: of an authority in the middle, without those above",
    chain: [LEAF, MIDDLE],
    records: [about(MIDDLE, 2, 0, 1)],
    want: "",
  },
  {
    name: "§3.1.2: of a root that the server does not send",
    chain: [LEAF, MIDDLE],
    records: [about(ROOT, 2, 0, 1)],
    want: MISMATCH,
  },
  {
    name: "RFC 7671 §5.2.2: of a root not sent, but published in full",
    chain: [LEAF, MIDDLE],
    records: [about(ROOT, 2, 0, 0)],
    want: "",
  },
  {
    name: "RFC 7671 §5.2.3: of a root not sent whose key is published",
    chain: [LEAF, MIDDLE],
    records: [about(ROOT, 2, 1, 0)],
    want: "",
  },
  {
    name: "RFC 7671 §5.2.3: the key of somebody else",
    chain: [LEAF, MIDDLE],
    records: [about(OTHER, 2, 1, 0)],
    want: MISMATCH,
  },
  {
    name: "§3.1.2: the chain in disorder, with others in between",
    chain: [LEAF, ROOT, OTHER, MIDDLE, MIDDLE],
    records: [about(ROOT, 2, 0, 1)],
    want: "",
  },
  {
    name: "§3.1.2: the server's own certificate twice",
    chain: [LEAF, LEAF, MIDDLE, ROOT],
    records: [about(ROOT, 2, 0, 1)],
    want: "",
  },
  {
    name: "§3.1.2: an authority that is sent and has signed nothing",
    chain: [selfSigned, ROOT],
    records: [about(ROOT, 2, 0, 1)],
    want: MISMATCH,
  },
  {
    name: "§3.1.2: the certificate for the server itself by usage 2",
    chain: [LEAF],
    records: [about(LEAF, 2, 0, 1)],
    want: MISMATCH,
  },
  {
    name: "§3.1.2: a self-signed one by usage 2",
    chain: [selfSigned, selfSigned],
    records: [about(selfSigned, 2, 0, 1)],
    want: MISMATCH,
  },
  {
    name: "§3.1.2: an authority that serves itself, by usage 2",
    chain: [selfSignedCa, selfSignedCa],
    records: [about(selfSignedCa, 2, 0, 1)],
    want: MISMATCH,
  },
  {
    name: "§3.1.2: an expired certificate under the right authority",
    chain: [expired, MIDDLE, ROOT],
    records: [about(ROOT, 2, 0, 1)],
    want: EXPIRED,
  },
  {
    name: "§3.1.2: one that is not valid yet",
    chain: [future, MIDDLE, ROOT],
    records: [about(ROOT, 2, 0, 1)],
    want: EXPIRED,
  },
  {
    name: "§3.1.2: an authority in the middle that has expired",
    chain: under({ ca: true, from: NOW - 9 * DAY_MS, to: NOW - DAY_MS }),
    records: [about(ROOT, 2, 0, 1)],
    want: EXPIRED,
  },
  {
    name: "§3.1.2: a root that has expired",
    chain: [leafOf({ issuer: oldRoot }), oldRoot],
    records: [about(oldRoot, 2, 0, 1)],
    want: EXPIRED,
  },
  {
    name: "RFC 5280 §4.2.1.9: signed by one that is no authority",
    chain: under({ ca: false }),
    records: [about(ROOT, 2, 0, 1)],
    want: MISMATCH,
  },
  {
    name: "RFC 5280 §4.2.1.9: signed by one that does not say it is",
    chain: under({ names: ["a.test"] }),
    records: [about(ROOT, 2, 0, 1)],
    want: MISMATCH,
  },
  {
    name: "RFC 5280 §4.2.1.9: a chain longer than its authority allows",
    chain: [leafOf({ issuer: BELOW }), BELOW, SHORT],
    records: [about(SHORT, 2, 0, 1)],
    want: MISMATCH,
  },
  {
    name: "RFC 5280 §4.2.1.9: one that is just as long as allowed",
    chain: [leafOf({ issuer: SHORT }), SHORT],
    records: [about(SHORT, 2, 0, 1)],
    want: "",
  },
  {
    name: "RFC 5280 §4.2.1.3: an authority that may not sign",
    chain: under({ ca: true, keyUsage: 0x80 }),
    records: [about(ROOT, 2, 0, 1)],
    want: MISMATCH,
  },
  {
    name: "RFC 5280 §4.2: an authority with a critical extension unknown here",
    chain: under({ ca: true, odd: true }),
    records: [about(ROOT, 2, 0, 1)],
    want: MISMATCH,
  },
  {
    name: "RFC 5280 §4.2.1.12: a certificate for clients",
    chain: [leafOf({ forClients: true }), MIDDLE, ROOT],
    records: [about(ROOT, 2, 0, 1)],
    want: MISMATCH,
  },
  {
    name: "RFC 5280 §4.1.2.1: version 1, named by the record",
    chain: under({ version: 1 }),
    records: [],
    want: "second of chain",
  },
  {
    name: "RFC 5280 §4.1.2.1: version 1 in the middle",
    chain: under({ version: 1 }),
    records: [about(ROOT, 2, 0, 1)],
    want: MISMATCH,
  },
  {
    name: "§3.2.2: the TLSA base domain",
    records: [about(ROOT, 2, 0, 1)],
    names: [NAME],
    want: "",
  },
  {
    name: "§3.2.2: the recipients' domain",
    chain: [leafOf({ names: ["r.test"] }), MIDDLE, ROOT],
    records: [about(ROOT, 2, 0, 1)],
    names: [NAME, "r.test"],
    want: "",
  },
  {
    name: "§3.2.2: another name",
    chain: [foreign, MIDDLE, ROOT],
    records: [about(ROOT, 2, 0, 1)],
    want: HOST,
  },
  {
    name: "§3.2.3: an asterisk for the first label",
    chain: [leafOf({ names: ["*.r.test"] }), MIDDLE, ROOT],
    records: [about(ROOT, 2, 0, 1)],
    want: "",
  },
  {
    name: "§3.2.3: an asterisk in a label",
    chain: [leafOf({ names: ["m*.r.test"] }), MIDDLE, ROOT],
    records: [about(ROOT, 2, 0, 1)],
    want: HOST,
  },
  {
    name: "§3.2.3: an asterisk for two labels",
    chain: [leafOf({ names: ["*.test"] }), MIDDLE, ROOT],
    records: [about(ROOT, 2, 0, 1)],
    want: HOST,
  },
  {
    name: "§3.2.3: the common name where there is no other",
    chain: [leafOf({ subject: NAME, names: [] }), MIDDLE, ROOT],
    records: [about(ROOT, 2, 0, 1)],
    want: "",
  },
  {
    name: "§3.2.3: the common name beside others",
    chain: [leafOf({ subject: NAME, names: ["a.test"] }), MIDDLE, ROOT],
    records: [about(ROOT, 2, 0, 1)],
    want: HOST,
  },
  {
    name: "RFC 7671 §5.1: DANE-EE wins where DANE-TA would fail",
    chain: [foreign, MIDDLE, ROOT],
    records: [about(ROOT, 2, 0, 1), about(foreign, 3, 0, 1)],
    want: "",
  },
];

/** The record in rows that are about a certificate of their own chain. */
function recordsOf({ want, records, chain = CHAIN }: Row): {
  records: readonly TlsaRecord[];
  want: string;
} {
  switch (want) {
    case "second of chain":
      return { records: [about(chain[1]!, 2, 0, 1)], want: "" };
    default:
      return { records, want };
  }
}

for (const row of ROWS) {
  Deno.test(`judge() by TLSA, ${row.name}`, () => {
    const { chain = CHAIN, names = [NAME] } = row;
    const { records, want } = recordsOf(row);
    const demand: Demand = { ...SAID, kind: "dane", records, names };
    const shown = {
      chain: chain.map(({ der }) => der),
      // Whatever the usual authorities say, it must not count.
      isTrusted: want !== "",
      whyNot: "",
    };
    const judgement = judge(demand, shown, NOW);
    assert.equal(judgement.met, want === "", judgement.why);
    assert.equal(judgement.result, want);
    assert.equal(judgement.reached, want === "" ? "dane" : "encrypted");
    assert.equal(judgement.status, want === "" ? "" : "4.7.5");
    assert.ok(judgement.what.length > 0 && judgement.what.length <= 300);
  });
}

for (
  const algorithm of [
    "P-384",
    "P-521",
    "Ed25519",
    "RSA",
    "RSA-PSS",
  ] as const
) {
  Deno.test(`judge() follows a signature by ${algorithm}`, () => {
    const root = issue({ subject: "R", ca: true, algorithm }, NOW);
    // The algorithm of a wish is that of its signature, too.
    const leaf = issue({
      names: [NAME],
      issuer: root,
      algorithm,
      keys: keysOf("P-256"),
    }, NOW);
    const records = [about(root, 2, 0, 1)];
    const demand: Demand = { ...SAID, kind: "dane", records, names: [NAME] };
    const shown = { chain: [leaf.der, root.der], isTrusted: false, whyNot: "" };
    assert.equal(judge(demand, shown, NOW).why, "");
    // And not one with an octet turned over.
    const forged = leaf.der.slice();
    forged[forged.length - 5]! ^= 1;
    const other = { ...shown, chain: [forged, root.der] };
    assert.equal(judge(demand, other, NOW).met, false);
  });
}

for (const algorithm of ["RSA-SHA1", "RSA-1024"] as const) {
  Deno.test(`judge() does not follow a signature by ${algorithm}`, () => {
    const root = issue({ subject: "R", ca: true, algorithm }, NOW);
    const leaf = issue({
      names: [NAME],
      issuer: root,
      algorithm,
      keys: keysOf("P-256"),
    }, NOW);
    const records = [about(root, 2, 0, 1)];
    const demand: Demand = { ...SAID, kind: "dane", records, names: [NAME] };
    const shown = { chain: [leaf.der, root.der], isTrusted: false, whyNot: "" };
    assert.equal(judge(demand, shown, NOW).met, false);
  });
}

const VERIFIED: {
  name: string;
  leaf?: Issued;
  isTrusted?: boolean;
  whyNot?: string;
  names?: string[];
  mayCommonName?: boolean;
  want: string;
}[] = [
  { name: "name and authority", want: "" },
  {
    name: "an authority that nobody knows",
    isTrusted: false,
    whyNot: "UNABLE_TO_GET_ISSUER_CERT_LOCALLY",
    want: MISMATCH,
  },
  {
    name: "a certificate of the chain that has expired",
    isTrusted: false,
    whyNot: "CERT_HAS_EXPIRED",
    want: EXPIRED,
  },
  {
    name: "an expired one that the library trusts",
    leaf: expired,
    want: EXPIRED,
  },
  { name: "one that is not valid yet", leaf: future, want: EXPIRED },
  { name: "another name", leaf: foreign, want: HOST },
  { name: "a name below", names: [".r.test"], want: "" },
  {
    name: "a common name",
    leaf: leafOf({ subject: NAME, names: [] }),
    want: "",
  },
  {
    name: "no common name where it must not count",
    leaf: leafOf({ subject: NAME, names: [] }),
    mayCommonName: false,
    want: HOST,
  },
];

for (const row of VERIFIED) {
  Deno.test(`judge() by authorities takes or refuses ${row.name}`, () => {
    const { leaf = LEAF, isTrusted = true, whyNot = "", names = [NAME] } = row;
    const demand: Demand = {
      ...SAID,
      kind: "verified",
      names,
      mayCommonName: row.mayCommonName ?? true,
    };
    const chain = [leaf.der, MIDDLE.der];
    const judgement = judge(demand, { chain, isTrusted, whyNot }, NOW);
    assert.equal(judgement.met, row.want === "", judgement.why);
    assert.equal(judgement.result, row.want);
    assert.equal(judgement.reached, judgement.met ? "verified" : "encrypted");
    // The same policy in testing: everything passes and is told all the same.
    const testing = { names, fault: "" } as const;
    const tested = judge(
      { ...SAID, kind: "opportunistic", testing },
      { chain, isTrusted, whyNot },
      NOW,
    );
    assert.equal(tested.met, true);
    if (row.mayCommonName !== undefined || leaf.subject === "") {
      assert.equal(tested.result, row.want);
    }
  });
}

Deno.test("judge() tells of a host that a tested policy does not list", () => {
  const testing = { names: [NAME], fault: "validation-failure" } as const;
  const shown = { chain: [LEAF.der], isTrusted: true, whyNot: "" };
  const demand: Demand = { ...SAID, kind: "opportunistic", testing };
  const { met, result } = judge(demand, shown, NOW);
  assert.deepEqual({ met, result }, { met: true, result: testing.fault });
});

for (const what of ["certificate", "key", "neither"] as const) {
  Deno.test(`judge() by a fingerprint of the ${what}`, () => {
    const octets = what === "certificate"
      ? LEAF.der
      : what === "key"
      ? LEAF.spki
      : ROOT.der;
    const print = createHash("sha256").update(octets).digest("hex");
    const demand: Demand = {
      ...SAID,
      kind: "fingerprint",
      fingerprints: ["00".repeat(32), print],
    };
    const shown = { chain: [LEAF.der, ROOT.der], isTrusted: true, whyNot: "" };
    assert.equal(judge(demand, shown, NOW).met, what !== "neither");
  });
}

const WITHOUT: { kind: Demand["kind"]; met: boolean; result: string }[] = [
  { kind: "clear", met: true, result: "" },
  { kind: "opportunistic", met: true, result: "starttls-not-supported" },
  { kind: "encrypted", met: false, result: "starttls-not-supported" },
  { kind: "verified", met: false, result: "starttls-not-supported" },
  { kind: "dane", met: false, result: "starttls-not-supported" },
  { kind: "fingerprint", met: false, result: "starttls-not-supported" },
  { kind: "unusable", met: false, result: "tlsa-invalid" },
];

for (const { kind, met, result } of WITHOUT) {
  Deno.test(`judgeWithoutTls() says ${met} where ${kind} is demanded`, () => {
    const demand = {
      ...SAID,
      kind,
      names: [NAME],
      records: [about(LEAF, 3, 1, 1)],
      fingerprints: ["00"],
      mayCommonName: true,
      why: "because",
      result: "tlsa-invalid",
    } as Demand;
    for (const trouble of ["not-offered", "refused", "no-handshake"] as const) {
      const judgement = judgeWithoutTls(demand, { kind: trouble, why: "x" });
      assert.equal(judgement.met, met);
      assert.equal(judgement.reached, "clear");
      assert.equal(judgement.why === "", met);
      const isShaken = trouble === "no-handshake" &&
        result === "starttls-not-supported";
      assert.equal(judgement.result, isShaken ? "validation-failure" : result);
    }
  });
}

Deno.test("judge() meets nothing by octets that are no certificate, and never throws", () => {
  const demands: Demand[] = [
    {
      ...SAID,
      kind: "dane",
      names: [NAME],
      records: [about(ROOT, 2, 0, 1), about(ROOT, 2, 1, 0)],
    },
    { ...SAID, kind: "verified", names: [NAME], mayCommonName: true },
    { ...SAID, kind: "fingerprint", fingerprints: [] },
  ];
  const wire = LEAF.der;
  const chains: Uint8Array[][] = [[], [new Uint8Array()], [
    Uint8Array.of(0x30),
  ]];
  for (let at = 0; at < wire.length; at++) {
    chains.push([wire.subarray(0, at), MIDDLE.der, ROOT.der]);
    for (const bit of [1, 0xff]) {
      const turned = wire.slice();
      turned[at]! ^= bit;
      chains.push([turned, MIDDLE.der, ROOT.der]);
    }
  }
  for (const demand of demands) {
    for (const chain of chains) {
      const shown = { chain, isTrusted: false, whyNot: "" };
      const judgement = judge(demand, shown, NOW);
      assert.ok(!judgement.met, JSON.stringify(judgement));
    }
  }
});

Deno.test("judge() checks few signatures, however many certificates fit", () => {
  // All have one name and one key, and none leads anywhere.
  const keys = keysOf("P-256");
  const many = Array.from(
    { length: 60 },
    () => issue({ subject: "Same", ca: true, keys }, NOW),
  );
  const leaf = leafOf({ issuer: { subject: "Same", key: keys.privateKey } });
  const chain = [leaf, ...many].map(({ der }) => der);
  const records = Array.from({ length: 100 }, () => about(OTHER, 2, 1, 0));
  const demand: Demand = { ...SAID, kind: "dane", records, names: [NAME] };
  const from = performance.now();
  const shown = { chain, isTrusted: false, whyNot: "" };
  assert.equal(judge(demand, shown, NOW).met, false);
  // A tenth of that here; without a limit there would be a thousand.
  assert.ok(performance.now() - from < 1_000);
});

/** Shakes hands with a server as smtpc does. */
async function shake(options: tls.TlsOptions): Promise<
  { chain: Uint8Array[]; isTrusted: boolean } | { failed: string }
> {
  const server = tls.createServer(options);
  server.on("tlsClientError", () => {});
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const { port } = server.address() as net.AddressInfo;
  const socket = tls.connect({
    socket: net.connect(port, "127.0.0.1"),
    servername: NAME,
    rejectUnauthorized: false,
    checkServerIdentity: () => undefined,
    minVersion: "TLSv1.2",
  });
  try {
    return await new Promise((done) => {
      socket.on("error", (error) => done({ failed: error.message }));
      socket.on("secureConnect", () => {
        const { _handle } = socket as unknown as {
          _handle: {
            getPeerCertificateChain(): { certificates: Uint8Array[] };
          };
        };
        const { certificates } = _handle.getPeerCertificateChain();
        done({
          chain: certificates.map((one) => new Uint8Array(one)),
          isTrusted: socket.authorized,
        });
      });
    });
  } finally {
    socket.destroy();
    server.close();
  }
}

for (const version of ["TLSv1.2", "TLSv1.3"] as const) {
  Deno.test(`the runtime shows the whole chain as it was sent, ${version}`, async () => {
    const chain = [LEAF, MIDDLE, OTHER, ROOT];
    const cert = chain.map(({ der }) => pemOf(der)).join("");
    const versions = { minVersion: version, maxVersion: version };
    const shown = await shake({ cert, key: LEAF.keyPem, ...versions });
    assert.ok("chain" in shown, JSON.stringify(shown));
    assert.deepEqual(
      shown.chain.map((der) => Buffer.from(der).toString("base64")),
      chain.map(({ der }) => Buffer.from(der).toString("base64")),
    );
    assert.equal(shown.isTrusted, false);
  });
}
