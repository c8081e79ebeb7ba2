/**
 * Every profile against every kind of server: what went out, how, and what
 * the server saw of it in the clear. RFC 7672, RFC 8461, RFC 3207.
 */
import assert from "node:assert/strict";
import type { MailHost, TlsaRecord } from "../dns/dns_ipc.ts";
import {
  certificates,
  daneEe,
  daneTa,
  keyDigest,
  type ServerCertificate,
} from "./certified_fixture.ts";
import { type Options, run, withServer } from "./delivery_fixture.ts";
import { behave, type Heard, type Visit } from "./scripted_server.ts";
import type { PolicyFound } from "./sts_memory.ts";

const made = await certificates();
const NONE = "ab".repeat(32);
const PLAIN = "250-fake.test\r\n250 PIPELINING";
const OFFER = "250-fake.test\r\n250 STARTTLS";

/** What a server does, by name. */
type Kind = "tls" | "silent" | "refuses" | "behind" | "breaks" | "helo";
const KINDS: readonly Kind[] = [
  "tls",
  "silent",
  "refuses",
  "behind",
  "breaks",
  "helo",
];

interface Seen {
  readonly clear: Heard;
  readonly inTls: Heard;
}

/** Plays a server; whatever comes in the clear after STARTTLS is kept too. */
async function play(
  visit: Visit,
  { kind, seen, certificate }: {
    kind: Kind;
    seen: Seen;
    certificate: ServerCertificate;
  },
): Promise<void> {
  if (kind === "silent" || kind === "refuses") {
    const EHLO = kind === "silent" ? PLAIN : OFFER;
    return await behave(visit, { EHLO, STARTTLS: "454 no" }, seen.clear);
  }
  if (kind === "helo") {
    return await behave(visit, { EHLO: "502 no" }, seen.clear);
  }
  visit.say("220 fake.test\r\n");
  await visit.line();
  visit.say(OFFER + "\r\n");
  const line = await visit.line();
  if (line === undefined) return;
  if (line !== "STARTTLS") { // the second try, in the clear
    seen.clear.lines.push(line);
    visit.say("250 ok\r\n");
    return await behave(visit, { greeting: "MUTE" }, seen.clear);
  }
  if (kind === "breaks") {
    visit.say("220 go\r\n");
    await visit.octets(5); // the start of their hello
    return visit.end();
  }
  const ready = kind === "behind" ? "220 go\r\n250 injected\r\n" : "220 go\r\n";
  await visit.startTls(certificate.context, ready);
  await behave(visit, { greeting: "MUTE" }, seen.inTls);
}

/** How it went, by server. */
type Ends = Record<Kind, string>;

const CLEAR = "clear";
const NO_TLS = "4.7.4";
const NO_SHAKE = "4.7.5";
const MESS = "4.4.2";

/** TLS if it can be had. */
const MAY: Ends = {
  tls: "encrypted",
  silent: CLEAR,
  refuses: CLEAR,
  behind: MESS,
  breaks: CLEAR,
  helo: CLEAR,
};
/** TLS or nothing. */
function must(tls: string): Ends {
  return {
    tls,
    silent: NO_TLS,
    refuses: NO_TLS,
    behind: NO_SHAKE,
    breaks: NO_SHAKE,
    helo: NO_TLS,
  };
}
function all(end: string): Ends {
  return {
    tls: end,
    silent: end,
    refuses: end,
    behind: end,
    breaks: end,
    helo: end,
  };
}

interface Row {
  readonly name: string;
  readonly part?: Options["part"];
  /** The certificate that the server shows; a good one if not said. */
  readonly shows?: "expired" | "other";
  readonly isUntrusted?: true;
  readonly secure?: true;
  readonly tlsa?: readonly TlsaRecord[] | "none" | "try-later" | "bogus";
  readonly sts?: Partial<PolicyFound>;
  readonly ends: Ends;
  /** What TLSRPT is told of the server with TLS, `policy: result`; or nothing. */
  readonly told?: string;
}

const x509 = made?.good.x509;
const right = x509 && daneEe(x509);
const wrong: TlsaRecord = { usage: 3, selector: 1, matching: 1, data: NONE };
const policy = (mode: "enforce" | "testing", ...mx: string[]) => ({
  policy: { mode, id: "1", mx },
  lines: ["version: STSv1"],
});

