import assert from "node:assert/strict";
import { plainWords } from "./jail.ts";

const CASES: readonly [errors: string, want: string][] = [
  ["Cannot use /q: it is full.", "Cannot use /q: it is full."],
  [
    "error: Uncaught (in promise) Error: EACCES: permission denied, open '/q/keys'\n" +
    "    at Object.openSync (ext:deno_node/fs.ts:1:20763)\n" +
    "    at new Fe (file:///inspect.mjs:5:403)\n",
    "/q/keys may not be used by the role whose it should be: look at its owner " +
    "and mode, and those of the directories above",
  ],
  [
    "error: Uncaught (in promise) RangeError: Cannot copy: x is no name\n" +
    "    at a (file:///a.mjs:1:1)",
    "Cannot copy: x is no name",
  ],
];

for (const [errors, want] of CASES) {
  Deno.test(`plainWords() says ${want.slice(0, 30)} without places in the code`, () => {
    assert.equal(plainWords(errors), want);
  });
}
