import { leastMs } from "./least_time.ts";
import assert from "node:assert/strict";
import {
  expandIpv6,
  isIpv6,
  parseAddress,
  parseDomain,
  type PathFault,
  readPath,
} from "./address.ts";
import { octetText, utf8Length } from "./international.ts";
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
    const got = readPath(`FROM:${text} X`, { at: 5 });
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

// RFC 6531 §3.3. Written in characters, read in octets.
const U64 = "ü".repeat(32);

const UTF8_PATHS: { name: string; text: string; want: string }[] = [
  { name: "a local part", text: "<ü@b>", want: "ü@b" },
  { name: "a mixed one", text: "<Grüße.x@B.Test>", want: "Grüße.x@b.test" },
  { name: "one of another script", text: "<我買@b>", want: "我買@b" },
  { name: "an emoji", text: "<\u{1f600}@b>", want: "\u{1f600}@b" },
  { name: "NFC of what is not", text: "<u\u0308@b>", want: "ü@b" },
  { name: "a quoted one", text: '<"ü b"@c>', want: '"ü b"@c' },
  { name: "a needlessly quoted one", text: '<"ü.b"@c>', want: "ü.b@c" },
  { name: "a quoted pair", text: '<"\\ü"@c>', want: "ü@c" },
  // U+037E is a semicolon in NFC, which no atom may have.
  { name: "a Greek question mark", text: "<a\u037e@c>", want: '"a;"@c' },
  // U+212A is a K in NFC.
  { name: "a Kelvin sign", text: "<\u212a@c>", want: "K@c" },
  { name: "a U-label", text: "<a@bücher.test>", want: "a@xn--bcher-kva.test" },
  { name: "one in capitals", text: "<a@BÜ>", want: "a@xn--b-eha" },
  { name: "an ideographic dot", text: "<a@b。c>", want: "a@b.c" },
  { name: "full-width letters", text: "<a@ｂ.test>", want: "a@b.test" },
  {
    name: "an A-label, UTF-8 or not",
    text: "<a@XN--bcher-KVA.test>",
    want: "a@xn--bcher-kva.test",
  },
  { name: "a route of U-labels", text: "<@ü,@b:ü@c>", want: "ü@c" },
  { name: "64 octets", text: `<${U64}@b>`, want: `${U64}@b` },
  {
    name: "a U-label of more than 63 octets",
    text: `<a@${"ü".repeat(40)}.test>`,
    want: `a@xn--tda${"a".repeat(39)}.test`,
  },
  { name: "<> as before", text: "<>", want: "" },
];

for (const { name, text, want } of UTF8_PATHS) {
  Deno.test(`readPath with UTF-8 reads ${name}`, () => {
    const octets = octetText(text);
    const got = readPath(`${octets} X`, { utf8: true });
    assert.ok(got.ok);
    assert.equal(got.end, octets.length);
    assert.equal(got.eightBit, octets.length > text.length);
    if (got.path.kind !== "address") return assert.equal(want, "");
    assert.equal(got.path.address, want);
    assert.ok(addressShape.safeParse(want).success);
    assert.equal(parseAddress(want), want, "canonical form is stable");
    if (!got.eightBit) return;
    const refused = readPath(octets);
    assert.deepEqual(refused, { ok: false, fault: "not-ascii" });
  });
}

