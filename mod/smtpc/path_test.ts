import assert from "node:assert/strict";
import { isInternational, isSendable } from "./path.ts";

const SENDABLE = [
  "",
  "me@home.test",
  "a+b@x.test",
  "o'brien@x.test",
  '"a b"@x.test',
  '"a>b"@x.test',
  String.raw`"a\"b"@x.test`,
  "me@[192.0.2.1]",
  "me@[ipv6:2001:db8::1]",
  "jürgen@x.test",
];
const NOT_SENDABLE = [
  "me",
  "@x.test",
  "me@",
  "a> NOTIFY=NEVER<b@x.test",
  "a>b@x.test",
  "a b@x.test",
  "a@b@x.test",
  "me@x.test> SIZE=1",
  "me@x>y",
  '"a"b"@x.test',
  String.raw`"a\"@x.test`,
  '"@x.test',
  "a\r\nRCPT TO:<b@x.test",
  "a\0@x.test",
];

for (const address of SENDABLE) {
  Deno.test(`isSendable() accepts ${JSON.stringify(address)}`, () => {
    assert.equal(isSendable(address), true);
  });
}
for (const address of NOT_SENDABLE) {
  Deno.test(`isSendable() rejects ${JSON.stringify(address)}`, () => {
    assert.equal(isSendable(address), false);
  });
}

Deno.test("isInternational() finds what is not ASCII", () => {
  assert.equal(isInternational("jürgen@x.test"), true);
  assert.equal(isInternational("j~@x.test"), false);
});
