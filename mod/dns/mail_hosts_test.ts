import assert from "node:assert/strict";
import type { Looked, Lookups, Mx, Standing } from "./lookups.ts";
import { addresses, inOrder, mailHosts, MAX_HOSTS } from "./mail_hosts.ts";

const mx = (preference: number, exchange: string): Mx => ({
  preference,
  exchange,
});
const INSECURE: Standing = {
  security: "insecure",
  nameSecurity: "insecure",
  canonical: "c.example",
};
const SECURE: Standing = {
  security: "secure",
  nameSecurity: "secure",
  canonical: "c.example",
};
const records = <T>(...all: T[]): Looked<T> => ({
  kind: "records",
  records: all,
  ...INSECURE,
});
const secure = <T>(...all: T[]): Looked<T> => ({
  kind: "records",
  records: all,
  ...SECURE,
});
const NO_DATA = { kind: "no-data", ...INSECURE } as const;
const NO_NAME = { kind: "no-name", ...INSECURE } as const;
const UNCLEAR = { kind: "unclear" } as const;
const BOGUS = { kind: "bogus" } as const;

function lookups(zone: {
  mx?: Looked<Mx>;
  a?: Record<string, Looked<string>>;
  aaaa?: Record<string, Looked<string>>;
}): Lookups {
  return {
    mx: () => Promise.resolve(zone.mx ?? NO_DATA),
    a: (name) => Promise.resolve(zone.a?.[name] ?? NO_DATA),
    aaaa: (name) => Promise.resolve(zone.aaaa?.[name] ?? NO_DATA),
    tlsa: () => assert.fail("asked"),
    txt: () => assert.fail("asked"),
  };
}

/** Without what is said of signatures. */
function bare(got: Awaited<ReturnType<typeof mailHosts>>): unknown {
  if ("refusal" in got) return got;
  const hosts = got.answer.hosts.map(({ name, preference, addresses }) => ({
    name,
    preference,
    addresses,
  }));
  return { answer: { hosts } };
}

const CASES: {
  name: string;
  zone: Parameters<typeof lookups>[0];
  want: unknown;
}[] = [
  {
    name: "orders hosts by preference",
    zone: {
      mx: records(mx(20, "b.example."), mx(10, "A.Example.")),
      a: {
        "a.example": records("192.0.2.1"),
        "b.example": records("192.0.2.2"),
      },
      aaaa: { "a.example": records("2001:db8::1") },
    },
    want: {
      answer: {
        hosts: [
          {
            name: "a.example",
            preference: 10,
            addresses: ["2001:db8::1", "192.0.2.1"],
          },
          { name: "b.example", preference: 20, addresses: ["192.0.2.2"] },
        ],
      },
    },
  },
  {
    name: "refuses a null MX", // RFC 7505
    zone: {
      mx: records(mx(0, "")),
      a: { "d.example": records("192.0.2.1") },
    },
    want: { refusal: "null-mx" },
  },
  {
    name: "falls back to the address on proven NODATA", // RFC 5321 §5.1
    zone: { a: { "d.example": records("192.0.2.9") } },
    want: {
      answer: {
        hosts: [
          { name: "d.example", preference: 0, addresses: ["192.0.2.9"] },
        ],
      },
    },
  },
  {
    name: "never falls back when the MX lookup failed",
    zone: { mx: UNCLEAR, a: { "d.example": records("192.0.2.9") } },
    want: { refusal: "try-later" },
  },
  {
    name: "never falls back when no MX host has an address",
    zone: {
      mx: records(mx(1, "gone.example.")),
      a: { "d.example": records("192.0.2.9"), "gone.example": NO_NAME },
    },
    want: { refusal: "no-such-domain" },
  },
  {
    name: "defers when the only MX host cannot be looked up",
    zone: {
      mx: records(mx(1, "a.example."), mx(2, "gone.example.")),
      a: { "a.example": UNCLEAR },
    },
    want: { refusal: "try-later" },
  },
  {
    name: "uses the hosts that can be looked up",
    zone: {
      mx: records(mx(1, "a.example."), mx(2, "b.example.")),
      a: { "a.example": UNCLEAR, "b.example": records("192.0.2.2") },
    },
    want: {
      answer: {
        hosts: [{ name: "b.example", preference: 2, addresses: ["192.0.2.2"] }],
      },
    },
  },
  {
    name: "says so when the domain does not exist",
    zone: { mx: NO_NAME, a: { "d.example": records("192.0.2.9") } },
    want: { refusal: "no-such-domain" },
  },
  {
    name: "defers when the fallback's address is unclear",
    zone: { aaaa: { "d.example": UNCLEAR } },
    want: { refusal: "try-later" },
  },
  {
    name: "says bogus, and never falls back, when the MX records are",
    zone: { mx: BOGUS, a: { "d.example": records("192.0.2.9") } },
    want: { refusal: "bogus" },
  },
  {
    name: "says bogus when the only MX host's addresses are",
    zone: {
      mx: records(mx(1, "a.example."), mx(2, "b.example.")),
      a: { "a.example": BOGUS, "b.example": UNCLEAR },
    },
    want: { refusal: "bogus" },
  },
  {
    name: "uses one family when the other is bogus",
    zone: {
      a: { "d.example": records("192.0.2.9") },
      aaaa: { "d.example": BOGUS },
    },
    want: {
      answer: {
        hosts: [
          { name: "d.example", preference: 0, addresses: ["192.0.2.9"] },
        ],
      },
    },
  },
  {
    name: "skips exchanges that are no host names",
    zone: {
      mx: records(mx(1, "ev\\010il.example."), mx(2, "."), mx(3, "a..b.")),
    },
    want: { refusal: "no-such-domain" },
  },
];

