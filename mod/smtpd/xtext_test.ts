import { leastMs } from "../core/least_time.ts";
import assert from "node:assert/strict";
import { octetText } from "../core/international.ts";
import { readOriginalRecipient, readXtext } from "./xtext.ts";

// RFC 3461 §4: `+` and two digits of hexadecimal for what is no xchar.
const XTEXTS: { text: string; want: string | undefined }[] = [
  { text: "QQ314159", want: "QQ314159" },
  { text: "a+2Bb", want: "a+b" },
  { text: "a+2bb", want: "a+b" },
  { text: "a+3Db", want: "a=b" },
  { text: "a+20b", want: "a b" },
  { text: "+2B2B", want: "+2B" },
  { text: "<>", want: "<>" },
  ...["", "+", "a+2", "a+2G", "+0Ax", "+0Dx", "+00", "+7F", "+80", "a+09b"]
    .map((text) => ({ text, want: undefined })),
];

for (const { text, want } of XTEXTS) {
  Deno.test(`readXtext() reads ${JSON.stringify(text)} as ${want}`, () => {
    assert.equal(readXtext(text), want);
  });
}

// RFC 3461 §4.2, RFC 6533 §3.
const RECIPIENTS: { text: string; want: string | undefined }[] = [
  { text: "rfc822;bob@a.test", want: "rfc822;bob@a.test" },
  { text: "RFC822;Bob+2Bx@a.test", want: "rfc822;Bob+x@a.test" },
  { text: "x-unix;bob", want: "x-unix;bob" },
  { text: "utf-8;bob@a.test", want: "utf-8;bob@a.test" },
  {
    text: "utf-8;\\x{D1}\\x{e9}\\x{1F600}@a.test",
    want: "utf-8;Ñé\u{1f600}@a.test",
  },
  { text: "utf-8;a\\x{2B}2Bb@a.test", want: "utf-8;a+2Bb@a.test" },
  { text: "utf-8;a\\x{5C}x{41}", want: "utf-8;a\\x{41}" },
  { text: "utf-8;+C3+BC@a.test", want: "utf-8;ü@a.test" },
  { text: octetText("utf-8;ü@a.test"), want: "utf-8;ü@a.test" },
  ...[
    "",
    ";",
    "rfc822",
    "rfc822;",
    ";a@b",
    "rfc 822;a@b",
    "rfc822;x+0Ainjected",
    "rfc822;x+0D",
    "rfc822;+C3+BC",
    octetText("rfc822;ü@a.test"),
    "utf-8;",
    "utf-8;\\x{0A}",
    "utf-8;\\x{D}",
    "utf-8;\\x{0D}\\x{0A}",
    "utf-8;\\x{00}",
    "utf-8;\\x{D800}",
    "utf-8;\\x{110000}",
    "utf-8;\\x{202E}",
    "utf-8;\\x{FEFF}",
    "utf-8;\\x{41",
    "utf-8;\\x41",
    "utf-8;\\",
    "utf-8;\xc0\x8a",
    "utf-8;\xed\xa0\x80",
    "utf-8;\xff",
    "utf-8;+0A",
    "utf-8;+C0+8A",
  ].map((text) => ({ text, want: undefined })),
];

for (const { text, want } of RECIPIENTS) {
  Deno.test(`readOriginalRecipient() reads ${JSON.stringify(text)} as ${want}`, () => {
    assert.equal(readOriginalRecipient(text), want);
  });
}

Deno.test("readOriginalRecipient() takes linear time on bait", () => {
  for (const bait of ["+", "+41", "\\", "\\x{41}", "\\x{", ";", "\xc3", "a"]) {
    for (const type of ["rfc822;", "utf-8;"]) {
      const text = type + bait.repeat(100_000 / bait.length);
      const tookMs = leastMs(() => readOriginalRecipient(text), 50);
      assert.ok(tookMs < 50, type + bait);
    }
  }
});
