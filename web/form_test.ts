import assert from "node:assert/strict";
import { bodyOctets, MAX_FORM_OCTETS, readForm } from "./form.ts";

const octets = (text: string) => new TextEncoder().encode(text);

const GOOD: readonly [string, readonly (readonly [string, string])[]][] = [
  ["", []],
  ["a=1", [["a", "1"]]],
  ["a=1&b=2", [["a", "1"], ["b", "2"]]],
  ["a=", [["a", ""]]],
  ["a=b=c", [["a", "b=c"]]],
  ["a=%26+%3D", [["a", "& ="]]],
  ["a=%c3%a9%0D%0a", [["a", "é\r\n"]]],
  ["__proto__=1&constructor=2", [["__proto__", "1"], ["constructor", "2"]]],
  ["%61=1", [["a", "1"]]],
];

for (const [text, fields] of GOOD) {
  Deno.test(`readForm() reads ${text || "nothing"}`, () => {
    assert.deepEqual([...readForm(octets(text))!], fields);
  });
}

const BAD: readonly { name: string; text: string | Uint8Array }[] = [
  { name: "a name alone", text: "a" },
  { name: "an empty field", text: "a=1&&b=2" },
  { name: "an empty end", text: "a=1&" },
  { name: "no name", text: "=1" },
  { name: "one name twice", text: "a=1&a=2" },
  { name: "one name twice, in two spellings", text: "a=1&%61=2" },
  { name: "half an escape", text: "a=%" },
  { name: "half an escape", text: "a=%4" },
  { name: "no escape", text: "a=%zz" },
  { name: "half a character", text: "a=%c3" },
  { name: "a surrogate", text: "a=%ed%a0%80" },
  { name: "too long a way to write a slash", text: "a=%c0%af" },
  { name: "octets that are no text", text: new Uint8Array([97, 61, 255]) },
  { name: "a long name", text: `${"a".repeat(65)}=1` },
  { name: "a long value", text: `a=${"1".repeat(1_001)}` },
  {
    name: "many fields",
    text: Array.from({ length: 65 }, (_, i) => `f${i}=1`).join("&"),
  },
  { name: "many octets", text: new Uint8Array(MAX_FORM_OCTETS + 1) },
];

for (const { name, text } of BAD) {
  Deno.test(`readForm() refuses ${name}: ${String(text).slice(0, 20)}`, () => {
    const given = typeof text === "string" ? octets(text) : text;
    assert.equal(readForm(given), undefined);
  });
}

Deno.test("readForm() takes no longer for hostile octets", () => {
  const began = performance.now();
  for (let i = 0; i < 200; i++) {
    readForm(octets("%".repeat(MAX_FORM_OCTETS)));
    readForm(octets("&".repeat(MAX_FORM_OCTETS)));
    readForm(octets(`a=${"%41".repeat(2_700)}`));
  }
  assert.ok(performance.now() - began < 1_000);
});

Deno.test("bodyOctets() reads one octet more than a form may have", async () => {
  let pulled = 0;
  const endless = new ReadableStream<Uint8Array>({
    pull: (controller) => {
      pulled++;
      controller.enqueue(new Uint8Array(1_000));
    },
  });
  assert.equal((await bodyOctets(endless)).length, MAX_FORM_OCTETS + 1);
  assert.ok(pulled < 15, `${pulled}`);
});
