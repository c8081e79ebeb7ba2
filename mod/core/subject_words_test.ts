import assert from "node:assert/strict";
import { wordsOf } from "./subject_words.ts";

const ROWS = [
  { name: "nothing", text: "", words: [] },
  {
    name: "plain",
    text: "Re: Your Invoice #2026-17",
    words: ["re", "your", "invoice", "2026", "17"],
  },
  { name: "each once", text: "a A a", words: ["a"] },
  {
    name: "umlauts",
    text: "GRÜSSE aus Köln",
    words: ["grüsse", "aus", "köln"],
  },
  { name: "decomposed is the same", text: "Ko\u0308ln", words: ["köln"] },
  { name: "full width is the same", text: "ＡＢＣ", words: ["abc"] },
  { name: "other scripts", text: "Счёт № 5", words: ["счёт", "no", "5"] },
  { name: "no words", text: "--- !!! ***", words: [] },
  {
    name: "controls part words",
    text: "a\u0000b\u001b[31mc",
    words: ["a", "b", "31mc"],
  },
  { name: "long words are cut", text: "x".repeat(99), words: ["x".repeat(40)] },
  { name: "half a surrogate is no word", text: "\ud800a", words: ["a"] },
];

for (const { name, text, words } of ROWS) {
  Deno.test(`wordsOf() reads words: ${name}`, () => {
    assert.deepEqual(wordsOf(text), words);
  });
}

Deno.test("wordsOf() gives no more than sixteen words, however long the text", () => {
  const text = Array.from({ length: 100_000 }, (_, n) => `w${n}`).join(" ");
  assert.equal(wordsOf(text).length, 16);
  assert.ok(wordsOf("ä ".repeat(50_000)).length === 1);
});
