import assert from "node:assert/strict";
import type { MailHost } from "../dns/dns_ipc.ts";
import { NO_NAMES, unsignedHost } from "./delivery_fixture.ts";
import { isLoopback, type Names, routeTo } from "./route.ts";

const FACTS = { hostname: "us.test", port: 25, isOurs: isLoopback };
const host = (name: string, preference: number, ...addresses: string[]) =>
  unsignedHost(name, preference, addresses);

function names(answer: {
  hosts?: MailHost[];
  addresses?: string[];
  refusal?: "null-mx" | "no-such-domain" | "try-later";
}): Names {
  const { hosts, addresses, refusal } = answer;
  return {
    ...NO_NAMES,
    mailHosts: () =>
      Promise.resolve(
        hosts
          ? {
            kind: "answered",
            answer: { hosts, security: "insecure", canonical: "x.test" },
          }
          : refusal
          ? { kind: "refused", refusal }
          : { kind: "failed", why: "gone" },
      ),
    addresses: () =>
      Promise.resolve(
        addresses
          ? {
            kind: "answered",
            answer: {
              addresses,
              security: "insecure",
              nameSecurity: "insecure",
              canonical: "relay.test",
            },
          }
          : refusal && refusal !== "null-mx"
          ? { kind: "refused", refusal }
          : { kind: "failed", why: "gone" },
      ),
  };
}

/** `address:port` of the candidates, or `kind code enhanced`. */
async function route(
  hop: Parameters<typeof routeTo>[0],
  dns: Names = names({}),
): Promise<string> {
  const got = await routeTo(hop, dns, FACTS);
  if (got.kind === "candidates") {
    return got.candidates.map((to) => `${to.host} ${to.address} ${to.port}`)
      .join(", ");
  }
  const { kind, code, enhanced } = got.outcome;
  return `${kind} ${code} ${enhanced}`;
}

const mx = (domain: string) => ({ kind: "mx" as const, domain });
const to = (host: string) => ({ kind: "host" as const, host, port: 2600 });

const ROUTES: { name: string; got: () => Promise<string>; want: string }[] = [
  {
    name: "an address as it is, loopback too",
    got: () => route(to("127.0.0.1")),
    want: "127.0.0.1 127.0.0.1 2600",
  },
  {
    name: "a bracketed address without brackets",
    got: () => route(to("[::1]")),
    want: "::1 ::1 2600",
  },
  {
    name: "a name to its addresses",
    got: () => route(to("Relay.Test"), names({ addresses: ["192.0.2.1"] })),
    want: "relay.test 192.0.2.1 2600",
  },
  {
    name: "a configured name that is wrong to later",
    got: () => route(to("relay.test"), names({ refusal: "no-such-domain" })),
    want: "temporary 451 4.4.4",
  },
  {
    name: "an MX list in order",
    got: () =>
      route(
        mx("x.test"),
        names({
          hosts: [
            host("a.test", 5, "2001:db8::1", "192.0.2.1"),
            host("b.test", 9, "192.0.2.2"),
          ],
        }),
      ),
    want: "a.test 2001:db8::1 25, a.test 192.0.2.1 25, b.test 192.0.2.2 25",
  },
  {
    name: "an MX list with us only to hosts better than us", // RFC 5321 §5.1
    got: () =>
      route(
        mx("x.test"),
        names({
          hosts: [
            host("a.test", 5, "192.0.2.1"),
            host("us.test", 10, "192.0.2.9"),
            host("b.test", 10, "192.0.2.2"),
            host("c.test", 20, "192.0.2.3"),
          ],
        }),
      ),
    want: "a.test 192.0.2.1 25",
  },
  {
    name: "an MX list with us first as a loop",
    got: () =>
      route(mx("x.test"), names({ hosts: [host("us.test", 1, "192.0.2.9")] })),
    want: "permanent 554 5.4.6",
  },
  {
    name: "a loopback MX as a loop",
    got: () =>
      route(
        mx("x.test"),
        names({ hosts: [host("evil.test", 1, "127.0.0.1", "::1")] }),
      ),
    want: "permanent 554 5.4.6",
  },
  {
    name: "null MX for good", // RFC 7505
    got: () => route(mx("x.test"), names({ refusal: "null-mx" })),
    want: "permanent 556 5.1.10",
  },
  {
    name: "a domain that does not exist for good",
    got: () => route(mx("x.test"), names({ refusal: "no-such-domain" })),
    want: "permanent 550 5.1.2",
  },
  {
    name: "an unclear domain to later",
    got: () => route(mx("x.test"), names({ refusal: "try-later" })),
    want: "temporary 451 4.4.3",
  },
  {
    name: "a dead DNS role to later",
    got: () => route(mx("x.test")),
    want: "temporary 451 4.4.3",
  },
  {
    name: "an address literal to its address",
    got: () => route(mx("[192.0.2.7]")),
    want: "192.0.2.7 192.0.2.7 25",
  },
  {
    name: "an IPv6 literal to its address",
    got: () => route(mx("[ipv6:2001:db8::7]")),
    want: "2001:db8::7 2001:db8::7 25",
  },
  {
    name: "a loopback literal as a loop",
    got: () => route(mx("[127.0.0.1]")),
    want: "permanent 554 5.4.6",
  },
];

for (const { name, got, want } of ROUTES) {
  Deno.test(`routeTo() leads ${name}`, async () => {
    assert.equal(await got(), want);
  });
}

Deno.test("isLoopback() sees through every notation", () => {
  for (
    const address of [
      "127.0.0.1",
      "127.255.0.3",
      "0.0.0.0",
      "255.255.255.255",
      "224.0.0.1",
      "::",
      "::1",
      "0:0:0:0:0:0:0:1",
      "::ffff:127.0.0.1",
      "::ffff:7f00:1",
      "0:0:0:0:0:ffff:7f00:0001",
      "ff02::1",
      "localhost",
    ]
  ) assert.equal(isLoopback(address), true, address);
  for (
    const address of [
      "192.0.2.1",
      "10.0.0.1",
      "2001:db8::1",
      "::ffff:192.0.2.1",
    ]
  ) assert.equal(isLoopback(address), false, address);
});

const EXPLAINED: { name: string; bogus: string; text: string }[] = [
  {
    name: "domain",
    bogus: "x.test MX",
    text: "DNSSEC: domain is bogus: a signature expired",
  },
  {
    name: "MX host",
    bogus: "b.test AAAA",
    text: "DNSSEC: address of b.test is bogus: a signature expired",
  },
];
for (const { name, bogus, text } of EXPLAINED) {
  Deno.test(`routeTo() says of a bogus ${name} what DNSSEC finds wrong`, async () => {
    const got = await routeTo(mx("x.test"), {
      ...NO_NAMES,
      mailHosts: () => Promise.resolve({ kind: "refused", refusal: "bogus" }),
      explain: (name, type) => {
        const isBogus = `${name} ${type}` === bogus;
        return Promise.resolve({
          kind: "answered",
          answer: {
            security: isBogus ? "bogus" : "insecure",
            status: "NOERROR",
            records: type === "MX" && !isBogus
              ? ["x.test. 60 IN MX 1 a.test.", "x.test. 60 IN MX 2 b.test."]
              : [],
            proof: [],
            why: isBogus ? "a signature expired" : "nobody signs it",
          },
        });
      },
    }, FACTS);
    assert.ok(got.kind === "nowhere");
    assert.equal(got.outcome.kind, "temporary");
    assert.equal(got.outcome.enhanced, "4.7.5");
    assert.equal(got.outcome.text, text);
  });
}
