/** Messages rewritten into 7 bits, wherever they are cut. */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { SEVEN_BIT_CORPUS } from "./seven_bit_corpus.ts";
import { sevenBit } from "./seven_bit_fixture.ts";

for (const { name, message, want, has, refused } of SEVEN_BIT_CORPUS) {
  const verb = refused === undefined ? "converts" : "refuses";
  Deno.test(`SevenBitRewriter ${verb} ${name}`, () => {
    const octets = Buffer.from(message, "latin1");
    const got = sevenBit(octets);
    assert.equal(got.refused, refused);
    const text = Buffer.from(got.octets).toString("latin1");
    if (want !== undefined) assert.equal(text, want);
    for (const line of has ?? []) {
      assert.ok(text.split("\r\n").includes(line), `${line} in ${text}`);
    }
    if (refused !== undefined) return;
    assert.ok(got.octets.every((octet) => octet < 128));
    // A long line comes in pieces of 4,096.
    const first = octets.length > 2_000 ? 4_000 : 0;
    const last = Math.min(octets.length, first + 1_000);
    for (let cut = first; cut <= last; cut += first === 0 ? 1 : 7) {
      assert.deepEqual(sevenBit(octets, cut).octets, got.octets, `at ${cut}`);
    }
  });
}