const ROWS: readonly Row[] = made === undefined ? [] : [
  { name: "none", part: { tls: "none" }, ends: { ...all(CLEAR) } },
  { name: "may", part: { tls: "may" }, ends: MAY, told: "no-policy-found: " },
  {
    name: "may, with any certificate",
    part: { tls: "may" },
    shows: "expired",
    isUntrusted: true,
    ends: MAY,
    told: "no-policy-found: ",
  },
  { name: "encrypt", part: { tls: "encrypt" }, ends: must("encrypted") },
  {
    name: "encrypt, with any certificate",
    part: { tls: "encrypt" },
    shows: "other",
    isUntrusted: true,
    ends: must("encrypted"),
  },
  { name: "verify", part: { tls: "verify" }, ends: must("verified") },
  {
    name: "verify and an unknown authority",
    part: { tls: "verify" },
    isUntrusted: true,
    ends: must(NO_SHAKE),
  },
  {
    name: "verify and an expired certificate",
    part: { tls: "verify" },
    shows: "expired",
    ends: must(NO_SHAKE),
  },
  {
    name: "verify and another's certificate",
    part: { tls: "verify" },
    shows: "other",
    ends: must(NO_SHAKE),
  },
  { name: "secure", part: { tls: "secure" }, ends: must("verified") },
  {
    name: "fingerprint",
    part: entry({ tls: "fingerprint", fingerprints: [keyDigest(x509!)] }),
    shows: "expired",
    isUntrusted: true,
    ends: must("verified"),
  },
  {
    name: "fingerprint of another",
    part: entry({ tls: "fingerprint", fingerprints: [NONE] }),
    ends: must(NO_SHAKE),
  },
  { name: "dane, unsigned", ends: MAY, told: "no-policy-found: " },
  {
    name: "dane, signed and without TLSA",
    secure: true,
    tlsa: "none",
    ends: MAY,
    told: "no-policy-found: ",
  },
  {
    name: "dane 3 1 1, whatever its names and dates",
    secure: true,
    tlsa: [wrong, right!],
    shows: "expired",
    isUntrusted: true,
    ends: must("dane"),
    told: "tlsa: ",
  },
  {
    name: "dane 3 1 1 of another key",
    secure: true,
    tlsa: [wrong],
    ends: must(NO_SHAKE),
    told: "tlsa: certificate-not-trusted",
  },
  {
    name: "dane 2 0 1",
    secure: true,
    tlsa: [daneTa(made.ca)],
    isUntrusted: true,
    ends: must("dane"),
    told: "tlsa: ",
  },
  {
    name: "dane 2 0 1 and another's certificate",
    secure: true,
    tlsa: [daneTa(made.ca)],
    shows: "other",
    ends: must(NO_SHAKE),
    told: "tlsa: certificate-host-mismatch",
  },
  {
    name: "dane 2 0 1 and an expired certificate",
    secure: true,
    tlsa: [daneTa(made.ca)],
    shows: "expired",
    ends: must(NO_SHAKE),
    told: "tlsa: certificate-expired",
  },
  {
    name: "dane and only records that nobody can use",
    secure: true,
    tlsa: [{ ...right!, usage: 1 }],
    ends: must("encrypted"),
    told: "tlsa: ",
  },
  {
    name: "dane and TLSA that cannot be looked up",
    secure: true,
    tlsa: "try-later",
    ends: all("4.7.5"),
    told: "tlsa: dnssec-invalid",
  },
  {
    name: "dane and bogus TLSA",
    secure: true,
    tlsa: "bogus",
    ends: all("4.7.5"),
    told: "tlsa: dnssec-invalid",
  },
  {
    name: "dane, bogus TLSA and an exception",
    part: { tls: "dane", tlsExceptions: ["mx.x.test"] },
    secure: true,
    tlsa: "bogus",
    ends: MAY,
  },
  {
    name: "dane-only",
    part: { tls: "dane-only" },
    secure: true,
    tlsa: [right!],
    ends: must("dane"),
  },
  {
    name: "dane-only without TLSA",
    part: { tls: "dane-only" },
    secure: true,
    tlsa: "none",
    ends: all("4.7.5"),
    told: "tlsa: dane-required",
  },
  {
    name: "dane-only, unsigned",
    part: { tls: "dane-only" },
    ends: all("4.7.5"),
  },
  {
    name: "an MTA-STS policy that is enforced",
    sts: policy("enforce", "*.x.test"),
    ends: must("verified"),
    told: "sts: ",
  },
  {
    name: "an MTA-STS policy and an unknown authority",
    sts: policy("enforce", "mx.x.test"),
    isUntrusted: true,
    ends: must(NO_SHAKE),
    told: "sts: certificate-not-trusted",
  },
  {
    name: "an MTA-STS policy that does not list the host",
    sts: policy("enforce", "other.test"),
    ends: all("4.7.5"),
    told: "sts: validation-failure",
  },
  {
    name: "an MTA-STS policy that is tested",
    sts: policy("testing", "mx.x.test"),
    isUntrusted: true,
    ends: MAY,
    told: "sts: certificate-not-trusted",
  },
  {
    name: "an MTA-STS policy that cannot be fetched",
    sts: { trouble: "sts-policy-fetch-error" },
    ends: MAY,
    told: "sts: sts-policy-fetch-error",
  },
  {
    name: "MTA-STS, and nobody who could tell",
    sts: { isUnknown: true },
    ends: all("4.7.5"),
  },
  {
    name: "TLSA records rather than MTA-STS",
    secure: true,
    tlsa: [right!],
    sts: policy("enforce", "other.test"),
    ends: must("dane"),
    told: "tlsa: ",
  },
];

