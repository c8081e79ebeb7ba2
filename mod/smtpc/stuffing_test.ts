import assert from "node:assert/strict";
import { Stuffer } from "./stuffing.ts";

const encode = (text: string) => Uint8Array.from(text, (c) => c.charCodeAt(0));
const decode = (bytes: Uint8Array) => String.fromCharCode(...bytes);

const ROWS: { name: string; content: string; wire?: string; fault?: string }[] =
  [
    { name: "an empty message", content: "", wire: ".\r\n" },
    { name: "a line", content: "a\r\n", wire: "a\r\n.\r\n" },
    { name: "a message without a last CRLF", content: "a", wire: "a\r\n.\r\n" },
    { name: "a lone dot", content: ".\r\n", wire: "..\r\n.\r\n" },
    { name: "a dot without an end", content: ".", wire: "..\r\n.\r\n" },
    {
      name: "many lone dots",
      content: ".\r\n".repeat(7),
      wire: "..\r\n".repeat(7) + ".\r\n",
    },
    {
      name: "dots elsewhere",
      content: "a.\r\n..b\r\n .\r\n",
      wire: "a.\r\n...b\r\n .\r\n.\r\n",
    },
    {
      name: "8-bit octets",
      content: "\xe9\xff\r\n",
      wire: "\xe9\xff\r\n.\r\n",
    },
    { name: "a bare LF", content: "a\n.\r\nb\r\n", fault: "bare LF" },
    { name: "a bare CR", content: "a\r.\r\n", fault: "bare CR" },
    { name: "CR CR LF", content: "a\r\r\n", fault: "bare CR" },
    { name: "a last CR", content: "a\r", fault: "bare CR" },
    { name: "a first LF", content: "\na", fault: "bare LF" },
    { name: "a NUL", content: "a\0\r\n", fault: "NUL" },
    { name: "the NUL of a smuggler", content: "\r\n.\0\r\n", fault: "NUL" },
  ];

for (const { name, content, wire, fault } of ROWS) {
  Deno.test(`Stuffer handles ${name}, wherever it is cut`, () => {
    const bytes = encode(content);
    for (let a = 0; a <= bytes.length; a++) {
      for (let b = a; b <= bytes.length; b++) {
        const stuffer = new Stuffer();
        const got = [bytes.slice(0, a), bytes.slice(a, b), bytes.slice(b)]
          .map((part) => decode(stuffer.push(part))).join("") +
          decode(stuffer.end());
        assert.equal(stuffer.fault, fault, `cut at ${a} and ${b}`);
        if (wire !== undefined) assert.equal(got, wire);
        assert.equal(stuffer.eightBit, content.includes("\xe9"));
      }
    }
  });
}

Deno.test("Stuffer never sends a second end of data, whatever the content", () => {
  const alphabet = [..."\r\n.a\0"];
  for (let n = 0; n < 5 ** 7; n++) {
    let content = "";
    for (let i = 0, rest = n; i < 7; i++, rest = Math.floor(rest / 5)) {
      content += alphabet[rest % 5];
    }
    const stuffer = new Stuffer();
    const wire = decode(stuffer.push(encode(content))) + decode(stuffer.end());
    if (stuffer.fault !== undefined) continue;
    const whole = "\r\n" + wire;
    assert.equal(
      whole.indexOf("\r\n.\r\n"),
      whole.length - 5,
      JSON.stringify(content),
    );
  }
});
