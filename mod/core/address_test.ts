import assert from "node:assert/strict";
import {
  expandIpv6,
  isIpv6,
  parseAddress,
  type PathFault,
  readPath,
} from "./address.ts";
import { address as addressShape } from "./shapes.ts";

const L64 = "l".repeat(64);
const D63 = "d".repeat(63);

// Written as `PATH`, then the address it means; "" is <>, "postmaster" bare.
const PATHS: { name: string; text: string; want: string }[] = [
  { name: "reads a plain address", text: "<a@b.test>", want: "a@b.test" },
  { name: "reads the null path", text: "<>", want: "" },
  {
    name: "keeps case left, lowers it right",
    text: "<Me@B.Test>",
    want: "Me@b.test",
  },
  {
    name: "takes every atext",
    text: "<!#$%&'*+-/=?^_`{|}~@b>",
    want: "!#$%&'*+-/=?^_`{|}~@b",
  },
  { name: "takes o'brien", text: "<o'brien@b>", want: "o'brien@b" },
  {
    name: "takes prototype names",
    text: "<__proto__@constructor>",
    want: "__proto__@constructor",
  },
  { name: "reads bare postmaster", text: "<PostMaster>", want: "postmaster" },
  { name: "keeps needed quoting", text: '<"a b"@c>', want: '"a b"@c' },
  { name: "drops needless quoting", text: '<"a.b"@c>', want: "a.b@c" },
  { name: "drops needless quoted pairs", text: '<"\\a\\b"@c>', want: "ab@c" },
  {
    name: "quotes what needs it",
    text: '<"a\\"\\\\b"@c>',
    want: '"a\\"\\\\b"@c',
  },
  { name: "keeps an empty quoted string", text: '<""@c>', want: '""@c' },
  {
    name: "takes the domain after the last unquoted @",
    text: '<"xclow3n@gmail.com x"@internal.test>',
    want: '"xclow3n@gmail.com x"@internal.test',
  },
  { name: "quotes a leading dot", text: '<".a"@c>', want: '".a"@c' },
  { name: "drops a source route", text: "<@a,@b.test:u@d>", want: "u@d" },
  {
    name: "drops a route with a literal",
    text: "<@[1.2.3.4]:u@d>",
    want: "u@d",
  },
  {
    name: "reads an IPv4 literal",
    text: "<a@[192.0.2.255]>",
    want: "a@[192.0.2.255]",
  },
  {
    name: "reads an IPv6 literal",
    text: "<a@[IPv6:2001:DB8::1]>",
    want: "a@[ipv6:2001:db8::1]",
  },
  {
    name: "takes 64 octets of local part",
    text: `<${L64}@b>`,
    want: `${L64}@b`,
  },
  {
    name: "takes labels of 63",
    text: `<a@${D63}.${D63}>`,
    want: `a@${D63}.${D63}`,
  },
  { name: "takes digits and hyphens", text: "<a@1-2.3>", want: "a@1-2.3" },
  {
    name: "takes 256 octets of path",
    text: `<${L64}@${D63}.${D63}.${D63.slice(2)}>`,
    want: `${L64}@${D63}.${D63}.${D63.slice(2)}`,
  },
  {
    name: "takes shell words as words",
    text: "<|/bin/sh`id`${run{x}}@b>",
    want: "|/bin/sh`id`${run{x}}@b",
  },
];

for (const { name, text, want } of PATHS) {
  Deno.test(`readPath ${name}`, () => {
    const got = readPath(`FROM:${text} X`, 5);
    assert.ok(got.ok);
    assert.equal(got.end, 5 + text.length);
    switch (got.path.kind) {
      case "null":
        return assert.equal(want, "");
      case "postmaster":
        return assert.equal(want, "postmaster");
      case "address":
        assert.equal(got.path.address, want);
        assert.ok(addressShape.safeParse(got.path.address).success);
        assert.equal(parseAddress(want), want, "canonical form is stable");
    }
  });
}

