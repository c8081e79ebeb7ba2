import { strictEqual } from "node:assert/strict";
import { suggest } from "./suggest.ts";

const KEYS = ["listen", "hop_limit", "max_sessions", "key", "mode"];
const WORDS: [word: string, want: string | undefined][] = [
  ["listne", "listen"],
  ["lisen", "listen"],
  ["LISTEN", "listen"],
  ["hop-limit", "hop_limit"],
  ["hoplimit", "hop_limit"],
  ["max_session", "max_sessions"],
  ["kye", "key"],
  ["kez", "key"],
  ["modus", undefined],
  ["frobnicate", undefined],
  ["x", undefined],
  ["", undefined],
  ["listen".repeat(1_000), undefined],
];

for (const [word, want] of WORDS) {
  Deno.test(`suggest() finds ${want} for ${word.slice(0, 20)}`, () => {
    strictEqual(suggest(word, KEYS), want);
  });
}
