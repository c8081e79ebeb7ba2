import assert from "node:assert/strict";
import { isReachable } from "./reachable.ts";

const ADDRESSES: { address: string; want: boolean; why: string }[] = [
  { address: "192.0.2.1", want: true, why: "an address of the world" },
  { address: "10.1.2.3", want: true, why: "a company's own network" },
  { address: "127.0.0.1", want: false, why: "this machine" },
  { address: "127.255.255.254", want: false, why: "this machine" },
  { address: "0.0.0.0", want: false, why: "this machine, to Linux" },
  { address: "0.1.2.3", want: false, why: "nobody" },
  { address: "169.254.169.254", want: false, why: "a cloud's own service" },
  { address: "224.0.0.1", want: false, why: "multicast" },
  { address: "255.255.255.255", want: false, why: "everybody" },
  { address: "240.0.0.1", want: false, why: "reserved" },
  { address: "::1", want: false, why: "IPv6" },
  { address: "::ffff:127.0.0.1", want: false, why: "IPv6" },
  { address: "127.1", want: false, why: "not in full" },
  { address: "192.0.2.256", want: false, why: "no address" },
];

for (const { address, want, why } of ADDRESSES) {
  Deno.test(`isReachable() says ${want} of ${address}: ${why}`, () => {
    assert.equal(isReachable(address, { loopback: false }), want);
  });
}

Deno.test("isReachable() lets a laboratory have the loopback and no more", () => {
  assert.ok(isReachable("127.0.0.1", { loopback: true }));
  assert.ok(!isReachable("169.254.169.254", { loopback: true }));
});
