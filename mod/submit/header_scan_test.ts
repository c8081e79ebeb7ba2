import assert from "node:assert/strict";
import { HeaderScan, MAX_RECIPIENT_OCTETS } from "./header_scan.ts";

const MESSAGES: { name: string; text: string; want: string; hops?: number }[] =
  [
    {
      name: "To, Cc and Bcc, in their order by kind",
      text: "Bcc: c\nSubject: x\nCC : b\nto: a\n\nTo: d\n",
      want: "a, b, c",
    },
    {
      name: "several fields of one name",
      text: "To: a\nTo: b\n\n",
      want: "a, b",
    },
    { name: "folded fields", text: "To: a,\n\tb\n\n", want: "a, b" },
    {
      name: "folding of others' fields as theirs",
      text: "Subject: x\n to: a\nTo: b\n\n",
      want: "b",
    },
    {
      name: "the resending's fields alone",
      text: "Resent-To: r\nTo: a\n\n",
      want: "r",
    },
    { name: "CRLF", text: "To: a\r\n\r\nCc: b\r\n", want: "a\r" },
    {
      name: "no further than a line that is no field",
      text: "To: a\nhello\nCc: b\n",
      want: "a",
    },
    {
      name: "behind the first line of a mailbox file",
      text: "From me Sat Nov 21\nTo: a\n\n",
      want: "a",
    },
    { name: "no names that go on", text: "To2: a\nResent-Tox: b\n", want: "" },
    {
      name: "hops",
      text: "Received: a\nReceived: b\n\nReceived: c\n",
      want: "",
      hops: 2,
    },
  ];

for (const { name, text, want, hops = 0 } of MESSAGES) {
  Deno.test(`HeaderScan reads ${name}, wherever it is cut`, () => {
    const octets = new TextEncoder().encode(text);
    for (let cut = 0; cut <= octets.length; cut++) {
      const scan = new HeaderScan();
      scan.push(octets.subarray(0, cut));
      scan.push(octets.subarray(cut));
      const got = scan.recipients().split(", ").map((one) => one.trimStart())
        .join(", ").replace(/,(?=\S)/g, ", ");
      assert.equal(got.replace(/\s+/g, " ").trim(), want.trim(), `at ${cut}`);
      assert.equal(scan.hops, hops);
    }
  });
}

Deno.test("HeaderScan keeps no more than its bound", () => {
  const scan = new HeaderScan();
  scan.push(new TextEncoder().encode("To: "));
  const more = new Uint8Array(MAX_RECIPIENT_OCTETS).fill(0x61);
  scan.push(more);
  scan.push(more);
  assert.ok(scan.isTooLong);
  assert.ok(scan.recipients().length <= MAX_RECIPIENT_OCTETS);
});
