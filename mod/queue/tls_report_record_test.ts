import assert from "node:assert/strict";
import { readWish } from "./tls_report_record.ts";

const V = "v=TLSRPTv1; ";

// RFC 8460 §3.
const RECORDS: { name: string; texts: string[]; want: string }[] = [
  { name: "nothing", texts: [], want: "none" },
  {
    name: "one address",
    texts: [`${V}rua=mailto:tls@remote.test`],
    want: "tls@remote.test",
  },
  {
    name: "no blanks, and an end",
    texts: ["v=TLSRPTv1;rua=mailto:tls@remote.test;"],
    want: "tls@remote.test",
  },
  {
    name: "an address and a page",
    texts: [`${V}rua=mailto:a@x.test , https://x.test/tls`],
    want: "a@x.test +1",
  },
  {
    name: "pages alone",
    texts: [`${V}rua=https://x.test/tls`],
    want: " +1",
  },
  {
    name: "another's record beside ours",
    texts: ["v=spf1 -all", `${V}rua=mailto:a@x.test`],
    want: "a@x.test",
  },
  {
    name: "two of ours",
    texts: [`${V}rua=mailto:a@x.test`, `${V}rua=mailto:b@x.test`],
    want: "none",
  },
  {
    name: "another version",
    texts: ["v=TLSRPTv2; rua=mailto:a@x.test"],
    want: "none",
  },
  {
    name: "a version that is not first",
    texts: ["rua=mailto:a@x.test; v=TLSRPTv1"],
    want: "none",
  },
  { name: "no rua", texts: [`${V}ruf=mailto:a@x.test`], want: "none" },
  {
    name: "an extension before it",
    texts: [`${V}x=y; rua=mailto:a@x.test`],
    want: "a@x.test",
  },
  {
    name: "octets in percents, and a subject",
    texts: [`${V}rua=MAILTO:a%21b@X.test?subject=x`],
    want: "a!b@x.test",
  },
  {
    name: "a line's end in percents",
    texts: [`${V}rua=mailto:a%0d%0aBcc:b@x.test`],
    want: " +1",
  },
  { name: "half a percent", texts: [`${V}rua=mailto:a%2@x.test`], want: " +1" },
  { name: "no domain", texts: [`${V}rua=mailto:a`], want: " +1" },
  {
    name: "an address beyond ASCII",
    texts: [`${V}rua=mailto:j\u00f6rg@x.test`],
    want: " +1",
  },
  {
    name: "the same twice",
    texts: [`${V}rua=mailto:a@x.test,mailto:a@x.test`],
    want: "a@x.test",
  },
];

for (const { name, texts, want } of RECORDS) {
  Deno.test(`readWish() reads ${name}`, () => {
    const wish = readWish(texts);
    const got = wish.kind === "none"
      ? "none"
      : wish.mailto.join(" ") + (wish.others > 0 ? ` +${wish.others}` : "");
    assert.equal(got, want);
  });
}

Deno.test("readWish() takes no more than ten addresses, in one pass", () => {
  const many = Array.from({ length: 50_000 }, (_, n) => `mailto:a${n}@x.test`);
  const began = performance.now();
  const wish = readWish([`${V}rua=${many.join(",")}`]);
  assert.ok(performance.now() - began < 500);
  assert.ok(wish.kind === "wanted");
  assert.equal(wish.mailto.length, 10);
});