const FAULTS: { text: string; want: PathFault }[] = [
  ...[
    "",
    "a@b",
    "<a@b",
    "a@b>",
    "<a>",
    "<@b>",
    "<a@>",
    "<@>",
    "<a b@c>",
    "< a@b>",
    "<a@b >",
    "<.a@b>",
    "<a.@b>",
    "<a..b@c>",
    "<a@.b>",
    "<a@b.>",
    "<a@b..c>",
    "<a@-b>",
    "<a@b->",
    "<a@b_c>",
    "<a@b@c>",
    "<a@b,c@d>",
    "<a@b(c)>",
    "<(c)a@b>",
    '<"a@b>',
    '<"a"b@c>',
    '<a"b"@c>',
    '<"a\\"@c>',
    '<"a\tb"@c>',
    '<"a\\\0"@c>',
    "<a\0@b>",
    "<a@b\0>",
    "<a\r@b>",
    "<a@b\n>",
    "<a\x1b@b>",
    "<a\x7f@b>",
    "<@a:>",
    "<@a,:u@d>",
    "<@a u@d>",
    "<@a,b:u@d>",
    "<@:u@d>",
    "<;sleep 66;>",
    "<a@[]>",
    "<a@[1.2.3]>",
    "<a@[1.2.3.256]>",
    "<a@[1.2.3.4>",
    "<a@[1.2.3.4]x>",
    "<a@[1.2.3.0004]>",
    "<a@[IPv6:]>",
    "<a@[IPv6:1::2::3]>",
    "<a@[::1]>",
    "<a@[IPv6:12345::]>",
    "<a@[x:y]>",
    "<a@[IPv6:1:2:3:4:5:6:7:8:9]>",
    "<<a@b>>",
    "<postmaster@>",
    '<"postmaster">x',
    "<@a:postmasterx>",
    "<=?utf-8?q?a=40evil.com=3e?=@>",
  ].map((text) => ({ text, want: "syntax" as const })),
  { text: `<${L64}l@b>`, want: "too-long" },
  { text: `<a@${D63}d>`, want: "too-long" },
  { text: `<a@${"d.".repeat(130)}d>`, want: "too-long" },
  { text: `<${L64}@${D63}.${D63}.${D63.slice(1)}>`, want: "too-long" },
  { text: `<@${D63}.${D63},@${D63}.${D63}:u@d>`, want: "too-long" },
  { text: "<\xe9@b>", want: "not-ascii" },
  { text: "<a@b\xc3\xbccher.test>", want: "not-ascii" },
  { text: '<"\xc0\x80"@b>', want: "not-ascii" },
];

for (const { text, want } of FAULTS) {
  Deno.test(`readPath refuses ${JSON.stringify(text.slice(0, 60))}`, () => {
    assert.deepEqual(readPath(text), { ok: false, fault: want });
  });
}

Deno.test("readPath takes linear time on bait", () => {
  const baits = [
    "<".repeat(1e5),
    `<"${"\\".repeat(1e5)}`,
    `<${"a.".repeat(5e4)}`,
    `<a@${"1.".repeat(5e4)}`,
    `<@a${",@a".repeat(3e4)}`,
    `<a@[${":".repeat(1e5)}`,
    `<"${" ".repeat(1e5)}"@b>`,
    `<${"(".repeat(1e5)}`,
  ];
  for (const bait of baits) {
    const from = performance.now();
    assert.equal(readPath(bait).ok, false);
    assert.ok(performance.now() - from < 50, bait.slice(0, 10));
  }
});

Deno.test("parseAddress wants the whole text", () => {
  assert.equal(parseAddress("Me@Home.Test"), "Me@home.test");
  for (
    const text of ["<a@b>", "a@b ", " a@b", "a@b>", "postmaster", "", "a@b,c@d"]
  ) {
    assert.equal(parseAddress(text), undefined, text);
  }
});

Deno.test("expandIpv6 counts groups on both sides of the gap", () => {
  assert.deepEqual(expandIpv6("2001:db8::1"), [
    0x2001,
    0xdb8,
    0,
    0,
    0,
    0,
    0,
    1,
  ]);
  assert.deepEqual(expandIpv6("::"), [0, 0, 0, 0, 0, 0, 0, 0]);
  assert.deepEqual(expandIpv6("::ffff:192.0.2.1"), [
    0,
    0,
    0,
    0,
    0,
    0xffff,
    0xc000,
    0x0201,
  ]);
  for (
    const text of [
      "",
      ":",
      ":::",
      "1:2:3:4:5:6:7",
      "1.2.3.4::",
      "1:2:3:4:5:6:7:8::",
      "g::",
      "::1%lo",
    ]
  ) {
    assert.equal(isIpv6(text), false, text);
  }
});
