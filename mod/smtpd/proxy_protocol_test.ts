import assert from "node:assert/strict";
import { MAX_V1, MAX_V2, readProxyHeader } from "./proxy_protocol.ts";

const SIGN = [13, 10, 13, 10, 0, 13, 10, 81, 85, 73, 84, 10];
const V4 = [192, 0, 2, 1, 198, 51, 100, 1, 0x9c, 0x40, 0, 25];
const V6 = [0x20, 1, 0x0d, 0xb8, ...new Array(11).fill(0), 1]
  .concat(new Array(16).fill(0), [0xff, 0xff, 0, 25]);

function v2(command: number, family: number, rest: number[]): Uint8Array {
  const length = [rest.length >> 8, rest.length & 255];
  return Uint8Array.from([...SIGN, command, family, ...length, ...rest]);
}

function ascii(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

const GOOD: {
  name: string;
  octets: Uint8Array;
  client: { address: string; port: number } | undefined;
}[] = [
  {
    name: "TCP4",
    octets: ascii("PROXY TCP4 192.0.2.1 198.51.100.1 40000 25\r\n"),
    client: { address: "192.0.2.1", port: 40_000 },
  },
  {
    name: "TCP6, in its short form",
    octets: ascii("PROXY TCP6 2001:DB8:0:0::1 2001:db8::2 0 65535\r\n"),
    client: { address: "2001:db8::1", port: 0 },
  },
  {
    name: "UNKNOWN",
    octets: ascii("PROXY UNKNOWN\r\n"),
    client: undefined,
  },
  {
    name: "UNKNOWN with what means nothing",
    octets: ascii("PROXY UNKNOWN ffff::1 x 70000\r\n"),
    client: undefined,
  },
  {
    name: "version 2, IPv4",
    octets: v2(0x21, 0x11, V4),
    client: { address: "192.0.2.1", port: 40_000 },
  },
  {
    name: "version 2, IPv6",
    octets: v2(0x21, 0x21, V6),
    client: { address: "2001:db8::1", port: 65_535 },
  },
  {
    name: "version 2 with TLVs",
    octets: v2(0x21, 0x11, [...V4, 4, 0, 1, 0, 9, 0xff, 0xff]),
    client: { address: "192.0.2.1", port: 40_000 },
  },
  {
    name: "version 2, as long as it may be",
    octets: v2(0x21, 0x11, [...V4, ...new Array(MAX_V2 - 28).fill(4)]),
    client: { address: "192.0.2.1", port: 40_000 },
  },
  {
    name: "LOCAL, whatever its addresses",
    octets: v2(0x20, 0x11, V4),
    client: undefined,
  },
  {
    name: "LOCAL of a family yet to come",
    octets: v2(0x20, 0x77, V4),
    client: undefined,
  },
  { name: "LOCAL alone", octets: v2(0x20, 0, []), client: undefined },
  { name: "an unspecified family", octets: v2(0x21, 0, []), client: undefined },
  {
    name: "a Unix socket",
    octets: v2(0x21, 0x31, new Array(216).fill(0)),
    client: undefined,
  },
];

for (const { name, octets, client } of GOOD) {
  Deno.test(`readProxyHeader() reads ${name}, wherever TCP cuts it`, () => {
    for (let cut = 0; cut < octets.length; cut++) {
      assert.deepEqual(
        readProxyHeader(octets.subarray(0, cut)),
        { is: "more" },
        `at ${cut}`,
      );
    }
    const more = Uint8Array.from([...octets, ...ascii("EHLO a\r\n")]);
    for (const all of [octets, more]) {
      assert.deepEqual(readProxyHeader(all), {
        is: "header",
        end: octets.length,
        client,
      });
    }
  });
}

const BAD: { name: string; octets: Uint8Array }[] = [
  { name: "SMTP", octets: ascii("EHLO client.test\r\n") },
  { name: "a lower case word", octets: ascii("proxy TCP4 ") },
  { name: "two spaces", octets: ascii("PROXY  TCP4 1.2.3.4 1.2.3.4 1 1\r\n") },
  {
    name: "another family",
    octets: ascii("PROXY UDP4 1.2.3.4 1.2.3.4 1 1\r\n"),
  },
  { name: "UNKNOWNX", octets: ascii("PROXY UNKNOWNX\r\n") },
  {
    name: "an address of the other family",
    octets: ascii("PROXY TCP4 ::1 1.2.3.4 1 1\r\n"),
  },
  {
    name: "an address with zeros in front",
    octets: ascii("PROXY TCP4 010.2.3.4 1.2.3.4 1 1\r\n"),
  },
  {
    name: "an address with a zone",
    octets: ascii("PROXY TCP6 fe80::1%1 ::1 1 1\r\n"),
  },
  {
    name: "an address of three numbers",
    octets: ascii("PROXY TCP4 1.2.3 1.2.3.4 1 1\r\n"),
  },
  {
    name: "no destination",
    octets: ascii("PROXY TCP4 1.2.3.4 1 1\r\n"),
  },
  {
    name: "a port with a zero in front",
    octets: ascii("PROXY TCP4 1.2.3.4 1.2.3.4 01 1\r\n"),
  },
  {
    name: "a port that is too large",
    octets: ascii("PROXY TCP4 1.2.3.4 1.2.3.4 1 65536\r\n"),
  },
  { name: "one port", octets: ascii("PROXY TCP4 1.2.3.4 1.2.3.4 1\r\n") },
  {
    name: "one word too many",
    octets: ascii("PROXY TCP4 1.2.3.4 1.2.3.4 1 1 1\r\n"),
  },
  { name: "a bare CR", octets: ascii("PROXY UNKNOWN\rEHLO a\r\n") },
  {
    name: "a line that does not end",
    octets: ascii("PROXY UNKNOWN ".padEnd(MAX_V1, "x")),
  },
  {
    name: "a line one octet too long",
    octets: ascii("PROXY UNKNOWN ".padEnd(MAX_V1 - 1, "x") + "\r\n"),
  },
  { name: "a broken signature", octets: ascii("\r\n\r\n\0\r\nQUIX") },
  { name: "version 3", octets: v2(0x31, 0x11, V4) },
  { name: "another command", octets: v2(0x22, 0x11, V4) },
  { name: "datagrams", octets: v2(0x21, 0x12, V4) },
  { name: "addresses cut short", octets: v2(0x21, 0x11, V4.slice(1)) },
  { name: "IPv4 said to be IPv6", octets: v2(0x21, 0x21, V4) },
  {
    name: "a header too long",
    octets: v2(0x21, 0x11, [...V4, ...new Array(MAX_V2 - 27).fill(4)]),
  },
];

for (const { name, octets } of BAD) {
  Deno.test(`readProxyHeader() refuses ${name}, wherever TCP cuts it`, () => {
    assert.equal(readProxyHeader(octets).is, "bad");
    let last = "more";
    for (let cut = 0; cut <= octets.length; cut++) {
      const { is } = readProxyHeader(octets.subarray(0, cut));
      assert.ok(is !== "header", `a header at ${cut}`);
      assert.ok(last === "more" || is === "bad", `good again at ${cut}`);
      last = is;
    }
  });
}
