import assert from "node:assert/strict";
import { readReplies, readSession } from "./reference_reader.ts";

const READY = "220 x\r\n250 x\r\n250 x\r\n250 x\r\n";
const ENVELOPE = "EHLO x\r\nMAIL FROM:<>\r\nRCPT TO:<a@b>\r\n";

// What a server with a hole would show: the reader must see each.
const HOLES: { name: string; sent: string; said: string; fault: RegExp }[] = [
  {
    name: "two acknowledgements of one message",
    sent: ENVELOPE + "DATA\r\na\n.\r\nMAIL FROM:<>\r\n.\r\n",
    said: READY + "354 x\r\n250 x\r\n250 x\r\n",
    fault: /bare line ends|replies to nothing/,
  },
  {
    name: "a message with a bare LF taken",
    sent: ENVELOPE + "DATA\r\na\nb\r\n.\r\n",
    said: READY + "354 x\r\n250 x\r\n",
    fault: /took a message with bare line ends/,
  },
  {
    name: "chunks with a bare CR taken",
    sent: ENVELOPE + "BDAT 3 LAST\r\na\rb",
    said: READY + "250 x\r\n",
    fault: /took chunks with bare line ends/,
  },
  {
    name: "chunks for nobody taken",
    sent: "EHLO x\r\nBDAT 3 LAST\r\nabc",
    said: "220 x\r\n250 x\r\n250 x\r\n",
    fault: /BDAT for nobody/,
  },
  {
    name: "a chunk's inside run as a command",
    sent: ENVELOPE + "BDAT 6\r\nNOOP\r\nQUIT\r\n",
    said: READY + "503 x\r\n250 x\r\n221 x\r\n",
    fault: /replies to nothing/,
  },
  {
    name: "a second reply to one command",
    sent: "EHLO x\r\n",
    said: "220 x\r\n250 x\r\n250 x\r\n",
    fault: /replies to nothing/,
  },
  {
    name: "354 to something else",
    sent: ENVELOPE + "DATA now\r\n",
    said: READY + "354 x\r\n",
    fault: /354 to/,
  },
  {
    name: "an LF in a reply",
    sent: "",
    said: "220 x\ny\r\n",
    fault: /malformed/,
  },
  {
    name: "8-bit in a reply",
    sent: "",
    said: "220 \u00e9\r\n",
    fault: /malformed/,
  },
  {
    name: "a reply that is too long",
    sent: "",
    said: `220 ${"x".repeat(510)}\r\n`,
    fault: /reply of/,
  },
];

for (const { name, sent, said, fault } of HOLES) {
  Deno.test(`readSession() finds ${name}`, () => {
    assert.match(readSession(sent, said).faults.join("; "), fault);
  });
}

Deno.test("readSession() finds a command that was not answered", () => {
  const reading = readSession("EHLO x\r\nNOOP\r\n", "220 x\r\n250 x\r\n");
  assert.match(reading.silence ?? "", /nothing said after 250/);
});

Deno.test("readSession() reads messages of both kinds as they were meant", () => {
  const sent = ENVELOPE + "DATA\r\n..a\r\n.\r\n" +
    "MAIL FROM:<> BODY=BINARYMIME\r\nRCPT TO:<a@b>\r\nBDAT 5\r\na\nQUI" +
    "BDAT 3 LAST\r\nT\r\nQUIT\r\n";
  const said = READY + "354 x\r\n250 x\r\n" +
    "250 x\r\n250 x\r\n250 x\r\n250 x\r\n221 x\r\n";
  const { acknowledged, faults, silence, wholes } = readSession(sent, said);
  assert.deepEqual({ faults, silence, wholes }, {
    faults: [],
    silence: undefined,
    wholes: 2,
  });
  assert.deepEqual(acknowledged, [
    { octets: ".a\r\n", isBinary: false, recipients: 1 },
    { octets: "a\nQUIT\r\n", isBinary: true, recipients: 1 },
  ]);
});

Deno.test("readReplies() joins the lines of one reply", () => {
  const { replies, faults } = readReplies("250-a\r\n250 b\r\n221 c\r\n");
  assert.deepEqual(faults, []);
  assert.deepEqual(replies.map(({ code }) => code), [250, 221]);
});
