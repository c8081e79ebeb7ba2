import assert from "node:assert/strict";
import { trustAnchor } from "./trust_anchor.ts";

const READ: { text: string; want: string | undefined }[] = [
  { text: ". DS 20326 8 2 E06D", want: ". DS 20326 8 2 e06d" },
  { text: ". IN DS 20326 8 2 E0 6D", want: ". DS 20326 8 2 e06d" },
  { text: "Test. 3600 IN DS 1 13 2 ab", want: "test DS 1 13 2 ab" },
  { text: "a.test DS 1 13 2 ab", want: "a.test DS 1 13 2 ab" },
  { text: "DS 1 13 2 ab", want: undefined },
  { text: "20326 8 2 E06D", want: undefined },
  { text: ". DS 70000 8 2 E06D", want: undefined },
  { text: ". DS 1 256 2 E06D", want: undefined },
  { text: ". DS 1 8 2", want: undefined },
  { text: ". DS 1 8 2 E06", want: undefined },
  { text: ". DS 1 8 2 xy", want: undefined },
  { text: "a..b DS 1 8 2 ab", want: undefined },
  { text: `. DS 1 8 2 ${"ab".repeat(257)}`, want: undefined },
];

for (const { text, want } of READ) {
  Deno.test(`trustAnchor() reads ${text.slice(0, 40)} as ${want}`, () => {
    assert.equal(trustAnchor(text), want);
  });
}
