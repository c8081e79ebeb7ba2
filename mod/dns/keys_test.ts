import assert from "node:assert/strict";
import { parseAnchor, ROOT_ANCHORS } from "./anchors.ts";
import { isDigestOf, isSignedBy, keyTag, readKey } from "./keys.ts";
import { record } from "./message_fixture.ts";
import { TYPE } from "./message.ts";
import { makeKey, makeRsaPair } from "./signer_fixture.ts";

/** As IANA publishes them. */
const ROOT_KEYS = [
  "AwEAAaz/tAm8yTn4Mfeh5eyI96WSVexTBAvkMgJzkKTOiW1vkIbzxeF3+/4RgWOq7HrxRixHlFlExOLAJr5emLvN7SWXgnLh4+B5xQlNVz8Og8kvArMtNROxVQuCaSnIDdD5LKyWbRd2n9WGe2R8PzgCmr3EgVLrjyBxWezF0jLHwVN8efS3rCj/EWgvIWgb9tarpVUDK/b58Da+sqqls3eNbuv7pr+eoZG+SrDK6nWeL3c6H5Apxz7LjVc1uTIdsIXxuOLYA4/ilBmSVIzuDWfdRUfhHdY6+cn8HFRm+2hM8AnXGXws9555KrUB5qihylGa8subX2Nn6UwNR1AkUTV74bU=",
  "AwEAAa96jeuknZlaeSrvyAJj6ZHv28hhOKkx3rLGXVaC6rXTsDc449/cidltpkyGwCJNnOAlFNKF2jBosZBU5eeHspaQWOmOElZsjICMQMC3aeHbGiShvZsx4wMYSjH8e7Vrhbu6irwCzVBApESjbUdpWWmEnhathWu1jo+siFUiRAAxm9qyJNg/wOZqqzL/dL/q8PkcRU5oUKEpUge71M3ej2/7CPqpdVwuMoTvoB+ZOT4YeGyxMvHmbrxlFzGOHOijtzN+u1TQNatX2XBuzZNQ1K+s2CXkPIZo7s6JgZyvaBevYtxPvYLw4z9mR7K2vaF18UYH9Z9GNUUeayffKC73PYc=",
];

ROOT_KEYS.forEach((text, i) => {
  Deno.test(`ROOT_ANCHORS has the root's key ${i}`, () => {
    const key = readKey(record(`. 1 DNSKEY 257 3 8 ${text}`))!;
    const { ds } = ROOT_ANCHORS[i]!;
    assert.equal(key.tag, ds.tag);
    assert.ok(isDigestOf(ds, { zone: "", key }));
    assert.ok(!isDigestOf(ds, { zone: "test", key }));
  });
});

const ANCHORS: { text: string; want: string | undefined }[] = [
  { text: "20326 8 2 E06D44", want: " 20326" },
  { text: ". IN DS 20326 8 2 e06d 44", want: " 20326" },
  { text: "Home.Test. 3600 IN DS 1 13 4 00ff", want: "home.test 1" },
  { text: "home.test DS 1 13 4 00ff", want: "home.test 1" },
  { text: "", want: undefined },
  { text: ". IN DS 20326 8 2", want: undefined },
  { text: ". IN DS 99999 8 2 00", want: undefined },
  { text: ". IN DNSKEY 257 3 8 AwEA", want: undefined },
];

for (const { text, want } of ANCHORS) {
  Deno.test(`parseAnchor() reads "${text}"`, () => {
    const anchor = parseAnchor(text);
    assert.equal(anchor && `${anchor.zone} ${anchor.ds.tag}`, want);
  });
}

function keyRecord(data: Uint8Array) {
  return { name: "test", type: TYPE.DNSKEY, ttl: 1, data };
}

for (const algorithm of [5, 7, 8, 10, 13, 14, 15, 16]) {
  Deno.test(`isSignedBy() knows algorithm ${algorithm}, and what is none`, () => {
    const maker = makeKey(algorithm);
    const key = readKey(keyRecord(maker.data))!;
    const data = new TextEncoder().encode("signed");
    const signature = maker.sign(data);
    assert.ok(isSignedBy(key, { data, signature }));
    const lies = [
      { data: data.with(0, 1), signature },
      { data, signature: signature.with(9, signature[9]! ^ 1) },
      { data, signature: signature.subarray(1) },
      { data, signature: Uint8Array.of(...signature, 0) },
      { data, signature: new Uint8Array(signature.length) },
      { data, signature: new Uint8Array(0) },
    ];
    for (const lie of lies) assert.ok(!isSignedBy(key, lie));
  });
}

const NO_KEYS: { name: string; data: Uint8Array }[] = [
  { name: "nothing", data: new Uint8Array(0) },
  { name: "no zone key", data: makeKey(13, { flags: 1 }).data },
  { name: "revoked", data: makeKey(13, { flags: 257 | 128 }).data },
  { name: "another protocol", data: makeKey(13, { protocol: 4 }).data },
  { name: "an unknown algorithm", data: makeKey(200).data },
];

for (const { name, data } of NO_KEYS) {
  Deno.test(`readKey() takes no key that is: ${name}`, () => {
    assert.equal(readKey(keyRecord(data)), undefined);
  });
}

const UNUSABLE: { name: string; line: string }[] = [
  {
    name: "a point that is not on the curve",
    line: `13 ${"AAAA".repeat(21)}AA==`,
  },
  { name: "half a point", line: "13 AAAA" },
  { name: "RSA without a modulus", line: "8 AwEAAQ==" },
  { name: "RSA of 64 bits", line: "8 AwEAAf////////8=" },
  { name: "RSA whose exponent is longer than the key", line: "8 /////w==" },
  { name: "an Ed25519 key of 31 octets", line: `15 ${"A".repeat(40)}AA==` },
];

for (const { name, line } of UNUSABLE) {
  Deno.test(`readKey() knows that nothing verifies with ${name}`, () => {
    const key = readKey(record(`test. 1 DNSKEY 257 3 ${line}`));
    assert.equal(key?.object, undefined);
  });
}

Deno.test("readKey() has bounds for the size of RSA keys", () => {
  const sized = (bits: number) =>
    readKey(keyRecord(makeKey(8, { pair: makeRsaPair(bits) }).data))?.object;
  assert.ok(sized(1_024));
  assert.equal(sized(1_016), undefined);
});

Deno.test("keyTag() wraps as RFC 4034 appendix B says", () => {
  assert.equal(keyTag(Uint8Array.of(0xff, 0xff, 0xff, 0xff)), 0xffff);
  assert.equal(keyTag(Uint8Array.of(1, 1, 3, 13, 1)), 0x050e);
});
