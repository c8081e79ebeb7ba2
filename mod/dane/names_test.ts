import assert from "node:assert/strict";
import { issue, type Wish } from "./certificate_fixture.ts";
import { fittingName, isNamed } from "./names.ts";
import { certificateOf } from "./x509.ts";

// RFC 7672 §3.2.3, and `.name` as in Postfix's lists of names.
const PAIRS: { presented: string; reference: string; want: boolean }[] = [
  { presented: "mx.r.test", reference: "mx.r.test", want: true },
  { presented: "MX.R.test.", reference: "mx.r.test", want: true },
  { presented: "mx.r.test", reference: "mx2.r.test", want: false },
  { presented: "*.r.test", reference: "mx.r.test", want: true },
  { presented: "*.r.test", reference: "a.mx.r.test", want: false },
  { presented: "*.r.test", reference: "r.test", want: false },
  { presented: "mx*.r.test", reference: "mx1.r.test", want: false },
  { presented: "*mx.r.test", reference: "amx.r.test", want: false },
  { presented: "mx.*.test", reference: "mx.r.test", want: false },
  { presented: "*.test", reference: "r.test", want: false },
  { presented: "*", reference: "test", want: false },
  { presented: "mx.r.test", reference: ".r.test", want: true },
  { presented: "a.mx.r.test", reference: ".r.test", want: true },
  { presented: "r.test", reference: ".r.test", want: false },
  { presented: "evilr.test", reference: ".r.test", want: false },
  { presented: ".r.test", reference: ".r.test", want: false },
  { presented: "*.r.test", reference: ".r.test", want: true },
  { presented: "*.mx.r.test", reference: ".r.test", want: true },
  { presented: "*.evilr.test", reference: ".r.test", want: false },
  { presented: "*.test", reference: ".r.test", want: false },
];

for (const { presented, reference, want } of PAIRS) {
  Deno.test(`isNamed() says ${want} of ${presented} to ${reference}`, () => {
    assert.equal(isNamed(presented, reference), want);
  });
}

const CERTIFICATES: {
  name: string;
  wish: Wish;
  references: string[];
  withoutCommonName?: boolean;
  want: string | undefined;
}[] = [
  {
    name: "a dNSName",
    wish: { names: ["a.test", "mx.r.test"] },
    references: ["r.test", "mx.r.test"],
    want: "mx.r.test",
  },
  {
    name: "no common name beside dNSNames",
    wish: { subject: "mx.r.test", names: ["a.test"] },
    references: ["mx.r.test"],
    want: undefined,
  },
  {
    name: "the common name where there is no dNSName",
    wish: { subject: "mx.r.test" },
    references: ["mx.r.test"],
    want: "mx.r.test",
  },
  {
    name: "no common name for MTA-STS, RFC 8461 §4.2",
    wish: { subject: "mx.r.test" },
    references: ["mx.r.test"],
    withoutCommonName: true,
    want: undefined,
  },
  {
    name: "no name with a NUL in it",
    wish: { names: ["mx.r.test\0.evil.test", "mx.r.test\0"] },
    references: ["mx.r.test"],
    want: undefined,
  },
  {
    name: "no common name with a NUL in it",
    wish: { subject: "mx.r.test\0.evil.test" },
    references: ["mx.r.test"],
    want: undefined,
  },
  {
    name: "an IPv4 address",
    wish: { addresses: [[192, 0, 2, 1]] },
    references: ["192.0.2.1"],
    want: "192.0.2.1",
  },
  {
    name: "an IPv6 address, however it is written",
    wish: {
      addresses: [[0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]],
    },
    references: ["2001:DB8:0:0::1"],
    want: "2001:DB8:0:0::1",
  },
  {
    name: "no address in a dNSName",
    wish: { addresses: [[192, 0, 2, 2]] },
    references: ["192.0.2.1", "mx.r.test"],
    want: undefined,
  },
  {
    name: "nobody's",
    wish: {},
    references: [""],
    want: undefined,
  },
];

for (const row of CERTIFICATES) {
  Deno.test(`fittingName() takes ${row.name}`, () => {
    const certificate = certificateOf(issue(row.wish).der);
    assert.ok(certificate !== undefined);
    const rules = { mayCommonName: row.withoutCommonName !== true };
    assert.equal(fittingName(certificate, row.references, rules), row.want);
  });
}