const UTF8_FAULTS: { name: string; octets: string; want: PathFault }[] = [
  ...[
    ["overlong UTF-8", "<\xc0\xaf@b>"],
    ["an overlong NUL", '<"\xc0\x80"@b>'],
    ["a surrogate", "<\xed\xa0\x80@b>"],
    ["Latin-1", "<\xe9@b>"],
    ["Latin-1 in a domain", "<a@b\xfccher.test>"],
    ["a cut sequence before @", "<a\xc3@b>"],
    ["a sequence cut by a quote", '<"a\xc3"@b>'],
    ["a direction mark", octetText("<a\u202e@b>")],
    ["a zero width space", octetText("<a\u200b@b>")],
    ["a no-break space", octetText("<a\u00a0b@c>")],
    ["an ideographic space", octetText("<a\u3000b@c>")],
    ["NEL", octetText("<a\u0085@b>")],
    ["a first combining mark", octetText("<\u0338a@b>")],
    ["a first combining mark, quoted", octetText('<"\u0338 a"@b>')],
    ["a full-width at sign", octetText("<a＠b>")],
    ["a full-width @ in a domain", octetText("<a@b＠c>")],
    ["a full-width slash in a domain", octetText("<a@b／c>")],
    ["a full-width bracket", octetText("<a@［1.2.3.4］>")],
    ["a soft hyphen in a domain", octetText("<a@b\u00adc>")],
    ["an empty label by a wide dot", octetText("<a@b。.c>")],
    ["a last wide dot", octetText("<a@b。>")],
    ["mixed directions in a label", octetText("<a@א1a>")],
    ["a hyphen at a label's end", octetText("<a@ü->")],
    ["a fake A-label", "<a@xn--zzzzzz.test>"],
    ["a fake A-label in a route", "<@xn--abc-:a@b>"],
    ["a blank", octetText("<ü b@c>")],
    ["an unquoted control", octetText("<ü\x01@c>")],
  ].map(([name, octets]) => ({
    name: name!,
    octets: octets!,
    want: "syntax" as const,
  })),
  {
    name: "65 octets in 33 characters",
    octets: octetText(`<a${U64}@b>`),
    want: "too-long",
  },
  {
    name: "what grows beyond 64 octets in NFC",
    octets: octetText(`<${"\u0958".repeat(21)}@b>`),
    want: "too-long",
  },
  {
    name: "a domain of over 255 octets",
    octets: octetText(`<a@${"ü.".repeat(86)}b>`),
    want: "too-long",
  },
  {
    name: "a domain that is long in A-labels",
    octets: octetText(`<a@${"ü.".repeat(40)}b>`),
    want: "too-long",
  },
  {
    name: "an address that is long in A-labels",
    octets: octetText(`<${U64}@${"ü.".repeat(24)}b>`),
    want: "too-long",
  },
];

for (const { name, octets, want } of UTF8_FAULTS) {
  Deno.test(`readPath with UTF-8 refuses ${name}`, () => {
    const got = readPath(octets, { utf8: true });
    assert.deepEqual(got, { ok: false, fault: want });
  });
}

Deno.test("readPath refuses a fake A-label without UTF-8 too", () => {
  const got = readPath("<a@xn--zzzzzz.test>");
  assert.deepEqual(got, { ok: false, fault: "syntax" });
});

Deno.test("parseAddress reads characters, in octets no more than a path", () => {
  assert.equal(parseAddress("Ü@BÜCHER.test"), "Ü@xn--bcher-kva.test");
  const long = `${U64}@${D63}.${D63}.${D63.slice(2)}`;
  assert.equal(utf8Length(long), 254);
  assert.equal(parseAddress(long), long);
  assert.equal(parseAddress(`${long}d`), undefined);
  assert.equal(parseAddress("\ud800@b"), undefined);
  assert.equal(parseAddress("ü".repeat(1e6)), undefined);
});

Deno.test("parseDomain wants one name and nothing else", () => {
  assert.equal(parseDomain("A.Test"), "a.test");
  assert.equal(parseDomain("xn--bcher-kva.test"), "xn--bcher-kva.test");
  const none = ["", ".", "a.", "a b", "-a", "a@b", "[1.2.3.4]", "xn--zzzzzz"];
  for (const text of [...none, "b\xc3\xbc.test", "a".repeat(64)]) {
    assert.equal(parseDomain(text), undefined, text);
  }
});

Deno.test("readPath takes linear time on bait", () => {
  const baits = [
    `<${"\xc3\xbc".repeat(5e4)}`,
    `<"${"\xc3\xbc".repeat(5e4)}"@b>`,
    `<a@${"\xc3\xbc".repeat(5e4)}>`,
    `<a@${"\xc3\xbc.".repeat(3e4)}>`,
    `<${"@\xc3\xbc,".repeat(2e4)}`,
    `<a@${"xn--".repeat(2e4)}>`,
    `<a@${"xn--a.".repeat(2e4)}>`,
    `<\xcc\x88${"\xcc\x88".repeat(5e4)}@b>`,
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
    const tookMs = leastMs(() => {
      assert.equal(readPath(bait).ok, false);
      assert.equal(readPath(bait, { utf8: true }).ok, false);
    }, 50);
    assert.ok(tookMs < 50, bait.slice(0, 10));
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
