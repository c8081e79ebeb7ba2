import assert from "node:assert/strict";
import { HeaderWatch } from "./header_watch.ts";

const HEADER =
  "Subject: x\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n";

const WATCHED: { name: string; message: string; want: boolean }[] = [
  { name: "nothing", message: "", want: false },
  { name: "ASCII", message: `${HEADER}text\r\n`, want: false },
  { name: "a header", message: "Subject: \u00fc\r\n\r\n", want: true },
  { name: "a header without an end", message: "X: \u00fc", want: true },
  { name: "a text", message: `${HEADER}\u00fc\r\n\r\n\u00fc`, want: false },
  {
    name: "a text in a part",
    message: `${HEADER}--b\r\nA: b\r\n\r\n\u00fc\r\n--b--\r\n`,
    want: false,
  },
  {
    name: "a part's header",
    message: `${HEADER}--b\r\nA: \u00fc\r\n\r\ntext\r\n--b--\r\n`,
    want: true,
  },
  {
    name: "the second part's header",
    message: `${HEADER}--b\r\n\r\n\u00fc\r\n--b\r\nA: \u00fc\r\n\r\n`,
    want: true,
  },
  {
    name: "the header of a message in a part",
    message: `${HEADER}--b\r\nContent-Type: Message/RFC822\r\n\r\n` +
      "Subject: \u00fc\r\n\r\n",
    want: true,
  },
  {
    name: "the text of a message in a part",
    message: `${HEADER}--b\r\nContent-Type: mmessage/rfc822\r\n\r\n` +
      "Subject: u\r\n\r\n\u00fc\r\n",
    want: false,
  },
];

for (const { name, message, want } of WATCHED) {
  Deno.test(`HeaderWatch says ${want} of octets beyond ASCII in ${name}, wherever it is cut`, () => {
    const octets = new TextEncoder().encode(message);
    for (let cut = 0; cut <= octets.length; cut++) {
      const watch = new HeaderWatch();
      watch.push(octets.subarray(0, cut));
      watch.push(octets.subarray(cut));
      assert.equal(watch.isInternational, want, `cut at ${cut}`);
    }
  });
}