for (const { name, zone, want } of CASES) {
  Deno.test(`mailHosts() ${name}`, async () => {
    const got = await mailHosts("d.example", lookups(zone));
    assert.deepEqual(bare(got), want);
  });
}

Deno.test("mailHosts() asks nothing about a name that is none", async () => {
  const never = {
    mx: () => assert.fail("asked"),
    a: () => assert.fail("asked"),
    aaaa: () => assert.fail("asked"),
    tlsa: () => assert.fail("asked"),
    txt: () => assert.fail("asked"),
  };
  for (const name of ["a..b", "x".repeat(64), "[1.2.3.4]", "a b", ""]) {
    assert.deepEqual(await mailHosts(name, never), {
      refusal: "no-such-domain",
    });
  }
});

Deno.test("inOrder() draws lots among equals and bounds their number", () => {
  const equal = [mx(5, "a."), mx(5, "b."), mx(5, "c.")];
  const lots = [0.9, 0.1, 0.5];
  const names = inOrder(equal, () => lots.shift()!).map((host) => host.name);
  assert.deepEqual(names, ["b", "c", "a"]);
  const many = Array.from({ length: 300 }, (_, i) => mx(300 - i, `h${i}.`));
  const kept = inOrder(many, () => 0);
  assert.equal(kept.length, MAX_HOSTS);
  assert.equal(kept[0]!.preference, 1);
});

Deno.test("addresses() leaves room for both families within its bound", async () => {
  const many = (prefix: string) =>
    records(...Array.from({ length: 50 }, (_, i) => `${prefix}${i}`));
  const got = await addresses(
    "h.example",
    lookups({
      aaaa: { "h.example": many("2001:db8::") },
      a: { "h.example": many("192.0.2.") },
    }),
  );
  assert.ok("answer" in got);
  assert.equal(got.answer.addresses.length, 20);
  assert.equal(got.answer.addresses.filter((a) => a.includes(":")).length, 10);
});

Deno.test("addresses() says of both families what is said of the weaker", async () => {
  const said = async (a: Looked<string>, aaaa: Looked<string>) => {
    const got = await addresses(
      "h.example",
      lookups({ a: { "h.example": a }, aaaa: { "h.example": aaaa } }),
    );
    assert.ok("answer" in got);
    const { security, nameSecurity, canonical } = got.answer;
    return [security, nameSecurity, canonical].join(" ");
  };
  const [four, six] = ["192.0.2.1", "2001:db8::1"];
  assert.equal(
    await said(secure(four), secure(six)),
    "secure secure c.example",
  );
  assert.equal(
    await said(secure(four), records(six)),
    "insecure insecure c.example",
  );
  assert.equal(await said(secure(four), UNCLEAR), "secure secure c.example");
  const aliased: Looked<string> = {
    ...records(four),
    nameSecurity: "secure",
  } as Looked<string>;
  assert.equal(await said(aliased, NO_DATA), "insecure secure c.example");
});

Deno.test("mailHosts() says of the MX records what is said of them alone", async () => {
  const said = async (found: Looked<Mx>) => {
    const a = {
      "a.example": records("192.0.2.1"),
      "d.example": records("1.1.1.1"),
    };
    const got = await mailHosts("d.example", lookups({ mx: found, a }));
    return "answer" in got ? got.answer.security : got.refusal;
  };
  assert.equal(await said(secure(mx(1, "a.example"))), "secure");
  assert.equal(await said(records(mx(1, "a.example"))), "insecure");
  assert.equal(await said({ ...NO_DATA, ...SECURE }), "secure");
});

Deno.test("mailHosts() says where the domain's aliases end", async () => {
  const a = { "a.example": records("192.0.2.1") };
  const found = { ...records(mx(1, "a.example")), canonical: "real.example" };
  const got = await mailHosts("d.example", lookups({ mx: found, a }));
  assert.equal("answer" in got && got.answer.canonical, "real.example");
});
