import assert from "node:assert/strict";
import { dataText, parseDs, readDs, readSoa } from "./rdata.ts";
import { record } from "./message_fixture.ts";
import { TYPE } from "./message.ts";

const ANCHOR =
  "20326 8 2 E06D44B80B8F1D39A95C0B0D7C65D08458E880409BBC683457104237C7F8EC8D";

Deno.test("parseDs() reads a DS with and without what stands before it", () => {
  for (
    const text of [ANCHOR, `. IN DS ${ANCHOR}`, `. 86400 IN DS  ${ANCHOR}`]
  ) {
    const ds = readDs(parseDs(text)!);
    assert.ok(ds?.tag === 20326 && ds.algorithm === 8 && ds.digestType === 2);
    assert.equal(ds.digest.length, 32);
  }
  assert.deepEqual(
    parseDs("1 2 3 AB CD"),
    Uint8Array.of(0, 1, 2, 3, 0xab, 0xcd),
  );
});

for (
  const text of ["", "20326", "1 2 3", "1 2 3 abc", "1 2 3 xy", "70000 8 2 ab"]
) {
  Deno.test(`parseDs() refuses ${JSON.stringify(text)}`, () => {
    assert.equal(parseDs(text), undefined);
  });
}

Deno.test("readSoa() finds the numbers that a cache needs", () => {
  const soa = record("d.example. 60 SOA ns.d.example. hm.d.example. 1 2 3 4 5");
  assert.deepEqual(readSoa(soa.data), { serial: 1, minimum: 5 });
  assert.equal(readSoa(soa.data.subarray(1)), undefined);
});

Deno.test("dataText() shows hostile text in printable ASCII", () => {
  const data = Uint8Array.of(5, 0, 10, 0x22, 0x5c, 0xff);
  const text = dataText({ name: "x", type: TYPE.TXT, ttl: 1, data });
  assert.equal(text, '"\\000\\010\\"\\\\\\255"');
  const bad = { name: "x", type: TYPE.MX, ttl: 1, data: Uint8Array.of(1) };
  assert.equal(dataText(bad), "\\# 1 01");
});
