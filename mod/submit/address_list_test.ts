import assert from "node:assert/strict";
import { readAddressList } from "./address_list.ts";

// RFC 5322 §3.4, §4.4 and appendix A; `!` marks what is no address.
const LISTS: { name: string; text: string; want: string[] }[] = [
  { name: "an address", text: "me@a.test", want: ["me@a.test"] },
  { name: "a name without a domain", text: "root", want: ["root@home.test"] },
  { name: "nothing", text: " , ,\r\n ", want: [] },
  {
    name: "names before angle brackets",
    text: 'Me <me@a.test>, "You, Sir" <you@a.test>',
    want: ["me@a.test", "you@a.test"],
  },
  {
    name: "comments, nested, with commas and quotes",
    text: "(a (b), c) me@a.test (the \\) one), you(x)@a.test",
    want: ["me@a.test", "you@a.test"],
  },
  {
    name: "groups, and one that is empty",
    text: "Friends: me@a.test, You <you@a.test>; Nobody:;, him@a.test",
    want: ["me@a.test", "you@a.test", "him@a.test"],
  },
  {
    name: "folding",
    text: "me@a.test,\r\n\tyou@a.test,\n him@a.test",
    want: ["me@a.test", "you@a.test", "him@a.test"],
  },
  {
    name: "a quoted local part with what else would divide",
    text: '"a, <b>"@a.test',
    want: ['"a, <b>"@a.test'],
  },
  {
    name: "blanks around dots and at signs",
    text: "first . last @ a . test",
    want: ["first.last@a.test"],
  },
  { name: "a route", text: "<@x.test,@y.test:me@a.test>", want: ["me@a.test"] },
  { name: "a literal", text: "me@[192.0.2.1]", want: ["me@[192.0.2.1]"] },
  {
    name: "an IPv6 literal, whose colons begin no group",
    text: "me@[IPv6:2001:db8::1]",
    want: ["me@[ipv6:2001:db8::1]"],
  },
  { name: "UTF-8", text: "jörg@a.test", want: ["jörg@a.test"] },
  { name: "two words", text: "me you@a.test", want: ["!me you@a.test"] },
  { name: "empty brackets", text: "Me <>", want: ["!"] },
  {
    name: "brackets that stay open",
    text: "<me@a.test",
    want: ["!me@a.test<"],
  },
  {
    name: "control characters",
    text: "me@a.test\0, you\x07@a.test",
    want: ["!me@a.test\0", "!you\x07@a.test"],
  },
  { name: "a quote that stays open", text: '"me', want: ['!"me'] },
  { name: "a backslash at the end", text: '"me\\', want: ['!"me\\'] },
];

for (const { name, text, want } of LISTS) {
  Deno.test(`readAddressList() reads ${name}`, () => {
    const got = readAddressList(text, "home.test").map((entry) =>
      entry.ok ? entry.address : `!${entry.text}`
    );
    assert.deepEqual(got, want);
  });
}

Deno.test("readAddressList() is linear in what is open and never closed", () => {
  for (const open of ["(", '"', "<", "[", "a:", "\\", ",", "<(", '("']) {
    const from = performance.now();
    readAddressList(open.repeat(200_000), "home.test");
    const tookMs = performance.now() - from;
    assert.ok(tookMs < 2_000, `${open}: ${tookMs} ms`);
  }
});
