import assert from "node:assert/strict";
import {
  aLabels,
  isAscii,
  octetText,
  seenText,
  utf8Length,
} from "./international.ts";

const TEXTS: { name: string; octets: string; want: string | undefined }[] = [
  { name: "ASCII", octets: "a b", want: "a b" },
  { name: "two octets", octets: "\xc3\xbc", want: "ü" },
  { name: "four octets", octets: "\xf0\x9f\x98\x80", want: "\u{1f600}" },
  { name: "what is not NFC", octets: "u\xcc\x88", want: "u\u0308" },
  ...[
    ["an overlong slash", "\xc0\xaf"],
    ["an overlong NUL", "\xc0\x80"],
    ["an overlong three", "\xe0\x80\xaf"],
    ["a surrogate", "\xed\xa0\x80"],
    ["a surrogate pair", "\xed\xa0\xbd\xed\xb8\x80"],
    ["beyond Unicode", "\xf4\x90\x80\x80"],
    ["a cut sequence", "a\xc3"],
    ["a lone continuation", "\x80a"],
    ["Latin-1", "\xfcber"],
    ["U+FFFD itself", "\xef\xbf\xbd"],
    ["a control character", "a\n"],
    ["NEL", "\xc2\x85"],
    ["a direction mark", "a\xe2\x80\xae"],
    ["an isolate", "a\xe2\x81\xa6"],
    ["zero width space", "a\xe2\x80\x8bb"],
    ["a joiner", "a\xe2\x80\x8db"],
    ["a byte order mark", "\xef\xbb\xbfa"],
    ["a soft hyphen", "a\xc2\xadb"],
    ["no-break space", "a\xc2\xa0b"],
    ["a line separator", "a\xe2\x80\xa8b"],
    ["a filler", "\xe3\x85\xa4"],
    ["a variation selector", "a\xef\xb8\x8f"],
    ["a tag", "a\xf3\xa0\x81\x81"],
    ["private use", "\xee\x80\x80"],
    ["a noncharacter", "\xef\xbf\xbe"],
  ].map(([name, octets]) => ({
    name: name!,
    octets: octets!,
    want: undefined,
  })),
];

for (const { name, octets, want } of TEXTS) {
  Deno.test(`seenText() ${want === undefined ? "refuses" : "reads"} ${name}`, () => {
    assert.equal(seenText(octets), want);
  });
}

const DOMAINS: { name: string; text: string; want: string | undefined }[] = [
  { name: "a U-label", text: "bücher.test", want: "xn--bcher-kva.test" },
  { name: "upper case", text: "BÜCHER.TEST", want: "xn--bcher-kva.test" },
  { name: "NFD", text: "bu\u0308cher.test", want: "xn--bcher-kva.test" },
  {
    name: "an A-label",
    text: "XN--Bcher-kva.test",
    want: "xn--bcher-kva.test",
  },
  { name: "sharp s as IDNA 2008", text: "faß.de", want: "xn--fa-hia.de" },
  { name: "a fake A-label", text: "xn--zzzzzz.test", want: undefined },
  { name: "an A-label of ASCII", text: "xn--abc-.test", want: undefined },
  { name: "an empty A-label", text: "xn--.test", want: undefined },
  { name: "mixed directions", text: "א1a.test", want: undefined },
  { name: "a joiner alone", text: "\u200d.test", want: undefined },
];

for (const { name, text, want } of DOMAINS) {
  Deno.test(`aLabels() reads ${name} as ${want}`, () => {
    assert.equal(aLabels(octetText(text)), want);
  });
}

Deno.test("utf8Length() and octetText() count octets", () => {
  for (const text of ["", "abc", "ü", "\u{1f600}", "aü€"]) {
    const { length } = new TextEncoder().encode(text);
    assert.equal(utf8Length(text), length);
    assert.equal(octetText(text).length, length);
    assert.equal(isAscii(text), length === text.length);
  }
});
