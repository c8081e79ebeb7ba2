import assert from "node:assert/strict";
import * as words from "./words.ts";

Deno.test("plain() leaves nothing that is invisible or moves its neighbours", () => {
  const rows = [
    ["invoice\u202efdp.exe", "invoice\ufffdfdp.exe"],
    ["a\u2066b\u2069", "a\ufffdb\ufffd"],
    ["pay\u200bpal", "pay\ufffdpal"],
    ["so\u00adft", "so\ufffdft"],
    ["tag\u{e0041}", "tag\ufffd"],
    ["\x1b[31m\r\n", "\ufffd[31m\ufffd\ufffd"],
    ["Zo\u0361\u0362\u0363\u0364\u0365e", "Zo\u0361\u0362\u0363e"],
    ["Zoë שלום 日本", "Zoë שלום 日本"],
  ] as const;
  for (const [from, want] of rows) assert.equal(words.plain(from), want);
});

Deno.test("lookalike() knows names that pass for others", () => {
  const rows: readonly (readonly [string, RegExp])[] = [
    ["me@p\u0430ypal.test", /Latin and Cyrillic/],
    ["\u03bfffice@home.test", /Latin and Greek/],
    ["me@xn--pypal-4ve.test", /encoded/],
    ["me@home.test", /^$/],
    ["почта@пример.test", /^$/],
  ];
  for (const [text, want] of rows) assert.match(words.lookalike(text), want);
});

Deno.test("span(), since(), octets() and number() are short", () => {
  const rows = [
    [words.span(40), "40 ms"],
    [words.span(2_340), "2.3 s"],
    [words.span(200_000), "3 min 20 s"],
    [words.span(3_600_000), "1 h"],
    [words.span(90_000_000), "1 d 1 h"],
    [words.span(40 * 86_400_000), "40 d"],
    [words.span(315_600_000_000), "10.0 years"],
    [words.since(0, 190_000), "3 min ago"],
    [words.since(190_000, 0), "in 3 min"],
    [words.since(100, 0), "now"],
    [words.octets(930), "930 B"],
    [words.octets(4_300), "4.2 KiB"],
    [words.octets(2 ** 40), "1.0 TiB"],
    [words.number(1_234_567), "1\u202f234\u202f567"],
    [words.cut("abcdef", 4), "abc…"],
    [words.clock(NaN), "unknown"],
    [words.sentence("it holds"), "It holds."],
  ] as const;
  for (const [got, want] of rows) assert.equal(got, want);
});
