import assert from "node:assert/strict";
import { asQueueId, asStored } from "./sought_word.ts";

for (
  const [written, stored] of [
    [" <Bob@home.test> ", "Bob@home.test"],
    ["eva@M\u00fcller.test", "eva@xn--mller-kva.test"],
    ["\u00fc@home.test", "\u00fc@home.test"],
    ["m\u00fcll", "m\u00fcll"],
    ["eva@", "eva@"],
    ["", ""],
  ] as const
) {
  Deno.test(`asStored() of ${JSON.stringify(written)}`, () => {
    assert.equal(asStored(written), stored);
  });
}

Deno.test("asQueueId() takes an id as logs and people write it", () => {
  assert.equal(asQueueId("<1m7zcnecaevf0fmf>"), "1M7ZCNECAEVF0FMF");
});
