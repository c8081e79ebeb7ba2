import assert from "node:assert/strict";
import { joinOctets } from "./octets.ts";

Deno.test("joinOctets() joins pieces in their order", () => {
  const pieces = [
    new Uint8Array([1, 2]),
    new Uint8Array(0),
    new Uint8Array([3]),
  ];
  assert.deepEqual(joinOctets(pieces), new Uint8Array([1, 2, 3]));
  assert.deepEqual(joinOctets([]), new Uint8Array(0));
});

Deno.test("joinOctets() gives a lone piece back as it is", () => {
  const piece = new Uint8Array([1]);
  assert.equal(joinOctets([piece]), piece);
});
