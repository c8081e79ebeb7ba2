import assert from "node:assert/strict";
import { addressesOf, type Dns, look } from "./discovery.ts";

/** A DNS that says the same to everybody, and what it was asked. */
function dnsThat(reply: unknown): Dns & { readonly asked: string[] } {
  const asked: string[] = [];
  return {
    asked,
    ask: (call: string, { name }: { name?: string }) => {
      asked.push(`${call} ${name}`);
      return Promise.resolve(reply);
    },
  } as never;
}

const answered = (answer: unknown) => ({ kind: "answered", answer });
const texts = (...texts: string[]) => answered({ texts, security: "insecure" });
const refused = (refusal: string) => ({ kind: "refused", refusal });

// RFC 8461 §3.1.
const LOOKS: { name: string; domain?: string; reply: unknown; want: string }[] =
  [
    {
      name: "a record",
      reply: texts("v=STSv1; id=20261121;"),
      want: "20261121",
    },
    {
      name: "another's record beside it",
      reply: texts("v=spf1 -all", "v=STSv1; id=1;"),
      want: "1",
    },
    {
      name: "two records",
      reply: texts("v=STSv1; id=1;", "v=STSv1; id=2;"),
      want: "none",
    },
    { name: "no id", reply: texts("v=STSv1;"), want: "none" },
    { name: "nothing", reply: refused("none"), want: "none" },
    { name: "a forged answer", reply: refused("bogus"), want: "none" },
    { name: "no answer", reply: refused("try-later"), want: "none" },
    {
      name: "no DNS role",
      reply: { kind: "failed", why: "gone" },
      want: "none",
    },
    {
      name: "an address literal, of which nobody is asked",
      domain: "[192.0.2.1]",
      reply: texts("v=STSv1; id=1;"),
      want: "none",
    },
    {
      name: "a name that no certificate can be for, which TLS throws at",
      domain: "remote.123",
      reply: texts("v=STSv1; id=1;"),
      want: "none",
    },
    {
      name: "a label that ends with a hyphen",
      domain: "remote-.test",
      reply: texts("v=STSv1; id=1;"),
      want: "none",
    },
    {
      name: "a name that is too long with its prefix",
      domain: `${"a.".repeat(123)}test`,
      reply: texts("v=STSv1; id=1;"),
      want: "none",
    },
  ];

for (const { name, domain = "remote.test", reply, want } of LOOKS) {
  Deno.test(`look() sees ${name}`, async () => {
    const dns = dnsThat(reply);
    const sight = await look(dns, domain);
    assert.equal(sight.kind === "record" ? sight.id : "none", want);
    const isAsked = domain === "remote.test";
    assert.deepEqual(dns.asked, isAsked ? ["texts _mta-sts.remote.test"] : []);
  });
}

const HOSTS: {
  name: string;
  reply: unknown;
  loopback?: boolean;
  want: string[] | RegExp;
}[] = [
  {
    name: "IPv4 addresses, four at most",
    reply: answered({
      addresses: ["2001:db8::1", ...[1, 2, 3, 4, 5].map((n) => `192.0.2.${n}`)],
    }),
    want: ["192.0.2.1", "192.0.2.2", "192.0.2.3", "192.0.2.4"],
  },
  {
    name: "none by IPv6 alone",
    reply: answered({ addresses: ["2001:db8::1"] }),
    want: /no IPv4 address/,
  },
  {
    name: "none that leads to ourselves",
    reply: answered({ addresses: ["127.0.0.1", "169.254.169.254"] }),
    want: /no IPv4 address/,
  },
  {
    name: "the loopback in a laboratory",
    reply: answered({ addresses: ["127.0.0.1"] }),
    loopback: true,
    want: ["127.0.0.1"],
  },
  {
    name: "that there is none",
    reply: refused("no-such-domain"),
    want: /no-such/,
  },
  {
    name: "that nobody answers",
    reply: refused("try-later"),
    want: /try-later/,
  },
];

for (const { name, reply, loopback = false, want } of HOSTS) {
  Deno.test(`addressesOf() finds ${name}`, async () => {
    const host = "mta-sts.remote.test";
    const got = await addressesOf(dnsThat(reply), host, { loopback });
    if (Array.isArray(want)) assert.deepEqual(got, want);
    else {
      assert.ok(!Array.isArray(got));
      assert.equal(got.failure, "sts-policy-fetch-error");
      assert.match(got.why, want);
    }
  });
}