function entry(over: object): Options["part"] {
  const destination = {
    name: "x.test",
    tls: null,
    match: null,
    fingerprints: null,
    source: null,
    ...over,
  };
  return { tls: "dane", destinations: [destination] };
}

function hostOf({ secure }: Pick<Row, "secure">): MailHost {
  const security = secure ? "secure" : "insecure";
  return {
    name: "mx.x.test",
    preference: 1,
    addresses: ["127.0.0.1"],
    security,
    nameSecurity: security,
    canonical: "mx.x.test",
  };
}

/** One delivery; what was reached, or the enhanced code of the deferral. */
async function meet(row: Row, kind: Kind) {
  const seen: Seen = {
    clear: { lines: [], messages: [] },
    inTls: { lines: [], messages: [] },
  };
  const certificate = made![row.shows ?? "good"];
  const { tlsa = "none", sts } = row;
  return await withServer(
    (visit) => play(visit, { kind, seen, certificate }),
    async ({ port }) => {
      const got = await run(port, {
        nextHop: { kind: "mx", domain: "x.test" },
        hosts: [hostOf(row)],
        mxSecurity: row.secure ? "secure" : "insecure",
        part: { tls: "dane", ...row.part, port },
        ...(row.isUntrusted ? {} : { ca: made!.ca }),
        tlsa: () =>
          Promise.resolve(
            typeof tlsa === "string"
              ? { kind: "refused", refusal: tlsa }
              : { kind: "answered", answer: { records: [...tlsa] } },
          ),
        ...sts && {
          sts: () =>
            Promise.resolve({
              policy: undefined,
              lines: [],
              trouble: "",
              isUnknown: false,
              ...sts,
            }),
        },
      });
      return { ...got, seen };
    },
  );
}

/** What no server may see in the clear unless the mail may go that way. */
function mailIn({ clear }: Seen): string[] {
  const verbs = /^(MAIL|RCPT|DATA|BDAT)/i;
  return [...clear.lines.filter((line) => verbs.test(line)), ...clear.messages];
}

for (const row of ROWS) {
  Deno.test(`deliver() under ${row.name}`, async () => {
    for (const kind of KINDS) {
      const { said, attempt, seen } = await meet(row, kind);
      const end = row.ends[kind];
      const [host] = attempt!.hosts;
      const isSent = said.startsWith("delivered");
      assert.equal(
        isSent ? host!.reached : said.split(" ")[2],
        end,
        `${kind}: ${said} ${attempt!.transcript.join("\n")}`,
      );
      assert.equal(seen.clear.messages.length, end === CLEAR ? 1 : 0, kind);
      if (end !== CLEAR) assert.deepEqual(mailIn(seen), [], kind);
      if (!isSent) assert.deepEqual(seen.inTls.messages, [], kind);
      if (kind === "tls" && row.told !== undefined) {
        const told = attempt!.tlsResults
          .map(({ policy, result }) => `${policy}: ${result}`);
        assert.deepEqual(told, [row.told]);
      }
    }
  });
}

Deno.test({
  name: "deliver() says of a stripped STARTTLS that none was offered",
  ignore: made === undefined,
  async fn() {
    const { attempt } = await meet(
      { name: "", secure: true, tlsa: [right!], ends: MAY },
      "silent",
    );
    const [result] = attempt!.tlsResults;
    assert.equal(result?.result, "starttls-not-supported");
    assert.equal(result.mxHost, "mx.x.test");
    assert.equal(result.theirAddress, "127.0.0.1");
    assert.equal(result.ourAddress, "127.0.0.1");
    assert.ok(result.policyLines[0]!.startsWith("3 1 1 "));
    const [host] = attempt!.hosts;
    assert.equal(host!.profile, "dane");
    assert.equal(host!.reached, "clear");
    assert.deepEqual(host!.dns, {
      mx: "secure",
      address: "secure",
      tlsa: "secure",
    });
  },
});

Deno.test({
  name: "deliver() survives a DNS role that calls an address a host's name",
  ignore: made === undefined,
  fn: async () => {
    const heard = () => ({ lines: [], messages: [] });
    const seen: Seen = { clear: heard(), inTls: heard() };
    const certificate = made!.good;
    await withServer(
      (visit) => play(visit, { kind: "tls", seen, certificate }),
      async ({ port }) => {
        const { said } = await run(port, {
          nextHop: { kind: "mx", domain: "x.test" },
          hosts: [{ ...hostOf({ secure: true }), canonical: "192.0.2.1" }],
          mxSecurity: "secure",
          part: { tls: "dane", port },
          tlsa: () =>
            Promise.resolve({
              kind: "answered",
              answer: { records: [right!] },
            }),
        });
        assert.equal(said, "delivered 250 2.0.0");
      },
    );
    assert.equal(seen.inTls.messages.length, 1);
  },
});
