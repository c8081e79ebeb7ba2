import assert from "node:assert/strict";
import { Chunker } from "./chunking.ts";

const decoder = new TextDecoder();
const octets = new TextEncoder().encode("\r\n.\n\0\r\r\n");

Deno.test("Chunker leaves every octet as it is, behind a BDAT that counts them", () => {
  const chunker = new Chunker();
  const pushed = [octets.subarray(0, 3), octets.subarray(3)]
    .map((one) => decoder.decode(chunker.push(one))).join("");
  assert.equal(pushed, decoder.decode(octets));
  assert.equal(chunker.end().length, 0);
  assert.equal(decoder.decode(chunker.before), "BDAT 8 LAST\r\n");
  assert.equal(chunker.fault, undefined);
});

Deno.test("Chunker finds a second reading of another size", () => {
  for (
    const [length, want] of [
      [7, "another size"],
      [8, undefined],
      [9, "another size"],
    ] as const
  ) {
    const first = new Chunker();
    first.push(octets);
    first.end();
    const second = first.again();
    second.push(new Uint8Array(length));
    second.end();
    assert.equal(second.fault, want);
  }
});
