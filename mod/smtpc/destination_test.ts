import assert from "node:assert/strict";
import type { NextHop } from "../core/shapes.ts";
import { TlsPolicies } from "./destination.ts";

const HEX = "ab".repeat(32);
const entry = (name: string, over: object = {}) => ({
  name,
  tls: null,
  match: null,
  fingerprints: null,
  source: null,
  ...over,
});
const POLICIES = new TlsPolicies({
  tls: "dane",
  ca: "",
  tlsExceptions: ["broken.test", ".shaky.test"],
  destinations: [
    entry("bank.test", { tls: "dane-only" }),
    entry(".bank.test", { tls: "secure", match: [".bank.test"] }),
    entry("slow.test"),
    entry("192.0.2.1:25", { tls: "fingerprint", fingerprints: [HEX] }),
    entry("[2001:db8::1]:2525", { tls: "encrypt" }),
    entry("smart.test:587", { tls: "verify" }),
  ],
});
const mx = (domain: string): NextHop => ({ kind: "mx", domain });
const host = (name: string, port: number): NextHop => ({
  kind: "host",
  host: name,
  port,
});

const ROWS: { name: string; hop: NextHop; want: string }[] = [
  { name: "a domain", hop: mx("bank.test"), want: "dane-only by bank.test" },
  { name: "one below", hop: mx("a.b.bank.test"), want: "secure by .bank.test" },
  { name: "a domain unsaid", hop: mx("x.test"), want: "dane by " },
  {
    name: "a domain of which something else is said",
    hop: mx("slow.test"),
    want: "dane by ",
  },
  { name: "a literal", hop: mx("[192.0.2.9]"), want: "dane by " },
  {
    name: "an address",
    hop: host("192.0.2.1", 25),
    want: "fingerprint by 192.0.2.1:25",
  },
  { name: "another port", hop: host("192.0.2.1", 26), want: "dane by " },
  {
    name: "an IPv6 address, in brackets or without",
    hop: host("[2001:db8::1]", 2525),
    want: "encrypt by [2001:db8::1]:2525",
  },
  {
    name: "a configured host",
    hop: host("Smart.test", 587),
    want: "verify by smart.test:587",
  },
  {
    name: "a Unix socket",
    hop: { kind: "unix", path: "/run/lmtp" },
    want: "none by ",
  },
];

for (const { name, hop, want } of ROWS) {
  Deno.test(`TlsPolicies.of() knows ${name}`, () => {
    const { profile, entry } = POLICIES.of(hop);
    assert.equal(`${profile} by ${entry}`, want);
  });
}

Deno.test("TlsPolicies.exceptionFor() knows a name, and all below another", () => {
  const found = ["broken.test", "mx.broken.test", "a.b.shaky.test"]
    .map((name) => POLICIES.exceptionFor(name));
  assert.deepEqual(found, ["broken.test", undefined, ".shaky.test"]);
  assert.equal(POLICIES.exceptionFor("shaky.test"), undefined);
});
