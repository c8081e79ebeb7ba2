import assert from "node:assert/strict";
import {
  addressText,
  type Network,
  NetworkMap,
  networkOf,
  networkText,
  parseAddress,
  parseNetwork,
} from "./network.ts";

function network(text: string): Network {
  const read = parseNetwork(text);
  assert.ok(!("fault" in read), text);
  return read;
}

const ADDRESSES: { name: string; text: string; want: string | undefined }[] = [
  { name: "IPv4", text: "192.0.2.1", want: "192.0.2.1" },
  {
    name: "the highest IPv4",
    text: "255.255.255.255",
    want: "255.255.255.255",
  },
  { name: "IPv6, short", text: "2001:DB8::1", want: "2001:db8::1" },
  { name: "IPv6, long", text: "0:0:0:0:0:0:0:1", want: "::1" },
  { name: "IPv4-mapped as IPv4", text: "::ffff:192.0.2.1", want: "192.0.2.1" },
  { name: "IPv4-mapped in hex", text: "::ffff:c000:201", want: "192.0.2.1" },
  { name: "a zone", text: "fe80::1%eth0", want: undefined },
  { name: "octal digits", text: "192.0.2.01", want: undefined },
  { name: "three parts", text: "192.0.2", want: undefined },
  { name: "nothing", text: "", want: undefined },
  { name: "brackets", text: "[::1]", want: undefined },
];

for (const { name, text, want } of ADDRESSES) {
  Deno.test(`parseAddress() reads ${name}`, () => {
    const read = parseAddress(text);
    assert.equal(read && addressText(read), want);
  });
}

const NETWORKS: { name: string; text: string; want: string }[] = [
  { name: "a network", text: "192.0.2.0/24", want: "192.0.2.0/24" },
  { name: "an address", text: "192.0.2.1", want: "192.0.2.1" },
  { name: "one with all its bits", text: "192.0.2.1/32", want: "192.0.2.1" },
  { name: "everything", text: "0.0.0.0/0", want: "0.0.0.0/0" },
  { name: "IPv6", text: "2001:db8::/32", want: "2001:db8::/32" },
  {
    name: "IPv4-mapped",
    text: "::ffff:192.0.2.0/120",
    want: "192.0.2.0/24",
  },
  {
    name: "IPv4-mapped and more",
    text: "::ffff:0.0.0.0/95",
    want: "is wider",
  },
  { name: "bits beyond the prefix", text: "192.0.2.1/24", want: "has bits" },
  { name: "too many bits", text: "192.0.2.1/33", want: "has more" },
  { name: "no bits", text: "192.0.2.1/", want: "has no number" },
  { name: "a sign", text: "192.0.2.1/+8", want: "has no number" },
  { name: "a name", text: "home.test/8", want: "is no address" },
];

for (const { name, text, want } of NETWORKS) {
  Deno.test(`parseNetwork() reads ${name}`, () => {
    const read = parseNetwork(text);
    const got = "fault" in read ? read.fault : networkText(read);
    assert.ok(got.startsWith(want), got);
  });
}

Deno.test("networkOf() takes no more bits than there are", () => {
  const address = parseAddress("192.0.2.77")!;
  assert.equal(networkText(networkOf(address, 24)), "192.0.2.0/24");
  assert.equal(networkText(networkOf(address, 64)), "192.0.2.77");
});

Deno.test("NetworkMap finds the narrowest network, and forgets", () => {
  const map = new NetworkMap<string>();
  for (
    const text of ["0.0.0.0/0", "192.0.2.0/24", "192.0.2.7", "2001:db8::/32"]
  ) {
    map.set(network(text), text);
  }
  const find = (text: string) => map.find(parseAddress(text)!);
  assert.equal(find("192.0.2.7"), "192.0.2.7");
  assert.equal(find("192.0.2.8"), "192.0.2.0/24");
  assert.equal(find("198.51.100.1"), "0.0.0.0/0");
  assert.equal(find("2001:db8:1::1"), "2001:db8::/32");
  assert.equal(find("2001:db9::1"), undefined);
  map.set(network("192.0.2.7"), "again");
  assert.equal(find("192.0.2.7"), "192.0.2.7");
  map.set(network("192.0.2.7"), "again", true);
  assert.equal(find("192.0.2.7"), "again");
  assert.equal(map.size, 4);
  assert.ok(map.delete(network("192.0.2.7")));
  assert.equal(find("192.0.2.7"), "192.0.2.0/24");
});

Deno.test("NetworkMap stays fast with 100,000 networks", () => {
  const map = new NetworkMap<number>();
  for (let n = 0; n < 100_000; n++) {
    const value = BigInt(n) << 8n;
    map.set({ family: 4, value, prefix: 24 + n % 9 }, n);
  }
  const asked = parseAddress("0.255.3.4")!;
  const started = performance.now();
  for (let n = 0; n < 10_000; n++) map.find(asked);
  const each = (performance.now() - started) / 10_000;
  assert.ok(each < 0.1, `${each} ms`);
});
