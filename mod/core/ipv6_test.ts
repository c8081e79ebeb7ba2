import assert from "node:assert/strict";
import { ipv6Octets } from "./ipv6.ts";

const ADDRESSES: { name: string; text: string; want: string }[] = [
  { name: "loopback", text: "::1", want: "0".repeat(31) + "1" },
  { name: "all zero", text: "::", want: "0".repeat(32) },
  { name: "a gap at the end", text: "fe80::", want: "fe80" + "0".repeat(28) },
  {
    name: "no gap",
    text: "2001:DB8:1:2:3:4:5:6",
    want: "20010db8000100020003000400050006",
  },
];

for (const { name, text, want } of ADDRESSES) {
  Deno.test(`ipv6Octets() reads ${name}`, () => {
    assert.equal(ipv6Octets(text).toHex(), want);
  });
}

Deno.test("ipv6Octets() refuses what is no IPv6 address", () => {
  for (const bad of ["192.0.2.1", "x", "::1/64", "fe80::1%eth0", ""]) {
    assert.throws(() => ipv6Octets(bad), TypeError, bad);
  }
});
