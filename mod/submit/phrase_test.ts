import assert from "node:assert/strict";
import { phraseOf } from "./phrase.ts";

const NAMES: { name: string; text: string; want: string }[] = [
  { name: "quotes a name", text: "Cron Daemon", want: '"Cron Daemon"' },
  { name: "escapes quotes", text: 'a "b\\', want: '"a \\"b\\\\"' },
  { name: "leaves nothing of blanks", text: " \t", want: "" },
  {
    name: "makes line ends blanks",
    text: "a\r\nBcc: x",
    want: '"a  Bcc: x"',
  },
  { name: "encodes what is not ASCII", text: "é", want: "=?utf-8?B?w6k=?=" },
];

for (const { name, text, want } of NAMES) {
  Deno.test(`phraseOf() ${name}`, () => assert.equal(phraseOf(text), want));
}

Deno.test("phraseOf() cuts a long name between characters, below 76 octets", () => {
  const lines = phraseOf("é".repeat(200)).split("\r\n ");
  for (const line of lines) assert.ok(line.length <= 75, line);
  const decoded = lines.map((line) =>
    new TextDecoder("utf-8", { fatal: true }).decode(
      Uint8Array.fromBase64(line.slice(10, -2)),
    )
  );
  assert.equal(decoded.join(""), "é".repeat(200));
});
