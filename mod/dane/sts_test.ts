import assert from "node:assert/strict";
import {
  announcedId,
  matchesPolicy,
  MAX_POLICY_FILE,
  type PolicyFile,
  readPolicyFile,
} from "./sts.ts";

// RFC 8461 §3.1.
const RECORDS: { name: string; texts: string[]; want: string | undefined }[] = [
  {
    name: "a record",
    texts: ["v=STSv1; id=20160831085700Z;"],
    want: "20160831085700Z",
  },
  { name: "no last semicolon", texts: ["v=STSv1; id=1"], want: "1" },
  { name: "no blanks", texts: ["v=STSv1;id=a1;"], want: "a1" },
  { name: "blanks", texts: ["v=STSv1 ;  id = a1 ;"], want: "a1" },
  {
    name: "others' records beside it",
    texts: ["v=spf1 -all", "v=STSv1; id=1;"],
    want: "1",
  },
  { name: "extensions", texts: ["v=STSv1; id=1; x=y; z"], want: "1" },
  {
    name: "two records",
    texts: ["v=STSv1; id=1;", "v=STSv1; id=2;"],
    want: undefined,
  },
  { name: "another version", texts: ["v=STSv2; id=1;"], want: undefined },
  { name: "a longer version", texts: ["v=STSv10; id=1;"], want: undefined },
  { name: "the version not first", texts: ["id=1; v=STSv1;"], want: undefined },
  { name: "no id", texts: ["v=STSv1;"], want: undefined },
  { name: "an empty id", texts: ["v=STSv1; id=;"], want: undefined },
  { name: "an id that is none", texts: ["v=STSv1; id=a-b;"], want: undefined },
  {
    name: "an id of 33 digits",
    texts: [`v=STSv1; id=${"1".repeat(33)};`],
    want: undefined,
  },
  { name: "no records", texts: [], want: undefined },
];

for (const { name, texts, want } of RECORDS) {
  Deno.test(`announcedId() reads ${name}`, () => {
    assert.equal(announcedId(texts), want);
  });
}

const GOOD: PolicyFile = {
  mode: "enforce",
  mx: ["mail.r.test", "*.r.test"],
  maxAge: 604_800,
};

// RFC 8461 §3.2.
const FILES: { name: string; text: string; want: PolicyFile | string }[] = [
  {
    name: "lines that end with CRLF",
    text: "version: STSv1\r\nmode: enforce\r\nmx: mail.r.test\r\n" +
      "mx: *.r.test\r\nmax_age: 604800\r\n",
    want: GOOD,
  },
  {
    name: "lines that end with LF, in any order, without blanks",
    text:
      "mx:Mail.R.test\nmax_age:604800\nmode:enforce\nmx:*.r.test\nversion:STSv1",
    want: GOOD,
  },
  {
    name: "keys that nobody knows",
    text: "version: STSv1\nmode: testing\nmx: a.test\nmax_age: 1\nx-y: z:z\n",
    want: { mode: "testing", mx: ["a.test"], maxAge: 1 },
  },
  {
    name: "a key that stands twice: the first",
    text:
      "version: STSv1\nmode: testing\nmode: enforce\nmx: a.test\nmax_age: 1\n",
    want: { mode: "testing", mx: ["a.test"], maxAge: 1 },
  },
  {
    name: "a policy that is none and names nobody",
    text: "version: STSv1\nmode: none\nmax_age: 86400\n",
    want: { mode: "none", mx: [], maxAge: 86_400 },
  },
  {
    name: "a max_age over a year as a year",
    text: "version: STSv1\nmode: none\nmax_age: 4000000000\n",
    want: { mode: "none", mx: [], maxAge: 31_557_600 },
  },
  { name: "nothing", text: "", want: "no version: STSv1" },
  {
    name: "another version",
    text: "version: STSv2\nmode: none\nmax_age: 1\n",
    want: "no version: STSv1",
  },
  {
    name: "a mode that nobody knows",
    text: "version: STSv1\nmode: Enforce\nmx: a.test\nmax_age: 1\n",
    want: "no mode that is known",
  },
  {
    name: "no max_age",
    text: "version: STSv1\nmode: none\n",
    want: "no max_age",
  },
  {
    name: "a negative max_age",
    text: "version: STSv1\nmode: none\nmax_age: -1\n",
    want: "no max_age",
  },
  {
    name: "enforce without a host",
    text: "version: STSv1\nmode: enforce\nmax_age: 1\n",
    want: "no mx line",
  },
  {
    name: "a host that is none",
    text: "version: STSv1\nmode: enforce\nmx: a*.test\nmax_age: 1\n",
    want: "an mx line is no host name",
  },
  {
    name: "an empty host",
    text: "version: STSv1\nmode: enforce\nmx:\nmax_age: 1\n",
    want: "an mx line is no host name",
  },
  {
    name: "a web page",
    text: "<!doctype html>\n<title>No</title>\n",
    want: "a line is not key: value",
  },
  {
    name: "too many hosts",
    text: "version: STSv1\nmode: enforce\nmax_age: 1\n" +
      "mx: a.test\n".repeat(101),
    want: "too many mx lines",
  },
  {
    name: "a file that is too large",
    text: "x: y\n".repeat(20_000),
    want: "the file is too large",
  },
];

for (const { name, text, want } of FILES) {
  Deno.test(`readPolicyFile() reads ${name}`, () => {
    const read = readPolicyFile(new TextEncoder().encode(text));
    assert.deepEqual("why" in read ? read.why : read, want);
  });
}

Deno.test("readPolicyFile() is quick with the worst of files", () => {
  for (const piece of ["\n", ":", " ", "mx: ", "a:b\n", "\xff"]) {
    const text = piece.repeat(MAX_POLICY_FILE);
    const octets = new TextEncoder().encode(text).subarray(0, MAX_POLICY_FILE);
    const from = performance.now();
    readPolicyFile(octets);
    assert.ok(performance.now() - from < 1_000);
  }
});

// RFC 8461 §4.1.
const MATCHES: { host: string; pattern: string; want: boolean }[] = [
  { host: "mx.r.test", pattern: "mx.r.test", want: true },
  { host: "MX.r.test.", pattern: "mx.R.test", want: true },
  { host: "mx.r.test", pattern: "*.r.test", want: true },
  { host: "a.mx.r.test", pattern: "*.r.test", want: false },
  { host: "r.test", pattern: "*.r.test", want: false },
  { host: "mx.r.test", pattern: "r.test", want: false },
  { host: "evilmx.r.test", pattern: "mx.r.test", want: false },
  { host: "mxr.test", pattern: "*.r.test", want: false },
  { host: "test", pattern: "*.test", want: false },
];

for (const { host, pattern, want } of MATCHES) {
  Deno.test(`matchesPolicy() says ${want} of ${host} to ${pattern}`, () => {
    assert.equal(matchesPolicy(host, { mx: ["other.test", pattern] }), want);
  });
}
